"""A process that has imported what the command line needs, and forks itself for every call.

Importing torch and Lightning takes longer than a tiny training, and so does what every call would do first: composing
the options, reading the digits, measuring text. All that is done once, with nothing of torch: after a convolution in
this process its pool of threads would be missing in every child. pytest's own process does it before it collects, needs
most of it for its tests too, and forks the server, which reads a JSON object a line: argv, cwd, environment, where to
kill (see ``killing.py``), and whether to render the figures of a run; it answers with the exit status, negative for a
signal.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import sys
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

# What the commands import when they are called
IMPORTED = (
    "cnnexp.averaging.scoring",
    "cnnexp.commands.compare",
    "cnnexp.commands.ensemble",
    "cnnexp.commands.predict",
    "cnnexp.commands.preview",
    "cnnexp.commands.report",
    "cnnexp.commands.resume",
    "cnnexp.commands.summary",
    "cnnexp.commands.sweep",
    "cnnexp.commands.test",
    "cnnexp.commands.train",
    "cnnexp.commands.visualize",
    "cnnexp.tasks.autoencoder",
    "cnnexp.tasks.classification",
    "cnnexp.tasks.detection",
    "cnnexp.tasks.multi_label",
    "cnnexp.tasks.segmentation",
    "faster_coco_eval",
    "matplotlib.backends.backend_agg",
    "cnnexp.fit.run",
    "cnnexp.report.export",
    "cnnexp.report.table",
    "cnnexp.sweep.controller",
    "hydra._internal.config_loader_impl",
    "hydra.core.override_parser.overrides_parser",
    "optuna.samplers",
    "optuna.storages",
    "pandas",
    "sqlalchemy.orm",
    "timm",
    "wandb",
)
COMPOSED = (
    "",
    "model=lenet5",
    "model=lenet5 data=mnist5k",
    "model=lenet5 data=mnist5k scheduler=plateau",
    "model=unet data=digit_scenes",
    "model=yolo data=digit_scenes",
    "model=conv_autoencoder data=mnist5k",
    "model=resnet20 data=digit_scenes task=multi_label",
    "model=linear data=mnist5k",
)
"""Options that many tests choose."""
ASKED, ANSWERED, MOST_FILES = 100, 101, 4096
"""The server's two files, far from those that it has of pytest, and how many it may have."""
TRAINING = {"train", "resume", "reproduce", "sweep"}
"""Commands whose figures a test has to ask for."""


SERVER = pytest.StashKey["Server"]()


class Server:
    """The forking process, as the process that tests sees it."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            _filter_as_python_does()
            for module in IMPORTED:
                import_module(module)
            prepare()
            reading, asking = os.pipe()
            answering, writing = os.pipe()
            self.pid = os.fork()  # pytest-xdist has a thread, which reads and holds nothing
            if self.pid == 0:
                try:
                    _serve(os.dup2(reading, ASKED), os.dup2(writing, ANSWERED))
                finally:
                    os._exit(1)
        os.close(reading)
        os.close(writing)
        self._questions, self._answers = os.fdopen(asking, "w"), os.fdopen(answering)

    def call(self, **call: Any) -> int:
        """The exit status of a call of the command line."""
        print(json.dumps(call), file=self._questions, flush=True)
        return int(json.loads(self._answers.readline()))

    def close(self) -> None:
        self._questions.close()
        os.waitpid(self.pid, 0)
        self._answers.close()


def _filter_as_python_does() -> None:
    """No warning is an error, as where pytest is not."""
    warnings.resetwarnings()
    for hidden in (ResourceWarning, ImportWarning, PendingDeprecationWarning, DeprecationWarning):
        warnings.simplefilter("ignore", hidden)
    warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")


def _serve(questions: int, answers: int) -> None:
    """Until there are no more. Nothing of pytest's is left: its files, what it catches, what it does at a crash."""
    faulthandler.disable()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.closerange(3, ASKED)
    os.closerange(ANSWERED + 1, MOST_FILES)
    sys.stdin = os.fdopen(0, closefd=False)
    gc.enable()
    gc.collect()
    gc.freeze()
    for line in os.fdopen(questions):
        call = json.loads(line)
        process = os.fork()
        if process == 0:
            os._exit(_child(call))
        _, status = os.waitpid(process, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def prepare() -> None:
    """What is remembered for the rest of a process: the options put together, the digits and scenes, the fonts."""
    import numpy as np

    from cnnexp.config.compose import compose_run
    from cnnexp.data.digit_scenes import SPLITS, scenes_of
    from cnnexp.visualize.confusion import confusion_image

    for words in COMPOSED:
        compose_run(words.split())
    for split in SPLITS:
        scenes_of(0, split)
    confusion_image(np.eye(10), list("0123456789"))


def leave_figures_blank() -> None:
    """Figures are put together and written at their size, but not rendered: that takes longer than a tiny training."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def blank(canvas: Any) -> None:
        canvas.renderer = canvas.get_renderer()
        canvas.renderer.clear()

    FigureCanvasAgg.draw = blank  # type: ignore[method-assign]


def _child(call: dict[str, Any]) -> int:
    """One call of the command line, in a process of its own."""
    for number, path in ((1, call["out"]), (2, call["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, buffering=1, errors="backslashreplace")
    os.chdir(call["cwd"])
    os.environ.update(call["environment"])
    sys.path[:0] = [path for path in call["environment"].get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.argv = ["cnnexp", *call["argv"]]
    try:
        sys.path.insert(0, str(Path(__file__).parent))
        if TRAINING & set(call["argv"][:1]) and not call["figures"]:
            leave_figures_blank()
        if call["argv"][:1] == ["sweep"]:
            from forked_sweep import fork_the_server

            fork_the_server()
        if call["kill"]:
            from killing import kill_at

            kill_at(call["kill"])
        from cnnexp.cli import main as command_line

        return command_line(call["argv"])
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()

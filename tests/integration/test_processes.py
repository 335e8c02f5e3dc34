"""Runs of several processes, and runs that are told to stop: through real processes of the command line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnexp.runs.checkpoints import kept_epochs
from tests.integration.conftest import CommandLine

RUN = (
    "model=lenet5", "data=mnist5k", "data.fraction=0.1", "epochs=2", "batch_size=20", "hardware.threads=1",
    "checkpoint.keep=epochs",
)  # fmt: skip
# in single precision the order of summation shows after some twenty steps: rounding grows in training, whatever runs it
EXACT = ("hardware.precision=fp64", "epochs=4")


def start(folder: Path, *words: str, launcher: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
    """The command line in a process group of its own."""
    environment = {**os.environ, "COLUMNS": "80", "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(
        [sys.executable, *(launcher or ("-m",)), "cnnexp", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str], timeout: float = 180) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, out, err


def rows(outputs: Path) -> list[dict[str, str]]:
    (run,) = outputs.iterdir()
    return list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))


def summary(outputs: Path) -> dict[str, Any]:
    (run,) = outputs.iterdir()
    return dict(json.loads((run / "summary.json").read_text()))


def same_figures(one: Path, other: Path) -> None:
    """Losses and scores of two runs are the same to float tolerance."""
    for name, value in summary(one)["metrics"].items():
        assert summary(other)["metrics"][name] == pytest.approx(value, rel=1e-6), name
    for row, twin in zip(rows(one), rows(other), strict=True):
        assert {n: float(v) for n, v in row.items() if v} == pytest.approx(
            {n: float(v) for n, v in twin.items() if v}, rel=1e-6
        )


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    status, _, err = finished(start(folder, "train", *RUN, *EXACT, "hardware=cpu"))
    assert status == 0, err
    return folder / "outputs"


@pytest.mark.slow
def test_two_processes_are_one_run(one_process: Path, tmp_path: Path) -> None:
    """Same figures as one process, one folder, one log; a variable left in the shell changes nothing."""
    stale = {"CNNEXP_RUN_FOLDER": str(tmp_path / "old"), "CNNEXP_RUN_PARENT": "1", "NODE_RANK": "3"}
    status, _, err = finished(start(tmp_path, "train", *RUN, *EXACT, "hardware=ddp_cpu", **stale))
    assert status == 0, err
    same_figures(one_process, tmp_path / "outputs")
    (run,) = (tmp_path / "outputs").iterdir()
    (alone,) = one_process.iterdir()
    assert list(kept_epochs(run)) == list(kept_epochs(alone)) == [1, 2, 3, 4]
    for name in kept_epochs(run).values():
        torch.testing.assert_close(torch.load(run / name), torch.load(alone / name), rtol=1e-6, atol=1e-9)
    assert (run / "log.txt").read_text().count("2 cpu processes") == 1
    predictions = list(csv.DictReader((run / "predictions.csv").read_text().splitlines()))
    assert [row["index"] for row in predictions] == [str(i) for i in range(500)]


UNEVEN = {
    "unet": ("data=digit_scenes", "model.width=8", "model.norm=none"),
    "yolo": ("data=digit_scenes", "model.width=8"),
    "window_lenet": ("data=digit_scenes",),
    "patch_net": ("data=digit_scenes", "model.window=17", "model.kernels=[4,4]", "model.widths=[4,4]"),
    "faster_rcnn": ("data=digit_scenes", "model.width=8"),
    "retinanet": ("data=digit_scenes", "model.width=8"),
    "ssd": ("data=digit_scenes", "model.width=8"),
    "vae": ("data=mnist5k", "model.hidden=[40]"),
    "dense_autoencoder": ("data=mnist5k", "model.hidden=[40]", "task.noise=0.3", "model.tied=true"),
    "lenet5": ("data=one_digit", "task=localization", "augmentation=shift", "augmentation.crop.padding=20"),
}
"""Nets, and what of their samples differs in number between processes: pixels, positives, windows, objects left; and
those to which something is drawn for each sample."""


@pytest.mark.slow
@pytest.mark.parametrize("model", UNEVEN)
def test_two_processes_weigh_uneven_shares(model: str, tmp_path: Path) -> None:
    """Positives differ between the processes, and the loss of the whole is what one process has.

    (Batch norm sees half a batch in each process, so only nets without it end up the same: U-Net's norm is switched
    off, those with anchors have group norm.)
    """
    words = ("data.fraction=0.01", "epochs=1", "batch_size=10", f"model={model}", *UNEVEN[model])
    for name, hardware in (("one", "cpu"), ("two", "ddp_cpu")):
        (tmp_path / name).mkdir()
        done = finished(
            start(tmp_path / name, "train", *words, *EXACT[:1], f"hardware={hardware}", "hardware.threads=1")
        )
        assert done[0] == 0, done[2]
    if model != "yolo":
        same_figures(tmp_path / "one" / "outputs", tmp_path / "two" / "outputs")
    else:
        assert summary(tmp_path / "two" / "outputs")["metrics"]["train/loss"] > 0


@pytest.mark.slow
def test_torchrun_is_one_run(one_process: Path, tmp_path: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "-m")
    process = start(tmp_path, "train", *RUN, *EXACT, "hardware=ddp_cpu", launcher=launcher)
    status, _, err = finished(process)
    assert status == 0, err
    same_figures(one_process, tmp_path / "outputs")


@pytest.mark.slow
def test_another_learning_rate_on_rank_1_stops_the_run(tmp_path: Path) -> None:
    script = f"{sys.executable} -m cnnexp train {' '.join(RUN)} hardware=ddp_cpu optimizer.lr=0.0$((RANK+1))"
    command = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--no-python", "bash", "-c", script]
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    status, _, err = finished(process, timeout=120)
    assert status != 0
    assert "rank 1 was started with another configuration than rank 0: optimizer.lr is 0.01 there and 0.02 here" in err
    assert list(tmp_path.glob("outputs/*")) == []


@pytest.mark.slow
def test_a_killed_rank_does_not_hang_the_run(tmp_path: Path) -> None:
    """The run of two processes ends, and can be gone on with to the same figures."""
    words = ("train", *RUN, "epochs=40", "hardware=ddp_cpu", "hardware.threads=1")
    process = start(tmp_path, *words)
    log = wait_for_log(tmp_path, "steps of", process)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    status, _, _ = finished(process, timeout=120)
    assert status != 0
    assert "finished" not in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_told_to_stop(number: signal.Signals, tmp_path: Path, cnnexp: CommandLine) -> None:
    """It saves, says how to go on, and ends with status 130; going on ends the run."""
    process = start(tmp_path, "train", *RUN, "epochs=1000", "hardware=cpu", "hardware.threads=1")
    wait_for_log(tmp_path, "steps of", process)
    process.send_signal(number)
    status, _, err = finished(process)
    assert status == 130
    (run,) = (tmp_path / "outputs").iterdir()
    assert f"cnnexp resume {run.name}" in err and "Traceback" not in err
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    assert (run / "checkpoints" / "last.ckpt").exists()
    step = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"]["cnnexp.checkpointing"]["step"]
    done = cnnexp("resume", "last", f"max_steps={step + 5}")
    assert done.status == 0, done.err
    assert json.loads((run / "summary.json").read_text())["steps"] == step + 5


def wait_for_log(folder: Path, words: str, process: subprocess.Popen[str], timeout: float = 120) -> Path:
    """The run's log, once it holds these words."""
    end = time.monotonic() + timeout
    while time.monotonic() < end and process.poll() is None:
        for log in folder.glob("outputs/*/log.txt"):
            if words in log.read_text():
                return log
        time.sleep(0.05)
    raise AssertionError(f"no {words!r} in the log; status {process.poll()}")

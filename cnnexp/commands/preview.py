"""``cnnexp preview``: what a training will do, as a picture: its augmented pictures, or its learning rate."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnexp.commands.arguments import add_overrides, png_path
from cnnexp.errors import InputError
from cnnexp.notice import loaded

EXAMPLE = (
    "cnnexp preview data=cifar10 augmentation=crop_flip --out crops.png\n"
    "  cnnexp preview scheduler=cosine,one_cycle,step epochs=30"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument("--out", metavar="FILE", default="preview.png", help="where the picture goes [preview.png]")
    parser.add_argument("--samples", type=int, metavar="N", default=6, help="training pictures, a row each [6]")
    parser.add_argument("--draws", type=int, metavar="N", default=6, help="epochs, a column each [6]")
    parser.add_argument(
        "--schedule", action="store_true", help="the learning rate, also where data or augmentation are named"
    )
    parser.add_argument(
        "--steps-per-epoch", type=int, metavar="N", default=None, help="for the learning rate, in place of the data's"
    )


def run(arguments: argparse.Namespace) -> int:
    _refuse_numbers(arguments)
    out = png_path(arguments.out, "--out")
    texts = arguments.overrides
    if arguments.schedule or (_names(texts, "scheduler") and not _names(texts, "data", "dataset", "augmentation")):
        return _rates(texts, out, arguments)
    return _pictures(texts, out, arguments)


def _refuse_numbers(arguments: argparse.Namespace) -> None:
    given = {"--samples": arguments.samples, "--draws": arguments.draws, "--steps-per-epoch": arguments.steps_per_epoch}
    most = {"--samples": 64, "--draws": 64}
    problems = [
        f"{option} {number}: expected a number of at least 1"
        + (f" and at most {most[option]}" if option in most else "")
        for option, number in given.items()
        if number is not None and not 1 <= number <= most.get(option, number)
    ]
    if problems:
        raise InputError(*problems)


def _names(texts: Sequence[str], *groups: str) -> bool:
    """Whether a word is about one of the groups, itself or a key of it."""
    keys = [text.lstrip("+").split("=", 1)[0] for text in texts]
    return any(key == group or key.startswith(f"{group}.") for key in keys for group in groups)


def _pictures(texts: Sequence[str], out: Path, arguments: argparse.Namespace) -> int:
    from cnnexp.config.compose import compose_run

    config = compose_run(_with_a_net(texts, arguments.config_dir), arguments.config_dir)

    from torch import nn

    from cnnexp.builders.build import build
    from cnnexp.preview.pictures import draw_rows, told_rows
    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.rows import rows_image

    experiment = build(config, arguments.trust, nn.Identity())
    rows = draw_rows(experiment, arguments.samples, arguments.draws)
    facts, choices = experiment.facts, config["choices"]
    headings = ["as stored", *(f"epoch {epoch + 1}" for epoch in range(arguments.draws))]
    title = f"data={choices['data']} augmentation={choices['augmentation']} seed={config['seed']}"
    names = {key: answer.names for answer in facts.targets.values() for key in answer.keys}
    sheet = rows_image(rows, headings, title=title, names=names.get("classes", ()), mask_names=names.get("mask", ()))
    write_png(sheet, out)
    loaded()
    epochs = "one epoch" if arguments.draws == 1 else f"{arguments.draws} epochs"
    print(f"{out}: {len(rows)} {facts.input.noun}s of {facts.name}, as stored and in {epochs}")
    for line in told_rows(experiment, arguments.samples):
        print(line)
    return 0


def _with_a_net(texts: Sequence[str], own_folders: Sequence[str]) -> list[str]:
    """A net that suits the data, where none is named, or the task for which the usual one does: it is not made."""
    from cnnexp.config.options import (
        config_folders,
        input_of_data,
        models_for,
        option_files,
        targets_of_data,
        task_of_target,
        tasks,
    )

    if _names(texts, "model", "experiment", "task"):
        return list(texts)
    named = [text.split("=", 1)[1] for text in texts if text.lstrip("+").startswith(("data=", "dataset="))]
    folders = config_folders(own_folders)
    path = option_files("data", folders).get(named[-1]) if named else None
    if path is None or not targets_of_data(path):
        return list(texts)
    target = targets_of_data(path)[0]
    task = task_of_target(target, folders)
    if task is None:
        borrowing = (name for name, one in tasks(folders).items() if one.get("target") == target)
        return [*texts, *(f"task={name}" for name in borrowing)][: len(texts) + 1]
    fitting = models_for({task} if task else set(), folders, input_of_data(path))
    usual = _usual_net(folders)
    return list(texts) if usual in fitting else [*texts, *(f"model={name}" for name in fitting[:1])]


def _usual_net(folders: Sequence[Path]) -> str:
    """The net that a configuration has where none is named."""
    from cnnexp.config.options import content_of

    defaults = content_of(folders[-1] / "config.yaml")["defaults"]
    return next(str(entry["model"]) for entry in defaults if isinstance(entry, dict) and "model" in entry)


def _rates(texts: Sequence[str], out: Path, arguments: argparse.Namespace) -> int:
    configs = _of_each_schedule(texts, arguments)
    first = next(iter(configs.values()))

    from cnnexp.preview.rates import learning_rates, steps_of
    from cnnexp.report.rates import draw_rates

    steps = arguments.steps_per_epoch
    data = "" if steps is not None else f" of {first['choices']['data']}"
    steps = steps_of(first, arguments.trust) if steps is None else steps
    courses = {name: learning_rates(config, steps, arguments.trust) for name, config in configs.items()}
    curves = {
        f"{name}, while its metric improves" if course.waits else name: course.rates for name, course in courses.items()
    }
    what = f"{_counted(first['epochs'], 'epoch')} of {_counted(steps, 'step')}"
    title = f"{what}{data}, optimizer.lr={first['optimizer']['lr']:g}, batch_size={first['batch_size']}"
    draw_rates(curves, steps, out, title)
    loaded()
    print(f"{out}: the learning rate by {', '.join(configs)} over {what}{data}")
    return 0


def _of_each_schedule(texts: Sequence[str], arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The configuration with each of the schedules in ``scheduler=one,two``, or with the only one."""
    from cnnexp.config.compose import compose_run

    lists = [text for text in texts if text.startswith("scheduler=") and "," in text]
    names = [name for text in lists for name in text.split("=", 1)[1].split(",")]
    rest = [text for text in _with_data(texts) if text not in lists]
    if not names:
        config = compose_run(rest, arguments.config_dir)
        return {str(config["choices"]["scheduler"]): config}
    return {name: compose_run([*rest, f"scheduler={name}"], arguments.config_dir) for name in names}


def _with_data(texts: Sequence[str]) -> list[str]:
    """Data that suits the net, where a net is named and no data."""
    from cnnexp.commands.asked import suitable_data

    if _names(texts, "data", "dataset", "experiment"):
        return list(texts)
    return [*texts, *suitable_data(texts)]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

"""``cnnexp predict``: files in; labels, boxes, masks or whatever else the net answers out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cnnexp.commands.arguments import add_checkpoint, add_own_code, add_run, weights_named
from cnnexp.commands.asked import files_in, names_data, settings_and_files
from cnnexp.commands.watching import watched
from cnnexp.errors import InputError
from cnnexp.notice import loaded
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.inputs.base import Picture
    from cnnexp.tasks.base import Task

EXAMPLE = "cnnexp predict last photo.jpg --out drawn/"
WITHOUT_RUN = "cnnexp predict model=squeezenet1_0 model.weights=torchvision photo.jpg"

Reading: TypeAlias = "Callable[[Path], dict[str, Tensor]]"
"""A file → a batch of one, as the net's data set would store it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="pictures, or what else the net takes; or folders of them"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, an object for each file")
    parser.add_argument(
        "--skip-unreadable", action="store_true", help="leave out files that cannot be read, naming them on stderr"
    )
    parser.add_argument("--out", metavar="DIR", default=None, help="draw the answers on the pictures, into this folder")
    add_checkpoint(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    words, given = settings_and_files([arguments.run, *arguments.files], WITHOUT_RUN)
    record = None if words else open_run(arguments.run, outputs_folder(arguments.outputs))
    if not given:
        raise InputError(f"missing: FILE, a picture to classify, as in: {WITHOUT_RUN}")
    out = None if arguments.out is None else Path(arguments.out)
    if out is not None:
        from cnnexp.runs.write import writable_folder

        writable_folder(out, "--out DIR")
    from cnnexp.data.reading import refuse_unnameable

    task, read = _of_weights(words, arguments) if record is None else _of_run(record, arguments)
    answer = task.answer
    files = files_in(given, task.facts.input.suffixes, task.facts.input.noun)
    refuse_unnameable(files)
    files = _readable(read, files, skip=arguments.skip_unreadable)
    rows = []
    for path, drawn in watched(zip(files, _names(files), strict=True), len(files), "predicting"):
        picture, prediction = _ask(task, read, path)
        row = {"file": str(path), **answer.as_json(prediction, picture)}
        if out is not None:
            from cnnexp.visualize.png import write_png

            row["drawn"] = str(write_png(answer.image(picture, prediction), out / drawn))
        rows.append(row)
    loaded()
    _print(rows, answer.lines, as_json=arguments.json)
    return 0


def _of_run(record: Record, arguments: argparse.Namespace) -> tuple[Task, Reading]:
    arguments.checkpoint = weights_named(record, arguments.checkpoint)

    from cnnexp.builders.revive import checked_config, revive

    return _sized_as_trained(revive(record, checked_config(record), arguments.checkpoint, arguments.trust))


def _sized_as_trained(task: Task) -> tuple[Task, Reading]:
    return task, task.facts.input.read


def _of_weights(words: list[str], arguments: argparse.Namespace) -> tuple[Task, Reading]:
    from cnnexp.config.compose import compose_run

    config = compose_run(words, arguments.config_dir)

    from cnnexp.builders.pretrained import for_data, pretrained
    from cnnexp.inputs.picture_files import read_middle
    from cnnexp.inputs.pictures import Pictures

    if names_data(words):
        return _sized_as_trained(for_data(config, arguments.trust))
    task, how = pretrained(config, arguments.trust)
    size = (how.resize_px, how.crop_px, 3, how.interpolation)
    return task, lambda path: Pictures.stored_as(read_middle(path, *size)[None])


def _names(files: list[Path]) -> list[str]:
    """A file name for each drawn picture, none twice."""
    names: list[str] = []
    for path in files:
        name, number = f"{path.stem}.png", 2
        while name in names:
            name, number = f"{path.stem}-{number}.png", number + 1
        names.append(name)
    return names


def _readable(read: Reading, files: list[Path], skip: bool) -> list[Path]:
    """Decode every file once before the first is answered, so that nothing is left half done.

    Args:
        skip: those that cannot be decoded are named on stderr and left out.

    Raises:
        InputError: a line for each that is not what the net takes; ``skip``: where nothing is left.
    """
    problems: list[str] = []
    kept: list[Path] = []
    for path in files:
        try:
            read(path)
            kept.append(path)
        except InputError as error:
            problems.extend(error.lines)
    if problems and not (skip and kept):
        way_out = f" (--skip-unreadable leaves such files out; {len(kept)} can be read)" if kept else ""
        raise InputError(*problems[:-1], problems[-1] + way_out)
    if problems:
        loaded()
        for line in problems:
            print(f"cnnexp predict: left out: {line}", file=sys.stderr)
    return kept


def _ask(task: Task, read: Reading, path: Path) -> tuple[Picture, Any]:
    """What a file holds as a picture, and what the net says of it."""
    import torch

    with torch.no_grad():
        return task.facts.input.picture(path), task.predict(task.prepare(read(path), train=False))[0]


def _print(rows: list[dict[str, Any]], lines: Callable[[dict[str, Any]], list[str]], as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        print(row["file"])
        for line in [*lines(row), *([f"drawn: {row['drawn']}"] if "drawn" in row else [])]:
            print(f"  {line}")
    sys.stdout.flush()

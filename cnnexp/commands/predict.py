"""``cnnexp predict``: pictures in; labels, boxes, masks or reconstructions out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cnnexp.commands.arguments import add_own_code, add_run
from cnnexp.commands.asked import names_data, pictures_in, settings_and_files
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from cnnexp.tasks.base import Task

EXAMPLE = "cnnexp predict last photo.jpg --out drawn/"
WITHOUT_RUN = "cnnexp predict model=squeezenet1_0 model.weights=torchvision photo.jpg"

Reading: TypeAlias = "Callable[[Path], Tensor]"
"""A file → its picture as the net wants it, uint8 (C, H, W)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("files", nargs="+", metavar="FILE", help="pictures, or folders of pictures")
    parser.add_argument("--json", action="store_true", help="as JSON, an object for each picture")
    parser.add_argument("--out", metavar="DIR", default=None, help="draw the answers on the pictures, into this folder")
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="which weights [best]")
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    words, given = settings_and_files([arguments.run, *arguments.files], WITHOUT_RUN)
    record = None if words else open_run(arguments.run, outputs_folder(arguments.outputs))
    files = pictures_in(given)
    if not files:
        raise InputError(f"missing: FILE, a picture to classify, as in: {WITHOUT_RUN}")
    out = None if arguments.out is None else Path(arguments.out)
    if out is not None:
        from cnnexp.runs.write import writable_folder

        writable_folder(out, "--out DIR")
    task, read = _of_weights(words, arguments) if record is None else _of_run(record, arguments)
    _refuse_unreadable(read, files)
    rows = []
    for path, drawn in zip(files, _names(files), strict=True):
        picture, prediction = _ask(task, read, path)
        row = {"file": str(path), **task.answer(prediction, picture)}
        if out is not None:
            from cnnexp.visualize.png import write_png

            row["drawn"] = str(write_png(task.image(picture, prediction), out / drawn))
        rows.append(row)
    _print(rows, as_json=arguments.json)
    return 0


def _of_run(record: Record, arguments: argparse.Namespace) -> tuple[Task, Reading]:
    from cnnexp.builders.revive import checked_config, revive

    return _sized_as_trained(revive(record, checked_config(record), arguments.checkpoint, arguments.trust))


def _sized_as_trained(task: Task) -> tuple[Task, Reading]:
    from cnnexp.data.pictures import read_picture

    facts = task.parts.facts
    return task, lambda path: read_picture(path, facts.stored_size, facts.channels)[0]


def _of_weights(words: list[str], arguments: argparse.Namespace) -> tuple[Task, Reading]:
    from cnnexp.config.compose import compose_run

    config = compose_run(words, arguments.config_dir)

    from cnnexp.builders.pretrained import for_data, pretrained
    from cnnexp.data.pictures import read_middle

    if names_data(words):
        return _sized_as_trained(for_data(config, arguments.trust))
    task, how = pretrained(config, arguments.trust)
    return task, lambda path: read_middle(path, how.resize_px, how.crop_px, 3, how.interpolation)


def _names(files: list[Path]) -> list[str]:
    """A file name for each drawn picture, none twice."""
    names: list[str] = []
    for path in files:
        name, number = f"{path.stem}.png", 2
        while name in names:
            name, number = f"{path.stem}-{number}.png", number + 1
        names.append(name)
    return names


def _refuse_unreadable(read: Reading, files: list[Path]) -> None:
    """Decode every file once before the first is answered, so that nothing is left half done.

    Raises:
        InputError: a line for each that is not a picture.
    """
    problems: list[str] = []
    for path in files:
        try:
            read(path)
        except InputError as error:
            problems.extend(error.lines)
    if problems:
        raise InputError(*problems)


def _ask(task: Task, read: Reading, path: Path) -> tuple[np.ndarray, Any]:
    """A picture as it is, and what the net says of it."""
    import torch

    from cnnexp.data.pictures import read_picture
    from cnnexp.tasks.base import as_pictures

    fitted = read(path)
    original, _ = read_picture(path, None, 3 if task.parts.facts.channels == 3 else 1)
    with torch.no_grad():
        prepared = task.prepare({"image": fitted[None]}, train=False)["image"]
        return as_pictures(original[None])[0], task.predict(prepared)[0]


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        print(row["file"])
        for line in _lines(row):
            print(f"  {line}")
    sys.stdout.flush()


def _lines(row: dict[str, Any]) -> list[str]:
    """An answer in words."""
    if "top" in row:
        lines = [f"{one['label']:<24}{one['probability']:.4f}" for one in row["top"]]
    elif "boxes" in row:
        lines = [
            f"{one['label']:<24}{one['score']:.2f}  x {one['box'][0]:.0f}-{one['box'][2]:.0f}"
            f"  y {one['box'][1]:.0f}-{one['box'][3]:.0f}"
            for one in row["boxes"]
        ] or ["nothing found"]
    elif "area" in row:
        lines = [f"{name:<24}{part:.1%} of the picture" for name, part in row["area"].items()]
    else:
        lines = [f"{name:<24}{value}" for name, value in row.items() if name not in ("file", "drawn")]
    return [*lines, *([f"drawn: {row['drawn']}"] if "drawn" in row else [])]

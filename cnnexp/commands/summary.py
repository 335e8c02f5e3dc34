"""``cnnexp summary``: a net taken apart, layer by layer, or several nets side by side."""

from __future__ import annotations

import argparse
import re
from typing import Any

from cnnexp.commands.arguments import add_overrides
from cnnexp.errors import InputError

EXAMPLE = (
    "cnnexp summary model=resnet50 --input 3x224x224 --classes 1000\n"
    "  cnnexp summary model=lenet5,resnet20 data=mnist5k"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument("--input", metavar="CxHxW", default=None, help="picture size, channels first, in place of data")
    parser.add_argument("--classes", type=int, metavar="N", default=None, help="number of classes, in place of data's")
    parser.add_argument(
        "--depth",
        type=int,
        metavar="N",
        default=None,
        help="fold the tree of modules below this depth [what is readable]",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, every layer unless --depth is given")
    parser.add_argument("--csv", action="store_true", help="as CSV, a line for each layer (or each net)")


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.config.compose import compose_run

    size = _size(arguments.input)
    _refuse(arguments)
    config = compose_run([*_compatible_data(arguments.overrides, size is not None)], arguments.config_dir)

    from cnnexp.anatomy.subject import described, find_subject

    content = described(find_subject(config, arguments.trust, size, arguments.classes))
    _show(content, arguments)
    return 0


def _show(content: dict[str, Any], arguments: argparse.Namespace) -> None:
    from cnnexp.report.layers import LayerTable, folded, to_csv

    if arguments.json:
        import json

        if arguments.depth is not None:
            content = {**content, "layers": folded(content["layers"], arguments.depth)}
        print(json.dumps(content, indent=2))
    elif arguments.csv:
        print(to_csv(content, arguments.depth), end="")
    else:
        from rich.console import Console

        Console(highlight=False).print(LayerTable(content, arguments.depth))


def _refuse(arguments: argparse.Namespace) -> None:
    if arguments.classes is not None and arguments.classes < 1:
        raise InputError(f"--classes {arguments.classes}: expected a number of at least 1")
    if arguments.depth is not None and arguments.depth < 1:
        raise InputError(f"--depth {arguments.depth}: expected a number of at least 1, the modules of the net itself")
    if arguments.json and arguments.csv:
        raise InputError("--json and --csv: give one of them")


def _compatible_data(overrides: list[str], free: bool) -> list[str]:
    """With ``--input`` no data set is needed, so one that suits the net stands in where none was named."""
    if not free or any(word.lstrip("+").startswith(("data=", "dataset=")) for word in overrides):
        return overrides
    from cnnexp.config.options import config_folders, option_files, task_of_model

    model = next((word.split("=", 1)[1] for word in overrides if word.startswith("model=")), "lenet5")
    path = option_files("model", config_folders()).get(model)
    task = task_of_model(path) if path is not None else None
    return [*overrides, *(["data=digit_scenes"] if task in ("segmentation", "detection") else [])]


def _size(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)[xX×](\d+)[xX×](\d+)", text)
    if not found or min(map(int, found.groups())) < 1:
        raise InputError(f"--input {text}: expected channels x height x width, for example 3x224x224")
    channels, height, width = map(int, found.groups())
    return channels, height, width

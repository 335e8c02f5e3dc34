"""``cnnexp summary``: a net taken apart, layer by layer, or several nets side by side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnexp.commands.arguments import add_overrides
from cnnexp.commands.asked import suitable_data
from cnnexp.commands.picture_size import channels_first, has_order, numbers_of
from cnnexp.config.options import PICTURES
from cnnexp.errors import InputError
from cnnexp.notice import loaded

EXAMPLE = (
    "cnnexp summary model=resnet50 --input 3x224x224 --classes 1000\n"
    "  cnnexp summary model=lenet5,resnet20 data=mnist5k --measure\n"
    "  cnnexp summary model=plain_cnn model.convolution=plain,separable\n"
    "  cnnexp summary model=unet data=digit_scenes --plot unet.png"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument(
        "--input",
        metavar="CxHxW",
        default=None,
        help="size of a sample in place of data, or HxWxC where that can be told",
    )
    parser.add_argument("--classes", type=int, metavar="N", default=None, help="number of classes, in place of data's")
    parser.add_argument("--depth", type=int, metavar="N", default=None, help="sum up modules below this depth")
    parser.add_argument("--measure", action="store_true", help="make training steps too: their memory, and images/s")
    parser.add_argument("--plot", metavar="FILE", default=None, help="the net's profile along its depth, as a PNG")
    parser.add_argument("--json", action="store_true", help="as JSON, every layer unless --depth is given")
    parser.add_argument("--csv", action="store_true", help="as CSV, a line for each layer, or for each net")
    parser.add_argument(
        "--ilsvrc", action="store_true", help="only ImageNet's challenge: its winners by year; with --plot as bars"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.ilsvrc:
        return _show_challenge(_png(arguments.plot))
    numbers = _numbers(arguments.input)
    _refuse(arguments)
    plot = _png(arguments.plot)
    nets = _nets(arguments)
    if plot is not None and len(nets) > 1:
        raise InputError(f"--plot: a picture is of one net, not of {len(nets)}; give one")
    size = _size(arguments.input, numbers, [config for config, _ in nets])
    contents = [
        {**_content(config, size, arguments), **({"settings": settings} if settings else {})}
        for config, settings in nets
    ]
    loaded()
    if plot is not None:
        from cnnexp.report.profile import draw_profile

        draw_profile(contents[0], plot)
    if len(contents) > 1:
        _show_nets(contents, arguments)
    else:
        _show_layers(contents[0], arguments)
    if plot is not None and not (arguments.json or arguments.csv):
        print(f"{plot}: its profile")
    return 0


def _show_challenge(plot: Path | None) -> int:
    from cnnexp.report.challenge import challenge_text, draw_challenge

    loaded()
    print(challenge_text())
    if plot is not None:
        print(f"\n{draw_challenge(plot)}: the winners' errors and layers")
    return 0


def _content(config: Mapping[str, Any], size: tuple[int, ...] | None, arguments: argparse.Namespace) -> dict[str, Any]:
    from cnnexp.anatomy.subject import described, find_subject

    subject = find_subject(config, arguments.trust, size, arguments.classes)
    content = described(subject)
    if not arguments.measure:
        return content
    from cnnexp.anatomy.measured import measure
    from cnnexp.builders.hardware import resolve_hardware

    estimate = content["training"]["bytes"] if content["training"] else None
    return {**content, "measured": measure(subject, resolve_hardware(dict(config))["hardware"], estimate)}


def _show_layers(content: dict[str, Any], arguments: argparse.Namespace) -> None:
    from cnnexp.report.layers import LayerTable, folded, to_csv
    from cnnexp.report.nets import with_published

    if arguments.json:
        layers = content["layers"] if arguments.depth is None else folded(content["layers"], arguments.depth)
        _print_json(with_published({**content, "layers": layers}))
    elif arguments.csv:
        print(to_csv(content, arguments.depth), end="")
    else:
        _print_table(LayerTable(content, arguments.depth))


def _show_nets(contents: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    from cnnexp.report.nets import NetTable, to_csv, with_published

    if arguments.json:
        _print_json([{key: value for key, value in with_published(one).items() if key != "layers"} for one in contents])
    elif arguments.csv:
        print(to_csv(contents), end="")
    else:
        _print_table(NetTable(contents))


def _print_json(content: Any) -> None:
    import json

    print(json.dumps(content, indent=2))


def _print_table(table: Any) -> None:
    from rich.console import Console

    Console(highlight=False).print(table)


def _refuse(arguments: argparse.Namespace) -> None:
    problems = []
    if arguments.classes is not None and arguments.classes < 1:
        problems.append(f"--classes {arguments.classes}: expected a number of at least 1")
    if arguments.depth is not None and arguments.depth < 1:
        problems.append(f"--depth {arguments.depth}: expected a number of at least 1, the modules of the net itself")
    if arguments.json and arguments.csv:
        problems.append("--json and --csv: give one of them")
    if problems:
        raise InputError(*problems)


def _nets(arguments: argparse.Namespace) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """The configuration of each net, and its settings among those that were given several values."""
    from cnnexp.commands.several import combinations
    from cnnexp.config.compose import compose_run

    folders = arguments.config_dir
    return [
        (compose_run(_compatible_data(words, folders), folders), settings)
        for words, settings in combinations(arguments.overrides)
    ]


def _compatible_data(words: list[str], own_folders: Sequence[str]) -> list[str]:
    """Where no data set was named, one that suits the net stands in."""
    if any(word.lstrip("+").startswith(("data=", "dataset=")) for word in words):
        return words
    return [*words, *suitable_data(words, own_folders)]


def _png(text: str | None) -> Path | None:
    if text is None:
        return None
    from cnnexp.commands.arguments import png_path

    return png_path(text, "--plot")


def _numbers(text: str | None) -> tuple[int, ...] | None:
    """A shape in the notation of an input; the input itself knows how many numbers it takes."""
    numbers = None if text is None else numbers_of(text)
    if text is not None and (numbers is None or (has_order(text) and len(numbers) != 3)):
        raise InputError(f"--input {text}: expected numbers with x between them, for example 3x224x224")
    return numbers


def _size(
    text: str | None, numbers: tuple[int, ...] | None, configs: Sequence[Mapping[str, Any]]
) -> tuple[int, ...] | None:
    """The same, with a picture's channels first however the text has them."""
    if text is None or numbers is None or len(numbers) != 3:
        return numbers
    if any(config["data"]["input"] != PICTURES for config in configs):
        return numbers
    size, told = channels_first(text)
    if told:
        print(told, file=sys.stderr)
    return size

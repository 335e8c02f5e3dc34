"""``cnnexp visualize activation-functions``: every activation of the nets, its derivative, and where it is flat."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.visualize.activation_functions import Measured

LINE = "every activation with its derivative, range, and where it is flat"
EXAMPLE = """cnnexp visualize activation-functions
  cnnexp visualize activation-functions relu leaky_relu --leaky-slope 0.1"""
FARTHEST = 40.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as relu tanh [all]")
    parser.add_argument("--leaky-slope", type=float, metavar="X", default=None, help="of leaky_relu below zero [0.01]")
    parser.add_argument("--reach", type=float, metavar="X", default=7.0, help="the curves go from -X to X [7]")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    _refuse_numbers(arguments)
    folder = folder_of(arguments)

    from cnnexp.visualize import activation_functions as functions
    from cnnexp.visualize.activation_chart import activations_image
    from cnnexp.visualize.png import write_png

    known = functions.names()
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        raise InputError(*(f"{name}: no activation of the nets; {did_you_mean(name, known)}" for name in unknown))
    slope = functions.LEAKY_SLOPE if arguments.leaky_slope is None else arguments.leaky_slope
    chosen = [name for name in known if not arguments.names or name in arguments.names]
    measured = [functions.measure(name, arguments.reach, slope) for name in chosen]
    path = write_png(activations_image(measured), folder / "activation_functions.png")
    if arguments.json:
        import json

        print(json.dumps({"activations": [_as_plain(one) for one in measured], "picture": str(path)}, indent=2))
        return 0
    _print(measured)
    print(path)
    return 0


def _refuse_numbers(arguments: argparse.Namespace) -> None:
    problems = []
    if arguments.leaky_slope is not None and not 0 <= arguments.leaky_slope < 1:
        problems.append(f"--leaky-slope {arguments.leaky_slope:g}: expected a number from 0 to below 1")
    if not 0.1 <= arguments.reach <= FARTHEST:
        problems.append(f"--reach {arguments.reach:g}: expected a number from 0.1 to {FARTHEST:g}")
    if problems:
        raise InputError(*problems)


def _as_plain(one: Measured) -> dict[str, Any]:
    from dataclasses import asdict

    return {key: value for key, value in asdict(one).items() if key not in ("x", "values", "slopes")}


def _print(measured: Sequence[Measured]) -> None:
    print(f"{'':<11}{'f(x)':<42}{'f′(x)':<17}{'range':<10}")
    for one in measured:
        said = one.description
        print(f"{one.name:<11}{said.formula:<42}{said.derivative:<17}{said.range}")
    print(f"\n{'':<11}{'f′ left of 0':>13}{'at 0':>8}{'right':>8}{'largest':>9}   flat where x is")
    for one in measured:
        cells = (_number(one.left), _number(one.at_zero), _number(one.right), _number(one.largest))
        print(f"{one.name:<11}{cells[0]:>13}{cells[1]:>8}{cells[2]:>8}{cells[3]:>9}   {_flat(one)}")
    print(
        "\nflat: the derivative is below 1 % of its largest; little is learnt there.\n"
        "at 0: what autograd takes. The slope of prelu and maxout's units are learnt."
    )


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _flat(one: Measured) -> str:
    parts = []
    if one.flat_left is not None:
        parts.append(f"below {_place(one.flat_left)}")
    if one.flat_right is not None:
        parts.append(f"above {_place(one.flat_right)}")
    return ", ".join(parts) or "nowhere"


def _place(x: float) -> str:
    return "0" if abs(x) < 0.002 else f"{x:.2f}".replace("-", "−")

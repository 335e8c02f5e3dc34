"""``cnnexp visualize rotation``: a maximum over turned filters against a single filter, measured on turning digits."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.visualize.rotation import RotationResult

LINE = "a maximum over turned filters (maxout) keeps answering while a digit turns"
EXAMPLE = """cnnexp visualize rotation
  cnnexp visualize rotation --digit 3 --filters 12 --step 30"""
FARTHEST_DEGREES = 90
EVERY_DEGREES = 5
MOST_FILTERS = 72
PART = 0.8
PRINTED = (0, 10, 20, 30, 40, 50, 60, 75, 90)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--digit", type=int, metavar="N", default=5, help="whose filter it is, 0 to 9 [5]")
    parser.add_argument("--filters", type=int, metavar="N", default=5, help="turned by steps to either side [5]")
    parser.add_argument("--step", type=float, metavar="DEGREES", default=20.0, help="between two filters [20]")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    _refuse_numbers(arguments)
    folder = folder_of(arguments)

    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.rotation import measure
    from cnnexp.visualize.rotation_chart import rotation_image

    first = -((arguments.filters - 1) // 2)
    filters = [arguments.step * (first + place) for place in range(arguments.filters)]
    degrees = [float(angle) for angle in range(-FARTHEST_DEGREES, FARTHEST_DEGREES + 1, EVERY_DEGREES)]
    training, _ = _digits("train", arguments.digit)
    result = measure(training, *_digits("test", arguments.digit), filters, degrees)
    title = f"{result.pictures} test digits {arguments.digit} of mnist5k, turned; filters: "
    title += f"the mean of {len(training)} others"
    path = write_png(rotation_image(result, title), folder / "rotation.png")
    if arguments.json:
        import json
        from dataclasses import asdict

        content = {key: value for key, value in asdict(result).items() if key != "template"}
        print(json.dumps({"title": title, **content, "picture": str(path)}, indent=2))
        return 0
    _print(result, title)
    print(path)
    return 0


def _refuse_numbers(arguments: argparse.Namespace) -> None:
    problems = []
    if not 0 <= arguments.digit <= 9:
        problems.append(f"--digit {arguments.digit}: expected a digit from 0 to 9")
    if not 1 <= arguments.filters <= MOST_FILTERS:
        problems.append(f"--filters {arguments.filters}: expected a number from 1 to {MOST_FILTERS}")
    if not 1 <= arguments.step <= 180:
        problems.append(f"--step {arguments.step:g}: expected degrees from 1 to 180")
    elif arguments.filters > 1 and arguments.filters * arguments.step > 360:
        most = int(360 // arguments.step)
        problems.append(
            f"--filters {arguments.filters} --step {arguments.step:g}: more than a full turn; "
            f"take at most {most} filters"
        )
    if problems:
        raise InputError(*problems)


def _digits(split: str, digit: int) -> tuple[Tensor, Tensor]:
    """Pictures of the digit, and of all others, (N, 1, 28, 28) of 0 to 1."""
    import torch

    from cnnexp.data.mnist5k import digits_of

    pictures, labels, _ = digits_of("train" if split == "train" else "test")
    scaled = torch.from_numpy(pictures)[:, None] / 255
    mine = torch.from_numpy(labels) == digit
    return scaled[mine], scaled[~mine]


def _print(result: RotationResult, title: str) -> None:
    print(f"{title}\n")
    print(f"{'rotated by / degrees':<26}" + "".join(f"{angle:>6}" for angle in PRINTED))
    for name, values in (
        ("the upright filter", result.single),
        (f"largest of {len(result.filter_degrees)}", result.largest),
    ):
        print(f"{name:<26}" + "".join(f"{_both_ways(result, values, angle):>6.2f}" for angle in PRINTED))
    print("\nMean correlation, of either direction. Above 80 % of that at 0 degrees:")
    for name, values in (("the upright filter", result.single), ("largest of all", result.largest)):
        width = result.width(values, PART)
        said = f"all that was measured, ±{FARTHEST_DEGREES}" if width is None else f"to ±{width:g} degrees"
        print(f"  {name:<22}{said}")
    print("\nThe price: other digits, upright, answer more too.")
    print(f"  {'the upright filter':<22}{result.others_single:.2f}")
    print(f"  {'largest of all':<22}{result.others_largest:.2f}")


def _both_ways(result: RotationResult, values: list[float], angle: float) -> float:
    return (values[result.degrees.index(angle)] + values[result.degrees.index(-angle)]) / 2

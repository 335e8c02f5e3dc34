"""``cnnexp visualize padding``: how often a kernel uses the corner, the edge and the middle of a picture."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.visualize.padding import Use

LINE = "how often each pixel is used, with valid, same and full padding"
EXAMPLE = """cnnexp visualize padding
  cnnexp visualize padding --input 7x9 --kernel 5 --stride 2"""
LARGEST = 512
MOST_PRINTED = 12
"""A side up to which the maps are printed; three of them fit beside each other up to about 8."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", metavar="HxW", default="7x7", help="of the picture [7x7]")
    parser.add_argument("--kernel", metavar="N|HxW", default="3", help="of the kernel [3]")
    parser.add_argument("--stride", type=int, metavar="N", default=1, help="in pixels [1]")
    parser.add_argument("--dilation", type=int, metavar="N", default=1, help="in pixels [1]")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    size, kernel = _sides("--input", arguments.input), _sides("--kernel", arguments.kernel)
    _refuse_numbers(arguments, size, kernel)
    folder = folder_of(arguments)

    from cnnexp.visualize.padding import kinds, padding_image
    from cnnexp.visualize.png import write_png

    uses = kinds(size, kernel, arguments.stride, arguments.dilation)
    title = f"a {kernel[0]}×{kernel[1]} kernel on {size[0]}×{size[1]} pixels, stride {arguments.stride}"
    if arguments.dilation > 1:
        title += f", dilation {arguments.dilation}"
    path = write_png(padding_image(uses, title), folder / "padding.png")
    if arguments.json:
        import json
        from dataclasses import asdict

        plain = [{**asdict(one), "counts": one.counts.tolist()} for one in uses]
        print(json.dumps({"title": title, "padding": plain, "picture": str(path)}, indent=2))
        return 0
    _print(uses, title)
    print(path)
    return 0


def _sides(name: str, text: str) -> tuple[int, int]:
    words = re.split("[xX×]", text)
    if len(words) > 2 or not all(word.isdecimal() and 1 <= int(word) <= LARGEST for word in words):
        raise InputError(f"{name} {text}: expected pixels from 1 to {LARGEST}, such as 7 or 7x9")
    return int(words[0]), int(words[-1])


def _refuse_numbers(arguments: argparse.Namespace, size: tuple[int, int], kernel: tuple[int, int]) -> None:
    problems = [
        f"--{name} {number}: expected a number from 1 to {LARGEST}"
        for name, number in (("stride", arguments.stride), ("dilation", arguments.dilation))
        if not 1 <= number <= LARGEST
    ]
    covered = [arguments.dilation * (side - 1) + 1 for side in kernel]
    if not problems and any(more > side for more, side in zip(covered, size, strict=True)):
        problems.append(
            f"--kernel {arguments.kernel}: covers {covered[0]}×{covered[1]} pixels, more than "
            f"--input {arguments.input}; take a smaller one"
        )
    if problems:
        raise InputError(*problems)


def _print(uses: Sequence[Use], title: str) -> None:
    from cnnexp.visualize.matrix import matrix_lines

    print(f"{title}: outputs that use a pixel\n")
    print(
        f"{'padding':<9}{'zeros: top, left':>18}{'bottom, right':>15}{'output':>9}{'corner':>8}{'edge':>6}{'middle':>8}"
    )
    for one in uses:
        before, after = (f"{zeros[0]}, {zeros[1]}" for zeros in (one.before, one.after))
        output = f"{one.output[0]}×{one.output[1]}"
        print(f"{one.name:<9}{before:>18}{after:>15}{output:>9}{one.corner:>8}{one.edge:>6}{one.middle:>8}")
    if max(uses[0].counts.shape) <= MOST_PRINTED:
        for one in uses:
            print(f"\n{one.name}:")
            print("\n".join(f"  {line}" for line in matrix_lines(one.counts)))
    print()

"""``cnnexp visualize stride``: a stride is the dense result sampled, at a fraction of the work."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.commands.given import Given, given, matrix, refuse_steps
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cnnexp.visualize.stride import Strided

LINE = "a stride is the dense result at every s-th place, and about 1/s² of the work"
EXAMPLE = """cnnexp visualize stride
  cnnexp visualize stride photo.jpg --stride 4
  cnnexp visualize stride '[[1,2,3],[5,6,7],[9,8,7]]' --kernel '[[1,0],[0,1]]'"""
USUAL_INPUT = (
    "[[2,3,7,4,6,2,9],[6,6,9,8,7,4,3],[3,4,8,3,8,9,7],[7,8,3,6,6,3,4],[4,2,1,8,3,4,6],[3,2,4,1,9,8,3],[0,1,3,9,2,1,4]]"
)
USUAL_KERNEL = "[[3,4,4],[1,0,2],[-1,0,3]]"
"""The 7×7 picture and the kernel of many courses."""
MOST_PRINTED = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "image", nargs="?", metavar="IMAGE", default=USUAL_INPUT, help="a picture or a matrix [the courses' 7x7 one]"
    )
    parser.add_argument("--kernel", metavar="[[…],[…]]", default=USUAL_KERNEL, help=f"[{USUAL_KERNEL}]")
    parser.add_argument("--stride", type=int, metavar="N", default=2, help="in pixels [2]")
    parser.add_argument("--padding", type=int, metavar="N", default=0, help="zeros around, in pixels [0]")
    parser.add_argument("--grey", action="store_true", help="on the picture in grey")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    refuse_steps(arguments.stride, arguments.padding)
    kernel = matrix(arguments.kernel, "--kernel ")
    folder = folder_of(arguments)
    source = given(arguments.image, arguments.grey)
    _refuse_large(kernel, source, arguments.padding)

    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.stride import stride_image, stride_over

    one = stride_over(source.values, kernel, arguments.stride, arguments.padding)
    notes = _lines(one)
    path = write_png(stride_image(one, source.typed, notes), folder / "stride.png")
    if arguments.json:
        _print_json(one, str(path))
        return 0
    _print_results(one, source.typed)
    print("\n".join([*notes, *source.notes, str(path)]))
    return 0


def _refuse_large(kernel: NDArray, source: Given, padding: int) -> None:  # type: ignore[type-arg]
    height, width = source.values.shape[1:]
    if kernel.shape[0] > height + 2 * padding or kernel.shape[1] > width + 2 * padding:
        raise InputError(
            f"--kernel {kernel.shape[0]}×{kernel.shape[1]}: larger than {source.name} of {height}×{width}"
            f"{f' with {padding} pixels around' if padding else ''}; take a smaller one, or more --padding"
        )


def _lines(one: Strided) -> list[str]:
    s, weights = one.stride, f"{one.kernel.size} weights"
    (_, height, width), (_, low, narrow) = one.dense.shape, one.strided.shape
    taken = ", ".join(str(1 + place * s) for place in range(min(3, max(low, narrow)))) + (", …" if low > 3 else "")
    cut = f", and {low}·{narrow} of {height}·{width} places {one.part:.1%}" if height % s or width % s else ""
    return [
        f"stride {s} takes rows and columns {taken} of the dense result:",
        f"the largest difference is {one.largest_difference:.1g}",
        f"multiply-adds, stride 1: {one.dense.size:,} places · {weights} = {one.dense_multiply_adds:,}",
        f"multiply-adds, stride {s}: {one.strided.size:,} places · {weights} = {one.strided_multiply_adds:,}",
        f"that is {one.part:.1%} of the work: 1/{s}² is {1 / s**2:.1%}{cut}",
    ]


def _print_results(one: Strided, typed: bool) -> None:
    from cnnexp.visualize.matrix import matrix_lines

    for name, values in (("stride 1", one.dense), (f"stride {one.stride}", one.strided)):
        shown = typed and max(values.shape[1:]) <= MOST_PRINTED
        print(f"{name}, {values.shape[1]}×{values.shape[2]}{':' if shown else ''}")
        if shown:
            print("\n".join(f"  {line}" for line in matrix_lines(values[0], 4)))
    print()


def _print_json(one: Strided, path: str) -> None:
    import json

    content = {
        "stride": one.stride,
        "padding": one.padding,
        "kernel": list(one.kernel.shape),
        "dense": list(one.dense.shape),
        "strided": list(one.strided.shape),
        "largest_difference": one.largest_difference,
        "dense_multiply_adds": one.dense_multiply_adds,
        "strided_multiply_adds": one.strided_multiply_adds,
        "part": one.part,
        "picture": path,
    }
    print(json.dumps(content, indent=2))

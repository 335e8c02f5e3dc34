"""``cnnexp visualize kernels``: classic kernels, or one of your own, on a picture or a matrix."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.commands.given import given, matrix, refuse_steps
from cnnexp.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cnnexp.visualize.kernels import Response

LINE = "classic kernels (edges, blur, template matching, your own) on a picture"
EXAMPLE = """cnnexp visualize kernels photo.jpg
  cnnexp visualize kernels photo.jpg --kernel '[[1,2,1],[0,0,0],[-1,-2,-1]]'
  cnnexp visualize kernels '[[1,2,3],[4,5,6],[7,8,9]]' --kernel '[[1,0],[0,1]]'"""
MOST_PRINTED = 12
"""A side up to which numbers are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="a picture, or a matrix such as [[1,2],[3,4]]")
    parser.add_argument("--kernel", metavar="[[…],[…]]", default=None, help="your own, in place of the classic ones")
    parser.add_argument("--stride", type=int, metavar="N", default=1, help="in pixels [1]")
    parser.add_argument("--padding", type=int, metavar="N", default=0, help="zeros around, in pixels [0]")
    parser.add_argument("--grey", action="store_true", help="on the picture in grey")
    parser.add_argument(
        "--template", metavar="ROW,COLUMN,SIDE", default=None, help="what is looked for [the busiest part]"
    )
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    refuse_steps(arguments.stride, arguments.padding)
    kernel = None if arguments.kernel is None else matrix(arguments.kernel, "--kernel ")
    folder = folder_of(arguments)
    source = given(arguments.image, arguments.grey)
    picture = source.values
    template = None if arguments.template is None else _template(arguments.template, picture.shape[1:])

    from cnnexp.visualize import kernels
    from cnnexp.visualize.png import write_png

    scale = kernels.scale_of(picture) if source.typed else kernels.OF_PICTURES
    used = kernels.KERNELS if kernel is None else {"your kernel": kernel}
    _refuse_large(used, picture.shape[1:], arguments.padding)
    responses = [
        kernels.respond(picture, name, one, arguments.stride, arguments.padding, scale) for name, one in used.items()
    ]
    if kernel is None or template is not None:
        side = max(2, min(picture.shape[1:]) // 6)
        row, column, side = template or (*kernels.busiest_place(picture, side), side)
        responses.append(kernels.match_template(picture, (row, column), side, scale))
    notes = [f"{kernels.CONVENTION}; the kernel is not turned around", *source.notes]
    path = write_png(
        kernels.sheet(picture, responses, scale=scale, written=source.typed, notes=notes), folder / "kernels.png"
    )
    _print(responses)
    print(
        "\n" + "\n".join([kernels.CONVENTION, "(a cross-correlation: the kernel is not turned around)", *source.notes])
    )
    print(f"{path}: {source.name} and what the kernels make of it")
    return 0


def _template(text: str, size: tuple[int, ...]) -> tuple[int, int, int]:
    words = text.split(",")
    if len(words) != 3 or not all(word.strip().isdecimal() for word in words):
        raise InputError(f"--template {text}: expected row, column and side in pixels, such as 40,60,32")
    row, column, side = (int(word) for word in words)
    if side < 2 or row + side > size[0] or column + side > size[1]:
        raise InputError(
            f"--template {text}: does not lie in the picture of {size[0]}×{size[1]}; its side is at least 2"
        )
    return row, column, side


def _refuse_large(kernels: dict[str, NDArray[np.float64]], size: tuple[int, ...], padding: int) -> None:
    problems = [
        f"{name}, {kernel.shape[0]}×{kernel.shape[1]}: larger than the picture of {size[0]}×{size[1]}"
        f"{f' with {padding} pixels around' if padding else ''}; take a larger picture"
        for name, kernel in kernels.items()
        if any(side + 2 * padding < of_kernel for side, of_kernel in zip(size, kernel.shape, strict=True))
    ]
    if problems:
        raise InputError(*problems[:1])


def _print(responses: list[Response]) -> None:
    from cnnexp.visualize.matrix import figure, matrix_lines

    print(f"{'kernel':<36}{'size':>7}{'output':>11}{'smallest':>11}{'largest':>11}")
    for one in responses:
        height, width = one.output.shape[1:]
        size = f"{one.kernel.shape[0]}×{one.kernel.shape[1]}"
        low, high = figure(float(one.output.min())), figure(float(one.output.max()))
        print(f"{one.name:<36}{size:>7}{f'{height}×{width}':>11}{low:>11}{high:>11}")
    small = [one for one in responses if max(one.output.shape[1:]) <= MOST_PRINTED and one.output.shape[0] == 1]
    for one in small:
        print(f"\n{one.name}:")
        print("\n".join(f"  {line}" for line in matrix_lines(one.output[0], 4)))

"""``cnnexp visualize pooling``: windows of a matrix or a picture summed up, or a row of detectors that moves."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.commands.given import Given, given, is_vector, vector
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.visualize.pooling import Array, ShiftedRow, Window

LINE = "max, average and L2 pooling, window by window, and of a row that moves"
EXAMPLE = """cnnexp visualize pooling '[[1,3,2,1],[2,9,1,1],[1,3,2,3],[5,6,1,2]]'
  cnnexp visualize pooling '[[1,3,2],[2,9,1],[1,3,2]]' --stride 1 --kind max
  cnnexp visualize pooling '[0.1,1,0.2,0.1]' --kind max
  cnnexp visualize pooling photo.jpg --kernel 8 --stride 8"""
LARGEST = 400
MOST_DETECTORS = 8
MOST_PRINTED = 16
"""A side up to which a matrix is printed, and a number of windows up to which they are listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="a picture, a matrix [[1,2],[3,4]], or a row [0.1,1,0.2,0.1]")
    parser.add_argument("--kind", metavar="A,B", default="max,average,l2", help="[max,average,l2]")
    parser.add_argument("--kernel", type=int, metavar="N", default=None, help="side of a window [2; 3 in a row]")
    parser.add_argument("--stride", type=int, metavar="N", default=None, help="between windows [2; 1 in a row]")
    parser.add_argument("--shift", type=int, metavar="N", default=None, help="places that a row moves right [1]")
    parser.add_argument("--entering", metavar="X,X", default=None, help="values that come into a row [0.3]")
    parser.add_argument("--grey", action="store_true", help="of the picture in grey")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    kinds = _kinds(arguments.kind)
    in_row = is_vector(arguments.image)
    kernel = arguments.kernel if arguments.kernel is not None else 3 if in_row else 2
    stride = arguments.stride if arguments.stride is not None else 1 if in_row else 2
    _refuse_numbers(kernel, stride, arguments, in_row)
    folder = folder_of(arguments)
    if in_row:
        return _of_row(arguments, kinds, kernel, stride, folder)
    source = given(arguments.image, arguments.grey)
    height, width = source.values.shape[1:]
    if kernel > min(height, width):
        raise InputError(f"--kernel {kernel}: larger than {source.name} of {height}×{width}; take a smaller one")
    if source.typed:
        return _of_matrix(source.values[0], kinds, kernel, stride, folder, as_json=arguments.json)
    return _of_picture(source, kinds, kernel, stride, folder, as_json=arguments.json)


def _kinds(text: str) -> list[str]:
    known = ("max", "average", "l2")
    kinds = list(dict.fromkeys(text.split(",")))
    wrong = [kind for kind in kinds if kind not in known]
    if wrong:
        raise InputError(f"--kind {text}: there is no pooling {wrong[0]!r}; take max, average or l2")
    return kinds


def _refuse_numbers(kernel: int, stride: int, arguments: argparse.Namespace, in_row: bool) -> None:
    problems = [
        f"--{name} {number}: expected a number from 1 to {LARGEST}"
        for name, number in (("kernel", kernel), ("stride", stride))
        if not 1 <= number <= LARGEST
    ]
    if not in_row:
        problems += [
            f"--{name}: it is a row that moves, such as [0.1,1,0.2,0.1]"
            for name in ("shift", "entering")
            if getattr(arguments, name) is not None
        ]
    if problems:
        raise InputError(*problems)


def _of_matrix(matrix: Array, kinds: Sequence[str], kernel: int, stride: int, folder: Path, *, as_json: bool) -> int:
    from cnnexp.visualize import pooling
    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.pooling_page import matrix_page

    found = pooling.windows(matrix, kernel, stride)
    results = {kind: pooling.pooled(matrix[None], pooling.KINDS[kind], kernel, stride)[0] for kind in kinds}
    title = f"{kernel}×{kernel} windows at stride {stride} of a {matrix.shape[0]}×{matrix.shape[1]} matrix"
    notes = [f"{kind}: {pooling.FORMULAS[kind]}" for kind in kinds]
    if max(matrix.shape) <= MOST_PRINTED:
        image = matrix_page(matrix, found, results, title, notes)
    else:
        image = _pixels_page(matrix[None], {kind: one[None] for kind, one in results.items()}, title)
    path = write_png(image, folder / "pooling.png")
    if as_json:
        _dump({"kernel": kernel, "stride": stride, **{k: v.tolist() for k, v in results.items()}, "picture": str(path)})
        return 0
    print(f"{title}\n")
    _print_windows(matrix, found, results, stride >= kernel)
    _print_left_over(matrix.shape, kernel, stride)
    print(path)
    return 0


def _print_windows(matrix: Array, found: Sequence[Window], results: dict[str, Array], apart: bool) -> None:
    from cnnexp.visualize.matrix import figure, matrix_lines
    from cnnexp.visualize.pooling import FORMULAS
    from cnnexp.visualize.pooling_text import divided_lines

    if apart and max(matrix.shape) <= MOST_PRINTED:
        print("\n".join(f"  {line}" for line in divided_lines(matrix, found)) + "\n")
    if len(found) <= MOST_PRINTED:
        l2 = "l2" in results
        print(
            f"{'rows':<8}{'columns':<10}" + "".join(f"{k:>10}" for k in results) + (f"{'√(Σx²/n)':>12}" if l2 else "")
        )
        for place, one in enumerate(found):
            rows, columns = (f"{at + 1}-{at + one.values.shape[0]}" for at in (one.top, one.left))
            cells = "".join(f"{figure(float(values.flat[place]), 4):>10}" for values in results.values())
            last = f"{figure(one.mean_square_root, 4):>12}" if l2 else ""
            print(f"{rows:<8}{columns:<10}{cells}{last}")
        print()
    for kind, values in results.items():
        print(f"{kind}: {FORMULAS[kind]}")
        if max(values.shape) <= MOST_PRINTED:
            print("\n".join(f"  {line}" for line in matrix_lines(values, 4)))
    if "l2" in results:
        n = found[0].values.size
        print(f"\nSome write L2 pooling with a mean, √(Σ x² / n): here that is l2 / √{n}.")


def _print_left_over(shape: Sequence[int], kernel: int, stride: int) -> None:
    from cnnexp.visualize.pooling import left_over

    for side, name in zip(shape, ("row", "column"), strict=True):
        if rest := left_over(side, kernel, stride):
            print(f"The last {f'{rest} {name}s lie' if rest > 1 else f'{name} lies'} in no whole window.")


def _of_picture(source: Given, kinds: Sequence[str], kernel: int, stride: int, folder: Path, *, as_json: bool) -> int:
    from cnnexp.visualize import pooling
    from cnnexp.visualize.matrix import figure
    from cnnexp.visualize.png import write_png

    results = {kind: pooling.pooled(source.values, pooling.KINDS[kind], kernel, stride) for kind in kinds}
    title = f"{kernel}×{kernel} windows at stride {stride}"
    path = write_png(_pixels_page(source.values, results, title), folder / "pooling.png")
    sizes = {
        kind: {"output": list(one.shape), "smallest": one.min(), "largest": one.max()} for kind, one in results.items()
    }
    if as_json:
        _dump({"kernel": kernel, "stride": stride, **sizes, "picture": str(path)})
        return 0
    print(f"{source.name}, {source.values.shape[1]}×{source.values.shape[2]}: {title}\n")
    print(f"{'':<10}{'output':>11}{'smallest':>11}{'largest':>11}")
    for kind, one in results.items():
        low, high = figure(float(one.min()), 4), figure(float(one.max()), 4)
        print(f"{kind:<10}{f'{one.shape[1]}×{one.shape[2]}':>11}{low:>11}{high:>11}")
    print("\n".join(["", *source.notes, str(path)]))
    return 0


def _pixels_page(values: Array, results: dict[str, Array], title: str) -> Any:
    from cnnexp.visualize.kernels import on_scale, scale_of
    from cnnexp.visualize.matrix import figure
    from cnnexp.visualize.pooling_page import picture_page

    own = (0.0, 255.0) if values.min() >= 0 and 1 < values.max() <= 255 else scale_of(values)
    shown, lines = {}, {}
    for kind, one in results.items():
        scale = (min(0.0, float(one.min())), float(one.max())) if kind == "l2" else own
        shown[kind] = on_scale(one, scale)
        lines[kind] = f"{one.shape[1]}×{one.shape[2]}, black {figure(scale[0])}, white {figure(scale[1])}"
    return picture_page(on_scale(values, own), shown, lines, title)


def _of_row(arguments: argparse.Namespace, kinds: Sequence[str], kernel: int, stride: int, folder: Path) -> int:
    detectors = vector(arguments.image, MOST_DETECTORS)
    by = 1 if arguments.shift is None else arguments.shift
    if len(detectors) < 2 or not 1 <= by < len(detectors):
        raise InputError(
            f"--shift {by}: a row of {len(detectors)} moves by 1 to {len(detectors) - 1} places; "
            "take a longer row or a smaller shift"
        )

    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.pooling import BOOK_ENTERING, KINDS, shift_row
    from cnnexp.visualize.pooling_page import row_page

    entering = [BOOK_ENTERING] if arguments.entering is None else _entering(arguments.entering, by)
    rows = [shift_row(detectors, KINDS[kind], kernel, stride, by, entering) for kind in kinds]
    path = write_png(row_page(rows, by), folder / "pooling.png")
    if arguments.json:
        _dump(
            {
                "kernel": kernel,
                "stride": stride,
                "shift": by,
                "rows": [_as_plain(row) for row in rows],
                "picture": str(path),
            }
        )
        return 0
    _print_rows(rows, kernel, stride, by)
    print(path)
    return 0


def _entering(text: str, by: int) -> list[float]:
    values = vector(f"[{text}]", MOST_DETECTORS).tolist()
    if len(values) not in (1, by):
        raise InputError(f"--entering {text}: {len(values)} values for a shift by {by}; give one, or {by}")
    return values


def _as_plain(row: ShiftedRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        **{
            name: {"detectors": one.detectors.tolist(), "pooled": one.pooled.tolist()}
            for name, one in (("before", row.before), ("after", row.after))
        },
        "changed_detectors": int(row.changed_detectors.sum()),
        "changed_pooled": int(row.changed_pooled.sum()),
    }


def _print_rows(rows: Sequence[ShiftedRow], kernel: int, stride: int, by: int) -> None:
    from cnnexp.visualize.pooling_text import row_lines

    print(f"windows of {kernel} around every {f'{_ordinal(stride)} ' if stride > 1 else ''}detector, cut at the ends\n")
    for row in rows:
        print("\n".join(row_lines(row, by)) + "\n")


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _dump(content: dict[str, Any]) -> None:
    import json

    print(json.dumps(content, indent=2))

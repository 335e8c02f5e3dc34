"""Which boxes of a data set can be used, told from the headers of its pictures, before any is decoded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from cnnexp.data import decoded_cache
from cnnexp.data.census import BOXES, Census
from cnnexp.data.samples import SLOW_DECODE_S, SMALLEST_BOX, Sample
from cnnexp.errors import InputError
from cnnexp.inputs.opened_files import Size, upright_size

SWAPPED = "with their corners swapped"
EMPTY = "without any area"
OUTSIDE = "outside of their picture"
SMALL = "of a pixel or less"
_HELP = {SWAPPED: "written as x2 y1 …, where the first corner has to be that of the smaller numbers; swap them"}
_SURE = 1 / 16
"""Part of a side; a box of more is larger than a pixel in any picture that is one."""


def count_boxes(samples: Iterable[Sample], census: Census) -> int:
    """Enter the boxes that are used and those that are left out, and why.

    Returns:
        How many are used.
    """
    boxed = [sample for sample in samples if sample.boxes]
    sizes = _sizes([sample.picture for sample in boxed if _needs_size(sample)])
    used = 0
    for sample in boxed:
        height, width = sizes.get(sample.picture, (0, 0))
        for box in sample.boxes:
            problem = box_problem(box, width, height, relative=sample.relative)
            if problem is None:
                used += 1
            else:
                census.leave_out(BOXES, problem, sample.name, help=_HELP.get(problem, ""))
    census.use(BOXES, used)
    return used


def box_problem(box: Sequence[float], width: int, height: int, *, relative: bool) -> str | None:
    """Why a box cannot be used, None where it can; what only a picture's size tells is not asked where that is 0."""
    x1, y1, x2, y2 = (
        (edge * side for edge, side in zip(box, (width, height) * 2, strict=True)) if relative and width else box
    )
    if x2 < x1 or y2 < y1:
        return SWAPPED
    if not all(map(math.isfinite, (x1, y1, x2, y2))) or x2 == x1 or y2 == y1:
        return EMPTY
    if not width:
        return None
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return OUTSIDE
    across, down = min(x2, width) - max(x1, 0), min(y2, height) - max(y1, 0)
    return None if min(across, down) > SMALLEST_BOX else SMALL


def _needs_size(sample: Sample) -> bool:
    if not sample.relative:
        return True
    return any(min(x2, 1) - max(x1, 0) < _SURE or min(y2, 1) - max(y1, 0) < _SURE for x1, y1, x2, y2 in sample.boxes)


def _sizes(paths: Sequence[Path]) -> dict[Path, Size]:
    """Height and width of each picture, without those that cannot be read; kept for the next run where it took long."""
    if not paths:
        return {}
    key = decoded_cache.key_of(paths, "sizes")
    kept = decoded_cache.load(key)
    if kept is None:
        start = perf_counter()
        kept = {"size": np.array([_size(path) for path in paths], np.int64)}  # threads would wait for each other
        if perf_counter() - start > SLOW_DECODE_S:
            decoded_cache.save(key, kept)
    rows = kept["size"].tolist()
    return {path: (height, width) for path, (height, width) in zip(paths, rows, strict=True) if height}


def _size(path: Path) -> Size:
    try:
        return upright_size(path)
    except InputError:  # said with its name when it is decoded
        return 0, 0

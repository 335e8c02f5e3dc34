"""The segmentations of COCO's format: outlines, and run-length codes as numbers or as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cnnexp.data.drawn_masks import Region, fills, outlined_box, packed
from cnnexp.data.samples import Box
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size

_FEWEST = 6
"""Numbers of an outline with three points."""


def read_region(where: str, note: Mapping[str, Any], value: int = 0) -> Region | None:
    """The region of an annotation; None where it has none, or no outline of three points or more.

    Args:
        where: the annotation, for messages. value: of its class in the mask.

    Raises:
        InputError: the segmentation is in none of COCO's forms.
    """
    given = note.get("segmentation")
    if not given:
        return None
    if isinstance(given, dict):
        return Region(value, runs=_runs(where, given))
    outlines = [given] if isinstance(given, list) and isinstance(given[0], (int, float)) else given
    if not isinstance(outlines, list) or not all(isinstance(one, list) for one in outlines):
        raise InputError(f"{where}: its segmentation is neither a list of outlines nor a run-length code")
    parts = tuple(_outline(where, one) for one in outlines if len(one) >= _FEWEST)
    return Region(value, parts) if parts else None


def box_around(region: Region) -> Box:
    """x1 y1 x2 y2 around a region."""
    if region.runs is None:
        return outlined_box(region.outlines)
    from faster_coco_eval.core import mask as coder

    size, counts = region.runs
    x, y, width, height = coder.toBbox([{"size": list(size), "counts": counts}])[0].tolist()
    return x, y, x + width, y + height


def stated_size(image: Mapping[str, Any]) -> Size | None:
    """Height and width of an entry of ``images``, where it has both."""
    height, width = image.get("height"), image.get("width")
    if isinstance(height, (int, float)) and isinstance(width, (int, float)) and height > 0 and width > 0:
        return int(height), int(width)
    return None


def _outline(where: str, numbers: Sequence[Any]) -> bytes:
    try:
        found = [float(one) for one in numbers]
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: an outline of its segmentation holds something other than numbers") from error
    if len(found) % 2 or not all(map(math.isfinite, found)):
        raise InputError(f"{where}: an outline of its segmentation is not x y, x y, ...")
    return packed(found)


def _runs(where: str, given: Mapping[str, Any]) -> tuple[Size, bytes]:
    from faster_coco_eval.core import mask as coder

    counts = given.get("counts")
    try:
        height, width = (int(one) for one in given["size"])
        if isinstance(counts, list):
            if min(counts, default=-1) < 0 or sum(counts) != height * width:
                raise ValueError("its runs are not the pixels of its size")
            counts = coder.frPyObjects([{"size": [height, width], "counts": counts}], height, width)[0]["counts"]
        elif isinstance(counts, str):
            counts = counts.encode("ascii")
        if not isinstance(counts, bytes) or min(height, width) < 1:
            raise ValueError("it takes 'size' and 'counts'")
        if not fills((height, width), counts):
            raise ValueError("its runs are not the pixels of its size")
    except (KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InputError(f"{where}: its segmentation is no run-length code ({error})") from error
    return (height, width), counts

"""A person's picture files looked at before the first step: their names, their range, and which cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from cnnexp.data import decoded_cache
from cnnexp.data.samples import THREADS, Sample
from cnnexp.errors import InputError
from cnnexp.inputs.mask_files import colours_in
from cnnexp.inputs.opened_files import named_errors, opened_file
from cnnexp.inputs.picture_files import numbers_in, read_picture

_EIGHT_BITS = frozenset({".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".heic", ".heif"})
"""Formats that have no more."""


def refuse_unnameable(paths: Sequence[Path]) -> None:
    """Names are written down in a run's record, which is UTF-8.

    Raises:
        InputError: the bytes of a name are none.
    """
    bad = [path for path in paths if any("\ud800" <= letter <= "\udfff" for letter in str(path))]
    if bad:
        shown = os.fsencode(bad[0]).decode("utf-8", "backslashreplace")
        more = f" ({len(bad)} such files)" if len(bad) > 1 else ""
        raise InputError(f"{shown}: the name is not UTF-8, so that no record can hold it; rename the file{more}")


def range_of(pictures: Sequence[Path], channels: int) -> tuple[float, float] | None:
    """The lowest number, at most 0, and the highest one of all files of more than 8 bits; None where there are none.

    What is found is kept in the cache folder until a file changes.

    Raises:
        InputError: a file is missing or broken; or all numbers are 0.
    """
    deep = [path for path in pictures if path.suffix.lower() not in _EIGHT_BITS]
    if not deep:
        return None
    ends = _looked_at(deep, f"range, {channels} channels", lambda path: _ends(path, channels))
    known = ends[~np.isnan(ends[:, 0])]
    if not len(known):
        return None
    low, high = min(0.0, float(known[:, 0].min())), float(known[:, 1].max())
    if high <= low:
        raise InputError(f"{deep[0].parent}: the pictures of more than 8 bits hold nothing but 0")
    return low, high


def unreadable_ones(samples: Sequence[Sample], channels: int) -> dict[int, str]:
    """The places of samples of which a file cannot be decoded, with the line for it; every file is decoded for that,
    once until it changes."""
    files = list(dict.fromkeys(path for one in samples for path in (one.picture, one.mask) if path is not None))
    masks = {one.mask for one in samples}
    lines: dict[Path, str] = {}

    def look(path: Path) -> list[float]:
        try:
            _decode_mask(path) if path in masks else read_picture(path, None, channels)
        except InputError as error:
            lines[path] = error.lines[0]
            return [0.0]
        return [1.0]

    good = _looked_at(files, f"readable, {channels} channels", look)
    bad = {path for path, (one,) in zip(files, good.tolist(), strict=True) if not one}
    found = {}
    for place, sample in enumerate(samples):
        broken = next((path for path in (sample.picture, sample.mask) if path in bad), None)
        if broken is not None:
            found[place] = lines.get(broken, f"{broken}: not a readable picture")
    return found


def _decode_mask(path: Path) -> None:
    with named_errors(path), opened_file(path) as opened:
        opened.load()
        colours_in(opened, path)


def _ends(path: Path, channels: int) -> list[float]:
    numbers = numbers_in(path, channels)
    if numbers is None:
        return [np.nan, np.nan]
    finite = numbers[np.isfinite(numbers)]
    return [float(finite.min()), float(finite.max())] if finite.size else [np.nan, np.nan]


def _looked_at(files: Sequence[Path], how: str, look: Callable[[Path], list[float]]) -> np.ndarray[Any, Any]:
    """What ``look`` says of each file (N, M)."""
    key = decoded_cache.key_of(files, how)
    found = decoded_cache.load(key)
    if found is None:
        pool = ThreadPoolExecutor(THREADS)
        try:
            found = {"found": np.array(list(pool.map(look, files)), np.float64)}
        finally:
            pool.shutdown(cancel_futures=True)
        decoded_cache.save(key, found)
    return found["found"]

"""A person's volumes and masks held against each other by their headers, and the values of the masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.data import decoded_cache
from cnnexp.data.mask_scan import Values
from cnnexp.data.samples import THREADS, Sample
from cnnexp.errors import InputError
from cnnexp.inputs.volume_files import Header, header_of, read_labels

_APART_VOXELS = 0.5
"""A mask whose corners lie farther than this from those of its volume is of another place."""


def headers_of(samples: Sequence[Sample], channels: int) -> list[Header]:
    """The headers of all volumes, which have so many channels, and each the size and place of its mask.

    Raises:
        InputError: one does not; the line names the first.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        volumes = list(pool.map(lambda sample: header_of(sample.picture), samples))
        masks = list(pool.map(lambda sample: None if sample.mask is None else header_of(sample.mask), samples))
    for sample, volume, mask in zip(samples, volumes, masks, strict=True):
        if volume.channels != channels:
            raise InputError(
                f"{sample.picture}: {_shown(volume.size)} voxels of {volume.channels} channels (4-D) and "
                f"data.channels={channels}; set data.channels={volume.channels}"
            )
        if mask is not None:
            _refuse_elsewhere(sample, volume, mask)
    return volumes


def said_of(headers: Sequence[Header], size: Sequence[int]) -> list[str]:
    """Sentences on sizes that are brought to one, and on the spacing."""
    lines = []
    sizes = Counter(one.size for one in headers)
    other = sum(count for one, count in sizes.items() if one != tuple(size))
    if other:
        ends = f"{_shown(min(sizes))} to {_shown(max(sizes))}" if len(sizes) > 1 else _shown(next(iter(sizes)))
        lines.append(
            f"{other:,} of {len(headers):,} volumes are of other sizes ({ends}): cut or filled up around their "
            f"centres to data.volume_size=[{','.join(map(str, size))}]; what is filled up counts for nothing"
        )
    spacings = Counter(tuple(round(side, 3) for side in one.spacing) for one in headers if all(one.spacing))
    if spacings:
        named = ", ".join(f"{'×'.join(f'{side:g}' for side in one)} mm" for one, _ in spacings.most_common(3))
        more = f" and {len(spacings) - 3} more; volumes are not resampled" if len(spacings) > 3 else ""
        several = "; volumes are not resampled" if 1 < len(spacings) <= 3 else ""
        lines.append(f"voxels of {named}{more}{several}")
    return lines


def values_of_volumes(masks: Sequence[Path]) -> Values:
    """Voxels by value, of all masks; what is found is kept in the cache folder until a file changes.

    Raises:
        InputError: a mask is missing or broken, or holds no whole numbers from 0 to 255.
    """
    counts = looked_at(
        masks, "values of volumes", lambda path: np.bincount(read_labels(path)[0].ravel(), minlength=256)
    )
    total = counts.sum(0)
    values = np.flatnonzero(total)
    return Values(values, total[values], total[values], False, False)


def looked_at(files: Sequence[Path], how: str, look: Callable[[Path], Any]) -> NDArray[np.int64]:
    """What ``look`` says of each file (N, M), int64; kept in the cache folder until a file changes."""
    key = decoded_cache.key_of(files, how)
    found = decoded_cache.load(key)
    if found is None:
        with ThreadPoolExecutor(THREADS) as pool:
            found = {"found": np.array(list(pool.map(look, files)), np.int64)}
        decoded_cache.save(key, found)
    return found["found"]


def _refuse_elsewhere(sample: Sample, volume: Header, mask: Header) -> None:
    if mask.size != volume.size:
        raise InputError(
            f"{sample.mask}: the mask has {_shown(mask.size)} voxels and its volume {sample.picture.name} "
            f"{_shown(volume.size)} (depth × height × width); they must be of one size"
        )
    if volume.affine is None or mask.affine is None:
        return
    depth, height, width = volume.size
    corners = np.array([[x, y, z, 1] for x in (0, width - 1) for y in (0, height - 1) for z in (0, depth - 1)]).T
    apart = np.linalg.norm(((volume.affine - mask.affine) @ corners)[:3], axis=0).max()
    least = np.linalg.norm(volume.affine[:3, :3], axis=0).min()
    if not apart <= _APART_VOXELS * least:
        raise InputError(
            f"{sample.mask}: by its affine it lies elsewhere than its volume {sample.picture.name}, {apart:.3g} mm "
            "away at a corner; give it the volume's affine"
        )


def _shown(size: Sequence[int]) -> str:
    return "×".join(map(str, size))

"""Masks held against the sizes of their pictures, before anything is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cnnexp.data import decoded_cache
from cnnexp.data.samples import THREADS, Sample
from cnnexp.errors import InputError
from cnnexp.inputs.mask_files import LYING, alike
from cnnexp.inputs.opened_files import upright_size


def refuse_sizes(samples: Sequence[Sample]) -> str | None:
    """Look at the sizes of all pictures and masks, upright; kept in the cache folder until a file changes.

    Returns:
        A line for masks that are of another size than their pictures and of the same shape; None where there are none.

    Raises:
        InputError: a mask is of another shape; the line names the first, and how many there are.
    """
    pairs = [(sample.picture, sample.mask) for sample in samples if sample.mask is not None]
    files = [path for pair in pairs for path in pair]
    key = decoded_cache.key_of(files, "sizes upright")
    found = decoded_cache.load(key)
    if found is None:
        with ThreadPoolExecutor(THREADS) as pool:
            found = {"sizes": np.array(list(pool.map(upright_size, files)), np.int64).reshape(-1, 2, 2)}
        decoded_cache.save(key, found)
    sizes = [((a, b), (c, d)) for (a, b), (c, d) in found["sizes"].tolist()]
    other = [place for place, (picture, mask) in enumerate(sizes) if not alike(mask, picture)]
    if other:
        picture, mask = sizes[other[0]]
        lying = f"; {LYING}" if alike(mask, picture[::-1]) else ""
        raise InputError(
            f"{pairs[other[0]][1]}: the mask has {mask[1]}×{mask[0]} pixels and its picture {pairs[other[0]][0].name} "
            f"{picture[1]}×{picture[0]}; they must be of one size, or of one shape ({len(other)} such){lying}"
        )
    scaled = [place for place, (picture, mask) in enumerate(sizes) if mask != picture]
    if not scaled:
        return None
    picture, mask = sizes[scaled[0]]
    return (
        f"{len(scaled)} of {len(pairs)} masks are of another size than their pictures, {mask[1]}×{mask[0]} for "
        f"{picture[1]}×{picture[0]}: resized by nearest neighbour"
    )

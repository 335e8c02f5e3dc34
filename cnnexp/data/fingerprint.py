"""What tells one data set from another: the samples of a split with their sizes, truths and contents, in hashes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from cnnexp.data.base import Origin, Split, TensorSplit
from cnnexp.data.folded import origins_of
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import walk

Depth = Literal["contents", "sizes", "names"]
"""How closely it is looked at: contents of files, or their sizes, or neither (for file systems that are slow)."""

MOST_BYTES = 256_000_000
"""A data set of up to so many bytes is hashed whole where nobody says otherwise."""
DIGITS = 16
"""Of a sample's hash, hexadecimal: 64 bits tell whether it changed."""
UNREAD = "?"
"""Begins the truth of a sample whose mask was not read: its size alone, or nothing, is behind it."""
_THREADS = min(4, os.cpu_count() or 1)  # reading and hashing happen outside the interpreter lock


@dataclass(frozen=True)
class Listing:
    """The samples of a split in its order, a list for each thing that is known of them.

    Attributes:
        names: None where samples have none. sizes: of their files in bytes.
        truths: numbers of classes, or hashes of boxes or masks; None for a sample of which nothing is known.
        digests: of their files' contents.
        whole, form: of a split in memory that comes from no files of its own: a hash of all its numbers, and what
            they are.
    """

    count: int
    names: list[str] | None
    sizes: list[int] | None = None
    truths: list[int | str | None] | None = None
    digests: list[str] | None = None
    whole: str | None = None
    form: str | None = None


def listed(split: Split, classes: Sequence[str], depth: Depth) -> Listing:
    """The listing of a split that was loaded.

    Args:
        classes: names of the classes.

    Raises:
        InputError: a file is not there any more.
    """
    names, origins = None if split.names is None else list(split.names), origins_of(split)
    if origins is not None:
        return listed_files(names, origins, classes, depth)
    labels = split.labels_for_strata()
    truths = None if labels is None else labels.tolist()
    if not isinstance(split, TensorSplit):
        return Listing(len(split), names, truths=truths)
    numbers = {**split.tensors, **{key: torch.cat(list(value)) for key, value in split.ragged.items() if len(value)}}
    form = ", ".join(f"{key} {one.dtype} {tuple(one.shape[1:])}" for key, one in sorted(numbers.items()))
    whole = _hash_of_tensors(numbers) if depth == "contents" else None
    return Listing(len(split), names, truths=truths, whole=whole, form=form)


def listed_files(
    names: Sequence[str] | None, origins: Sequence[Origin], classes: Sequence[str], depth: Depth
) -> Listing:
    """The listing of samples that are read from files, without decoding them.

    Raises:
        InputError: a file is not there any more.
    """
    pictures, masks = [one.picture for one in origins], [one.mask for one in origins]
    known = [one.truth(classes) for one in origins]
    truths: list[int | str | None] = [short_hash(one.encode()) if isinstance(one, str) else one for one in known]
    truths = [
        truth if mask is None else _with_mask(truth, mask, depth) for truth, mask in zip(truths, masks, strict=True)
    ]
    sizes = None if depth == "names" else [_size(path) for path in pictures]
    digests = _digests(pictures) if depth == "contents" else None
    listed_names = [one.name for one in origins] if names is None else list(names)
    return Listing(len(origins), listed_names, sizes, truths, digests)


def depth_of(splits: Iterable[Split], wished: str) -> Depth:
    """How closely to look at a data set: as wished, or for ``auto`` as its size allows.

    Raises:
        InputError: a file is not there any more.
    """
    if wished in ("contents", "names"):
        return "contents" if wished == "contents" else "names"
    total = 0
    for split in splits:
        total += _bytes_of(split)
        if total > MOST_BYTES:
            return "sizes"
    return "contents"


def short_hash(content: bytes) -> str:
    """Enough of a sha256 to tell whether something changed."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _with_mask(truth: int | str | None, mask: Path, depth: Depth) -> str:
    if depth == "names":
        return UNREAD
    if depth == "sizes":
        return UNREAD + short_hash(f"{truth} {_size(mask)}".encode())
    return short_hash(f"{truth} {_digest(mask)}".encode())


def _bytes_of(split: Split) -> int:
    origins = origins_of(split)
    if origins is not None:
        return sum(_size(path) for one in origins for path in (one.picture, one.mask) if path is not None)
    if isinstance(split, TensorSplit):
        parts = [*split.tensors.values(), *(one for value in split.ragged.values() for one in value)]
        return sum(one.numel() * one.element_size() for one in parts)
    return 0


def _hash_of_tensors(tensors: dict[str, Tensor]) -> str:
    total = hashlib.sha256()
    for key, one in sorted(tensors.items()):
        total.update(f"{key} {one.dtype} {tuple(one.shape)}\n".encode())
        total.update(one.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _digests(paths: Sequence[Path]) -> list[str]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_digest, paths))


def _digest(path: Path) -> str:
    try:
        if path.is_dir():  # the frames of a clip
            return short_hash("".join(f"{one.name} {_digest(one)}\n" for one in walk(path, deep=False).files).encode())
        return short_hash(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _size(path: Path) -> int:
    try:
        return sum(map(_size, walk(path, deep=False).files)) if path.is_dir() else path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error

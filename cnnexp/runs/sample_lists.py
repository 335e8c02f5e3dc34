"""samples.json.gz: the lists of data.json where samples are so many that they would make it unwieldy."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnexp.runs.atomic import write_bytes
from cnnexp.runs.read import read_bytes

LISTS = "samples.json.gz"
MOST_BYTES, MOST_UNPACKED = 250_000_000, 1_000_000_000
"""Of the file, and of its text, as a stranger's may unpack to a thousand times its size: with digests the 1.2 million
samples of ImageNet are 24 and 81 MB."""
_FASTEST = 1  # a tenth larger than zlib's usual level, in a quarter of the time


def write_lists(folder: Path, splits: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Write the lists of each split, the same bytes for the same lists.

    Returns:
        Their sha256; None where they are too large to be kept.
    """
    text = json.dumps(splits, separators=(",", ":")).encode("ascii")
    packed = gzip.compress(text, _FASTEST, mtime=0)
    if len(text) > MOST_UNPACKED or len(packed) > MOST_BYTES:
        return None
    write_bytes(folder / LISTS, packed)
    return hashlib.sha256(text).hexdigest()


def read_lists(folder: Path, digest: str) -> dict[str, dict[str, Any]]:
    """The lists of each split.

    Args:
        digest: what ``write_lists`` returned.

    Raises:
        OSError: the file is not there. ValueError: it holds something else, or too much.
    """
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = unpacking.decompress(read_bytes(folder / LISTS, MOST_BYTES), MOST_UNPACKED)
    except zlib.error as error:
        raise ValueError(f"{LISTS}: not packed by gzip ({error})") from error
    if not unpacking.eof or hashlib.sha256(text).hexdigest() != digest:
        raise ValueError(f"{LISTS}: not the lists that were written with it")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found

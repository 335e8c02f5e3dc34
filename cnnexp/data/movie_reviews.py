"""Reviews of films, and whether they praise."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fetch import Download, ensure, md5_of, obtain
from cnnexp.data.published_texts import Lines, text_split
from cnnexp.data.text_files import decoded
from cnnexp.inputs.corrupt import CorruptFile

FOLDERS = ("neg", "pos")
FIRST_OF_SPLIT: dict[SplitName, int] = {"train": 0, "val": 800, "test": 900}
"""The number of the first review of each split; there are 1,000 of each class."""
_MD5 = "155de2b77c6834dd8eea7cbe88e93acb"
_MOST_BYTES = 100_000
"""Of a review; the longest has 14,957. What claims more is no such file, and is not unpacked."""
_NAME = re.compile(r"movie_reviews/(neg|pos)/cv(\d{3})_\d+\.txt")
_FILE = Download(
    "text",
    ("movie_reviews.zip",),
    "https://raw.githubusercontent.com/nltk/nltk_data/5db857e/packages/corpora/movie_reviews.zip",
    archive=False,  # it is read where it is packed
    instead="data=mnist5k model=lenet5",
)


class MovieReviews(DataSet):
    """2,000 reviews of films, half of them negative: 1,600 / 200 / 200.

    Pang and Lee 2004, "A sentimental education", polarity data 2.0, in lower case and with words and signs apart. Their
    ten folds go by the number of the review: the first eight are to train with (cv000 to cv799), the ninth is for
    validation and the tenth (cv900 to cv999) the test.

    Args:
        encoding: of the files; they are ASCII.
    """

    targets = ("label",)

    def __init__(self, *, encoding: str, mirror: str | None) -> None:
        self.encoding, self.mirror = encoding, mirror
        self._reviews: tuple[Lines, NDArray[np.int64]] | None = None

    def prepare(self) -> None:
        ensure(_FILE, self.mirror, self._read)

    def load(self, split: SplitName) -> TensorSplit:
        if self._reviews is None:
            self._reviews = obtain(_FILE, self.mirror, self._read)
        lines, numbers = self._reviews
        first = np.array(list(FIRST_OF_SPLIT.values()))
        own = np.searchsorted(first, numbers, side="right") - 1 == list(FIRST_OF_SPLIT).index(split)
        names = [f"{FOLDERS[label]}/cv{number:03}" for label, number in zip(lines[1][own], numbers[own], strict=True)]
        made = text_split(lines, np.flatnonzero(own), split)
        made.names = names
        return made

    def _read(self, path: Path) -> tuple[Lines, NDArray[np.int64]]:
        """The reviews and their numbers, the negative ones first."""
        if md5_of(path.read_bytes()) != _MD5:
            raise CorruptFile(f"{path}: not as published, its md5 is not {_MD5}")
        try:
            with zipfile.ZipFile(path) as packed:
                found = [_NAME.fullmatch(name) for name in sorted(packed.namelist())]
                named = [one for one in found if one is not None]
                texts = [self._text(packed, one.string, path) for one in named]
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise CorruptFile(f"{path}: not a whole archive ({error})") from error
        labels = np.array([FOLDERS.index(one[1]) for one in named], np.int64)
        return (texts, labels), np.array([int(one[2]) for one in named], np.int64)

    def _text(self, packed: zipfile.ZipFile, name: str, path: Path) -> str:
        if packed.getinfo(name).file_size > _MOST_BYTES:
            raise CorruptFile(f"{path}: {name} claims more than {_MOST_BYTES} bytes; refused")
        return decoded(packed.read(name), self.encoding, path / name)

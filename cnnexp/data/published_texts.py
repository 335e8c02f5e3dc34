"""Published files of texts, a sample a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import TensorSplit
from cnnexp.data.fetch import Download, ensure, md5_of, obtain
from cnnexp.data.text_files import decoded
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.words import bytes_of

Lines = tuple[list[str], NDArray[np.int64]]
"""Texts, and the numbers of their classes (N,)."""


@dataclass(frozen=True)
class TextFile:
    """A publisher's file with a text and its class in each line.

    Args:
        names: at the publisher and in a mirror. folder: in a mirror and in the cache. url: of the publisher's.
        md5: of its content.
        parse: a line → its text and the number of its class; raises ValueError where it is no such line.
    """

    names: tuple[str, ...]
    folder: str
    url: str
    md5: str
    parse: Callable[[str], tuple[str, int]]

    def ensure(self, mirror: str | None, encoding: str) -> None:
        ensure(self._download, mirror, lambda path: self._read(path, encoding))

    def read(self, mirror: str | None, encoding: str) -> Lines:
        """All samples of the file, in its order.

        Raises:
            InputError: it cannot be had, or is not text of this encoding.
        """
        return obtain(self._download, mirror, lambda path: self._read(path, encoding))

    @property
    def _download(self) -> Download:
        return Download(self.folder, self.names, self.url, archive=False, instead="data=mnist5k model=lenet5")

    def _read(self, path: Path, encoding: str) -> Lines:
        content = path.read_bytes()
        if md5_of(content) != self.md5:
            raise CorruptFile(f"{path}: not as published, its md5 is not {self.md5}")
        samples = [self.parse(line) for line in decoded(content, encoding, path).split("\n") if line.strip()]
        return [text for text, _ in samples], np.array([label for _, label in samples], np.int64)


def text_split(lines: Lines, rows: Sequence[int] | NDArray[np.int64], part: str) -> TensorSplit:
    """Some of the texts of a file in memory; the name of a sample is its file and line, counted from 1."""
    texts, labels = lines
    return TensorSplit(
        {"label": torch.from_numpy(labels[rows])},
        ragged={"text": [bytes_of(texts[row]) for row in rows]},
        names=[f"{part}/{row + 1}" for row in rows],
    )

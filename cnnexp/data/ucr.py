"""Sets of the UCR time series archive (Dau et al. 2019): a line for each signal, its label and then its values."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import TensorSplit
from cnnexp.data.fetch import Download, ensure, obtain
from cnnexp.inputs.corrupt import CorruptFile

Part = Literal["TRAIN", "TEST"]
Signals = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Values (N, L) and the classes' numbers (N,)."""

MOST_BYTES = 2**28
"""Of a text in the publisher's zip; the archive's largest has 90 MB."""


@dataclass(frozen=True)
class UCRSet:
    """One set of the archive, with the split that it is published in.

    A mirror holds the two texts, plain or packed with gzip; the publisher serves a zip with both. The md5 of that zip
    is not known here, so what arrives is judged by its numbers.

    Args:
        name: as in the archive. folder: in a mirror and in the cache. length: values of each signal.
        labels: in the files, in the order of the classes. counts: signals of each label, by part.
    """

    name: str
    folder: str
    length: int
    labels: Sequence[int]
    counts: Mapping[Part, Sequence[int]]

    def ensure(self, part: Part, mirror: str | None) -> None:
        ensure(self._download(part), mirror, lambda path: self._read(path, part))

    def read(self, part: Part, mirror: str | None) -> Signals:
        return obtain(self._download(part), mirror, lambda path: self._read(path, part))

    def _download(self, part: Part) -> Download:
        text, packed = f"{self.name}_{part}.txt", f"{self.name}.zip"
        return Download(
            self.folder,
            (text, f"{text}.gz", packed),
            f"https://www.timeseriesclassification.com/aeon-toolkit/{packed}",
            archive=False,
            instead="data=mnist5k model=lenet5",
        )

    def _read(self, path: Path, part: Part) -> Signals:
        values, labels = read_ucr(path, f"{self.name}_{part}.txt")
        if values.shape[1] != self.length:
            raise CorruptFile(f"{path}: signals of {values.shape[1]} values; the published ones have {self.length}")
        counts = [int((labels == label).sum()) for label in self.labels]
        if counts != list(self.counts[part]) or sum(counts) != len(labels):
            raise CorruptFile(f"{path}: {counts} signals of each class; published are {list(self.counts[part])}")
        return values, np.searchsorted(self.labels, labels).astype(np.int64)


def read_ucr(path: Path, member: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Values (N, L) and labels (N,) of a file: one line for each signal, numbers between commas or white space.

    Args:
        path: the text, the text packed with gzip, or a zip that holds it; its first bytes tell.
        member: name of the text in a zip, in whatever folder.

    Raises:
        CorruptFile: it is not such a file; a value is missing or infinite, a label no whole number.
    """
    try:
        text = _unpacked(path, member).decode("ascii")
        rows = [line.split() for line in text.replace(",", " ").splitlines() if line.strip()]
        table = np.array(rows, dtype=np.float64)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise CorruptFile(f"{path}: not a label and equally many values in each line ({error})") from error
    if table.ndim != 2 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise CorruptFile(f"{path}: not a label and equally many finite values in each line")
    labels = table[:, 0].astype(np.int64)
    if not np.array_equal(labels, table[:, 0]):
        raise CorruptFile(f"{path}: its first column holds no whole numbers")
    return table[:, 1:].astype(np.float32), labels


def split_of(signals: Signals, rows: NDArray[np.int64], part: Part) -> TensorSplit:
    """Some of the signals of a part, as one channel each; the name of a sample is its part and row."""
    values, labels = signals
    tensors = {"signal": torch.from_numpy(values[rows])[:, None], "label": torch.from_numpy(labels[rows])}
    return TensorSplit(tensors, names=[f"{part.lower()}/{row}" for row in rows])


def _unpacked(path: Path, member: str) -> bytes:
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if not content.startswith(b"PK\x03\x04"):
        return content
    with zipfile.ZipFile(BytesIO(content)) as packed:
        for entry in packed.infolist():
            if Path(entry.filename).name == member and entry.file_size <= MOST_BYTES:
                return packed.read(entry)
    raise ValueError(f"the zip holds no {member}")

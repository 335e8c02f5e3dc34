"""CIFAR-100: 60,000 small colour pictures of a hundred classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.cifar import cifar_split, read_records
from cnnexp.data.fetch import Download, ensure, obtain
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size

COUNTS = {"train.bin": 50_000, "test.bin": 10_000}
_CLASSES, _SUPERCLASSES = 100, 20
_LABEL_BYTES = 2  # superclass, class
_RECORD = _LABEL_BYTES + 3 * 32 * 32


class CIFAR100(DataSet):
    """Colour pictures 32×32 of 100 (fine) classes: 45,000 / 5,000 / 10,000, the test set as published.

    Krizhevsky 2009.
    """

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int, mirror: str | None) -> None:
        self.image_size, self.channels, self.mirror = image_size, channels, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, lambda folder: _read(folder, "train.bin"))

    def load(self, split: SplitName) -> TensorSplit:
        name = "test.bin" if split == "test" else "train.bin"
        records = obtain(DOWNLOAD, self.mirror, lambda folder: _read(folder, name))
        return cifar_split(records, _LABEL_BYTES, split, self.image_size, self.channels)


def _read(folder: Path, name: str) -> NDArray[np.uint8]:
    return read_records(folder, (name,), _LABEL_BYTES, _verify)


def _verify(path: Path, content: bytes) -> None:
    """The publisher states an md5 for the archive only, so a repacked one is judged by its size and its labels."""
    count = COUNTS[path.name]
    if len(content) != count * _RECORD:
        raise CorruptFile(f"{path}: {len(content)} bytes instead of {count * _RECORD}")
    labels = np.frombuffer(content, np.uint8).reshape(count, _RECORD)[:, :_LABEL_BYTES]
    for column, classes in ((0, _SUPERCLASSES), (1, _CLASSES)):
        if set(np.bincount(labels[:, column], minlength=classes).tolist()) != {count // classes}:
            raise CorruptFile(f"{path}: its classes are not of equal size, as the publisher's are")


DOWNLOAD = Download(
    folder="cifar-100",
    names=("cifar-100-binary.tar.gz",),
    url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    archive=True,
    instead="data=mnist5k",
    md5="03b5dce01913d631647c71ecec9e9cb8",
)

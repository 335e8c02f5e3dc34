"""CIFAR-10: 60,000 small colour pictures of ten classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.cifar import cifar_split, read_records
from cnnexp.data.fetch import Download, ensure, md5_of, obtain
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size

# Of the official binary version, file by file: an archive that was packed again still has these.
MD5 = {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
}
_TRAIN, _TEST = tuple(MD5)[:5], tuple(MD5)[5:]
_LABEL_BYTES = 1


class CIFAR10(DataSet):
    """Colour pictures 32×32: 45,000 / 5,000 / 10,000, the test set as published (Krizhevsky 2009)."""

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int, mirror: str | None) -> None:
        self.image_size, self.channels, self.mirror = image_size, channels, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, lambda folder: _read(folder, (*_TRAIN, *_TEST)))

    def load(self, split: SplitName) -> TensorSplit:
        names = _TEST if split == "test" else _TRAIN
        records = obtain(DOWNLOAD, self.mirror, lambda folder: _read(folder, names))
        return cifar_split(records, _LABEL_BYTES, split, self.image_size, self.channels)


def _read(folder: Path, names: tuple[str, ...]) -> NDArray[np.uint8]:
    return read_records(folder, names, _LABEL_BYTES, _verify)


def _verify(path: Path, content: bytes) -> None:
    if md5_of(content) != MD5[path.name]:
        raise CorruptFile(f"{path}: its content is not the publisher's (md5)")


DOWNLOAD = Download(
    folder="cifar-10",
    names=("cifar-10-binary.tar.gz",),
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    archive=True,
    instead="data=mnist5k",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
)

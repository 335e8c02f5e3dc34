"""ISBI 2012: electron microscopy of neurons, with the membranes between the cells as masks."""

from __future__ import annotations

from pathlib import Path

from cnnexp.data.base import DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.census import Census, of_published
from cnnexp.data.fetch import Download, ensure, fingerprint, obtain
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size, pillow_mode

SLICES: dict[SplitName, range] = {"train": range(20), "val": range(20, 25), "test": range(25, 30)}
"""Contiguous, because neighbouring slices are nearly the same picture: a random split would leak."""

# The files hold 0 for membrane and 255 for cell; class 1 is the membrane, so that its Dice is the Dice of class 1.
_MASK_VALUES = (1, *[-1] * 254, 0)
_COMMIT = "b45af4d458437d8281cc218a07fd4380818ece4a"
_FINGERPRINT = "a6f7e54926d33d060e9c87c9fc3524a4"


class ISBIEM(DataSet):
    """30 grey slices 512×512 of one stack with their membranes (mask 1), split 20 / 5 / 5 along the stack.

    The labels of the challenge's own test stack were never made public, so the 30 labelled slices are divided.
    Arganda-Carreras et al. 2015; Cardona et al. 2010. About 22 % of the pixels are membrane.
    """

    targets = ("mask",)

    def __init__(self, *, image_size: Size, channels: int, in_memory: InMemory, mirror: str | None) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.in_memory, self.mirror = image_size, channels, in_memory, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, _inner_folder)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        return obtain(DOWNLOAD, self.mirror, lambda folder: self._open(_inner_folder(folder), split))

    def census(self) -> Census:
        count = sum(map(len, SLICES.values()))  # the files are held to the publisher's when they arrive
        return of_published(count, count, "slices of isbi_em")

    def _open(self, folder: Path, split: SplitName) -> TensorSplit | FileSplit:
        samples = tuple(
            Sample(folder / "image" / f"{i}.png", f"{i}.png", mask=folder / "label" / f"{i}.png") for i in SLICES[split]
        )
        return open_samples(Decoder(samples, self.image_size, self.channels, mask_values=_MASK_VALUES), self.in_memory)


def _inner_folder(folder: Path) -> Path:
    for found in sorted(folder.rglob("membrane/train")):
        return found
    raise CorruptFile(f"{folder}: holds no data/membrane/train")


def _verify(folder: Path) -> None:
    if fingerprint(_inner_folder(folder)) != _FINGERPRINT:
        raise CorruptFile(f"data/membrane/train is not that of the publisher's commit {_COMMIT[:7]}")


DOWNLOAD = Download(
    folder="isbi-em",
    names=(f"unet-{_COMMIT}.tar.gz", "membrane.tar.gz"),
    url=f"https://github.com/zhixuhao/unet/archive/{_COMMIT}.tar.gz",
    archive=True,
    instead="data=digit_scenes",
    verify=_verify,
)

"""BCCD: blood cells under the microscope, with boxes of three kinds."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from cnnexp.data.base import SPLITS, DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.box_census import count_boxes
from cnnexp.data.census import PICTURES, Census
from cnnexp.data.fetch import Download, ensure, fingerprint, obtain
from cnnexp.data.folders import split_list
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.data.voc import voc_samples
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size, pillow_mode

CLASSES = ("RBC", "WBC", "Platelets")
_COMMIT = "d272fb14cdff6e473fafeeeba32aba5f560e9e43"
_FINGERPRINT = "f485f0373db641db3de951089ecec936"


class BCCD(DataSet):
    """364 pictures 640×480 in the publisher's split of 205 / 87 / 72 (Shenggan, BCCD_Dataset, MIT licence).

    4,155 red cells, 372 white cells and 361 platelets; two boxes of a single pixel are left out.
    """

    targets = ("boxes",)

    def __init__(self, *, image_size: Size, channels: int, in_memory: InMemory, mirror: str | None) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.in_memory, self.mirror = image_size, channels, in_memory, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, inner_folder)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        return obtain(DOWNLOAD, self.mirror, lambda folder: self._open(folder, split))

    def census(self) -> Census:
        return self._census

    @cached_property
    def _census(self) -> Census:
        parts = obtain(DOWNLOAD, self.mirror, lambda folder: [samples_of(folder, split) for split in SPLITS])
        census, samples = Census(), [sample for part in parts for sample in part]
        census.use(PICTURES, len(samples))
        count_boxes(samples, census)
        return census

    def _open(self, folder: Path, split: SplitName) -> TensorSplit | FileSplit:
        samples = samples_of(folder, split)
        return open_samples(Decoder(samples, self.image_size, self.channels, boxed=True), self.in_memory)


def samples_of(folder: Path, split: SplitName) -> tuple[Sample, ...]:
    """The pictures of a split, with the boxes of all kinds."""
    inner = inner_folder(folder)
    return voc_samples(inner, split_list(inner / "ImageSets" / "Main", split), CLASSES)


def inner_folder(folder: Path) -> Path:
    """The folder in VOC's layout: where it lies depends on who packed the archive."""
    for lists in sorted(folder.rglob("ImageSets/Main")):
        return lists.parent.parent
    raise CorruptFile(f"{folder}: holds no ImageSets/Main")


def _verify(folder: Path) -> None:
    inner = inner_folder(folder)
    if fingerprint(inner) != _FINGERPRINT:
        raise CorruptFile(
            f"{inner.name}: its pictures and annotations are not those of the publisher's commit {_COMMIT[:7]}"
        )


DOWNLOAD = Download(
    folder="bccd",
    names=(f"BCCD_Dataset-{_COMMIT}.tar.gz", "BCCD_Dataset.tar.gz"),
    url=f"https://github.com/Shenggan/BCCD_Dataset/archive/{_COMMIT}.tar.gz",
    archive=True,
    instead="data=digit_scenes",
    verify=_verify,
)

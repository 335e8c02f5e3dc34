"""BCCD's pictures of a single white cell: where is it?"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from cnnexp.data import bccd
from cnnexp.data.base import SPLITS, DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.census import PICTURES, Census
from cnnexp.data.fetch import ensure, obtain
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.inputs.picture_files import Size, pillow_mode

WHITE = bccd.CLASSES.index("WBC")


class BCCDWBC(DataSet):
    """The 344 of BCCD's 364 pictures that show exactly one white cell, in the publisher's split: 194 / 85 / 65.

    Boxes of red cells and platelets are left out; the cells are still there to be told from the white one.
    """

    targets = ("boxes",)

    def __init__(self, *, image_size: Size, channels: int, in_memory: InMemory, mirror: str | None) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.in_memory, self.mirror = image_size, channels, in_memory, mirror

    def prepare(self) -> None:
        ensure(bccd.DOWNLOAD, self.mirror, bccd.inner_folder)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        return obtain(bccd.DOWNLOAD, self.mirror, lambda folder: self._open(folder, split))

    def census(self) -> Census:
        return self._census

    @cached_property
    def _census(self) -> Census:
        parts = obtain(bccd.DOWNLOAD, self.mirror, lambda folder: [bccd.samples_of(folder, split) for split in SPLITS])
        census = Census()
        for sample in (sample for part in parts for sample in part):
            if _white(sample) is None:
                census.leave_out(PICTURES, "with no white cell, or several", sample.name, harmless=True)
            else:
                census.use(PICTURES, 1)
        return census

    def _open(self, folder: Path, split: SplitName) -> TensorSplit | FileSplit:
        found = (_white(sample) for sample in bccd.samples_of(folder, split))
        samples = tuple(sample for sample in found if sample is not None)
        return open_samples(Decoder(samples, self.image_size, self.channels, boxed=True), self.in_memory)


def _white(sample: Sample) -> Sample | None:
    """The sample with the box of its white cell alone; None where it has none or several."""
    boxes = [box for box, kind in zip(sample.boxes, sample.classes, strict=True) if kind == WHITE]
    return replace(sample, boxes=tuple(boxes), classes=(0,), ignored=()) if len(boxes) == 1 else None

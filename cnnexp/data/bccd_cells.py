"""BCCD's blood cells cut out one by one, each with its kind as a label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cnnexp.data import bccd
from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fetch import ensure, obtain
from cnnexp.data.folders import split_list
from cnnexp.data.samples import Sample, clip_boxes
from cnnexp.data.voc import voc_samples
from cnnexp.inputs.picture_files import Size, fit_pictures, pillow_mode, read_picture

CLASSES = bccd.CLASSES
MARGIN = 0.1
"""Part of a box's width and height that is added on each side: a cell is known by its surroundings too."""


class BCCDCells(DataSet):
    """A picture for every box of BCCD, with the pictures' split: no picture gives cells to two splits.

    About 85 % are red cells. A cell is cut out with a margin, within the picture, and stretched to ``image_size``.
    """

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int, mirror: str | None) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.mirror = image_size, channels, mirror

    def prepare(self) -> None:
        ensure(bccd.DOWNLOAD, self.mirror, bccd.inner_folder)

    def load(self, split: SplitName) -> TensorSplit:
        return obtain(bccd.DOWNLOAD, self.mirror, lambda folder: self._open(folder, split))

    def _open(self, folder: Path, split: SplitName) -> TensorSplit:
        inner = bccd.inner_folder(folder)
        samples = voc_samples(inner, split_list(inner / "ImageSets" / "Main", split), CLASSES)
        cells = [cell for sample in samples for cell in _cells(sample, self.image_size, self.channels)]
        tensors = {
            "image": torch.stack([cell.image for cell in cells]),
            "label": torch.tensor([cell.label for cell in cells]),
        }
        return TensorSplit(tensors, names=[cell.name for cell in cells])


@dataclass(frozen=True)
class _Cell:
    image: Tensor
    label: int
    name: str


def _cells(sample: Sample, image_size: Size, channels: int) -> list[_Cell]:
    image, size = read_picture(sample.picture, None, channels)
    boxes, usable = clip_boxes(torch.tensor(sample.boxes, dtype=torch.float32).reshape(-1, 4), size)
    labels = torch.tensor(sample.classes, dtype=torch.int64)[usable]
    cells = []
    for number, (box, label) in enumerate(zip(boxes.tolist(), labels.tolist(), strict=True)):
        x1, y1, x2, y2 = _with_margin(box, size)
        cut = fit_pictures(image[None, :, y1:y2, x1:x2], image_size, channels)[0]
        cells.append(_Cell(cut, label, f"{sample.name}#{number}"))
    return cells


def _with_margin(box: list[float], size: Size) -> tuple[int, int, int, int]:
    """The box in whole pixels, larger by the margin, within the picture."""
    x1, y1, x2, y2 = box
    wide, high = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    return (
        max(0, int(x1 - wide)),
        max(0, int(y1 - high)),
        min(size[1], round(x2 + wide)),
        min(size[0], round(y2 + high)),
    )

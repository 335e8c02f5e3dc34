"""Imagenette: photographs of ten classes of ImageNet that are easy to tell apart."""

from __future__ import annotations

import logging
from pathlib import Path

from cnnexp.data.base import DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.census import Census, of_published
from cnnexp.data.fetch import Download, ensure, obtain
from cnnexp.data.fixed_splits import hold_out
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.picture_files import Size, find_pictures, pillow_mode

log = logging.getLogger(__name__)

SYNSETS = (
    *("n01440764", "n02102040", "n02979186", "n03000684", "n03028079"),
    *("n03394916", "n03417042", "n03425413", "n03445777", "n03888257"),
)
"""WordNet's names of the classes, which are the folders' names, in the order of the labels."""
IMAGENET_LABELS = (0, 217, 482, 491, 497, 566, 569, 571, 574, 701)
"""The same classes among the thousand of ImageNet."""
COUNTS = {"train": 9469, "val": 3925}
VALIDATION_SHARE = 0.1


class Imagenette(DataSet):
    """9,469 and 3,925 photographs in the publisher's train and val (Howard 2019; the photographs are ImageNet's).

    The published val is the test split; a tenth of train, stratified, is held out for validation. Pictures are
    stretched to ``image_size``; those of a mirror may be cut to squares already, and fewer.
    """

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int, in_memory: InMemory, mirror: str | None) -> None:
        pillow_mode(channels)
        self.image_size, self.channels, self.in_memory, self.mirror = image_size, channels, in_memory, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, _inner_folder)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        return obtain(DOWNLOAD, self.mirror, lambda folder: self._open(_inner_folder(folder), split))

    def census(self) -> Census:
        found = obtain(DOWNLOAD, self.mirror, lambda folder: [_samples(_inner_folder(folder), part) for part in COUNTS])
        return of_published(sum(map(len, found)), sum(COUNTS.values()), "photographs of imagenette")

    def _open(self, folder: Path, split: SplitName) -> TensorSplit | FileSplit:
        samples = _samples(folder, "val" if split == "test" else "train")
        if split == "train" and len(samples) < COUNTS["train"]:
            log.warning("imagenette: a thinned copy, %d of %d photographs to train", len(samples), COUNTS["train"])
        if split != "test":
            labels = [sample.label or 0 for sample in samples]
            kept, held = hold_out(labels, round(VALIDATION_SHARE * len(samples)))
            samples = [samples[i] for i in (kept if split == "train" else held)]
        return open_samples(Decoder(tuple(samples), self.image_size, self.channels), self.in_memory)


def _samples(folder: Path, part: str) -> list[Sample]:
    return [
        Sample(path, f"{part}/{synset}/{path.name}", label=label)
        for label, synset in enumerate(SYNSETS)
        for path in find_pictures(folder / part / synset)
    ]


def _inner_folder(folder: Path) -> Path:
    """The folder that holds train and val."""
    for found in sorted(folder.rglob(f"train/{SYNSETS[0]}")):
        return found.parent.parent
    raise CorruptFile(f"{folder}: holds no folder train/{SYNSETS[0]}")


def _verify(folder: Path) -> None:
    inner = _inner_folder(folder)
    for part in COUNTS:
        empty = [
            name for name in SYNSETS if not ((inner / part / name).is_dir() and find_pictures(inner / part / name))
        ]
        if empty:
            raise CorruptFile(f"{inner.name}/{part}/{empty[0]}: no photographs")


DOWNLOAD = Download(
    folder="imagenette",
    names=("imagenette2-320.tgz", "imagenette2-subset.tar", "imagenette2.tgz", "imagenette2-160.tgz"),
    url="https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz",
    archive=True,
    instead="data=mnist5k",
    verify=_verify,
)

"""Your own films, a folder per class."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from cnnexp.data.base import FileSplit, SplitName, TensorSplit, collate
from cnnexp.data.census import OTHER
from cnnexp.data.class_folders import Looked, class_names_in, folders_of_splits, labelled, readable
from cnnexp.data.folders import refuse_empty
from cnnexp.data.memory import fits_in_memory
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import name_in
from cnnexp.data.samples import THREADS, InMemory, Sample
from cnnexp.inputs.clip_files import look_at, read_clip
from cnnexp.inputs.film_formats import FILM_SUFFIXES, MOVING_SUFFIXES
from cnnexp.inputs.folder_walk import walk
from cnnexp.inputs.picture_files import Size
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES


class VideoFolder(OwnFolder):
    """A folder with ``train/CLASS/*.mp4``, ``val/CLASS/…`` and ``test/CLASS/…``, or with ``CLASS/*.mp4`` alone.

    A clip is a film, a picture that moves (GIF, WebP, TIFF), or a folder of frames, ``CLASS/CLIP/*.jpg``, in the order
    of the numbers in their names. Splits that are not there are made by ``complete_splits``: class folders alone are
    divided 80 / 10 / 10, stratified and the same way every time. Clips that are cut from one recording belong into one
    split: ``data.split.group`` says how their names tell it. Each becomes ``frames`` frames from its first to its last,
    evenly spread in time: one that has fewer shows some several times, and one whose rate varies is sampled by its
    clock; both are counted. Every file is opened before the first step, and decoded once where all fits in memory.

    Args:
        root, classes, image_size, channels, in_memory, unreadable: as for every folder.
        frames: of a clip, as ``Clips`` has them.
    """

    targets = ("label",)
    kind: ClassVar[str] = "clips"
    of_samples: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        root: str | None,
        classes: Sequence[str] | None,
        image_size: Size,
        channels: int,
        frames: int,
        in_memory: InMemory,
        unreadable: str = "fail",
    ) -> None:
        super().__init__(
            root=root,
            classes=classes,
            image_size=image_size,
            channels=channels,
            in_memory=in_memory,
            unreadable=unreadable,
        )
        self.frames = frames

    def prepare(self) -> None:
        refuse_empty(self.folder, self.samples, self.kind)

    def told(self) -> dict[str, Any]:
        return {}

    def names(self) -> tuple[str, ...]:
        return class_names_in(self._class_folders["train"], self.kind)

    def found(self) -> dict[SplitName, list[Sample]]:
        return labelled(
            self._class_folders,
            self.class_names(),
            self._clips_in,
            root=self.folder,
            refuses=self.refuses_classes,
            kind=self.kind,
            expected=f"CLASS/CLIP.mp4 ({', '.join(sorted(FILM_SUFFIXES))}) or CLASS/CLIP/FRAME.jpg",
        )

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        self.prepare()
        samples = tuple(self.samples[split])
        decode = ClipDecoder(samples, self.image_size, self.channels, self.frames)
        names = [sample.name for sample in samples]
        fits = fits_in_memory(len(samples), self.image_size, self.channels * self.frames)
        if self.in_memory is True or (self.in_memory == "auto" and fits):
            return TensorSplit(decode.all(), names=names, origins=samples)
        labels = torch.tensor([sample.label or 0 for sample in samples])
        return FileSplit(decode, len(samples), names=names, labels=labels, origins=samples)

    @cached_property
    def _class_folders(self) -> dict[SplitName, Path]:
        return folders_of_splits(self.folder, self.classes)

    def _clips_in(self, folder: Path) -> list[Path]:
        """Films, pictures that move, and folders of frames in a class folder, sorted."""
        looked = walk(folder)
        for path in looked.hidden:
            self.counted.leave_out(OTHER, "hidden", name_in(self.folder, path), harmless=True)
        for path, why in looked.odd:
            self.counted.leave_out(self.kind, why, name_in(self.folder, path))
        clips: set[Path] = set()
        for path in looked.files:
            suffix, own = path.suffix.lower(), path.parent == folder
            if suffix in FILM_SUFFIXES or suffix == ".gif" or (own and suffix in MOVING_SUFFIXES):
                clips.add(path)
            elif suffix in PICTURE_SUFFIXES and not own:
                clips.add(path.parent)
            elif suffix in PICTURE_SUFFIXES:
                reason, fix = "single pictures", "the frames of a clip lie in a folder of their own"
                self.counted.leave_out(self.kind, reason, name_in(self.folder, path), help=fix)
            else:
                self.counted.leave_out(OTHER, "not a film", name_in(self.folder, path), harmless=True)
        return sorted(clips)

    def _readable(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        return readable(samples, self._look, self.counted, skip=self.unreadable == "skip")

    def _look(self, path: Path) -> Looked:
        """Where files that cannot be decoded are skipped, every frame is."""
        clip = look_at(path)
        if self.unreadable == "skip":
            read_clip(path, self.frames, self.image_size, self.channels)
        fewer = f"of fewer than data.frames={self.frames}, of which some come several times"
        found = [fewer] if clip.frames < self.frames else []
        return Looked(found + ([] if clip.even else ["whose rate varies, sampled by its clock"]))


@dataclass(frozen=True)
class ClipDecoder:
    """Position → the tensors of one sample. Picklable, so that loader workers can hold it."""

    samples: tuple[Sample, ...]
    image_size: Size
    channels: int
    frames: int

    def __call__(self, position: int) -> dict[str, Tensor]:
        sample = self.samples[position]
        clip = read_clip(sample.picture, self.frames, self.image_size, self.channels)
        return {"clip": clip, "label": torch.tensor(sample.label or 0)}

    def all(self) -> dict[str, Tensor]:
        """All samples as a batch; films are decoded side by side, outside of the interpreter's lock."""
        with ThreadPoolExecutor(THREADS) as pool:
            return collate(list(pool.map(self, range(len(self.samples)))))

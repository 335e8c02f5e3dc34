"""Your own sounds, a folder per class."""

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
from cnnexp.data.memory import MEMORY_BUDGET
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import name_in
from cnnexp.data.samples import THREADS, InMemory, Sample
from cnnexp.inputs.folder_walk import walk
from cnnexp.inputs.sound_files import SOUND_SUFFIXES, at_rate, fitted, read_sound

_SILENT = 1e-4
"""A sound that never goes beyond it is silence: a part of full scale."""


class SoundFolder(OwnFolder):
    """A folder with ``train/CLASS/*.wav``, ``val/CLASS/…`` and ``test/CLASS/…``, or with ``CLASS/*.wav`` alone.

    Splits that are not there are made by ``complete_splits``: class folders alone are divided 80 / 10 / 10, stratified
    and the same way every time. Every file is looked at before the first step. What is stereo becomes the mean of its
    channels, and what has another rate is resampled; both are said, with how many they are. Sounds of length 0 are left
    out, and so are broken files where ``unreadable`` is skip.

    Args:
        root, classes, in_memory, unreadable: as for every folder.
        rate_hz, length: of stored sounds, as ``Sounds`` has them.
    """

    targets = ("label",)
    kind: ClassVar[str] = "sounds"
    of_samples: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        root: str | None,
        classes: Sequence[str] | None,
        rate_hz: int,
        length: int,
        in_memory: InMemory,
        unreadable: str = "fail",
    ) -> None:
        super().__init__(
            root=root, classes=classes, image_size=(1, 1), channels=1, in_memory=in_memory, unreadable=unreadable
        )
        self.rate_hz, self.length = rate_hz, length

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
            self._sounds_in,
            root=self.folder,
            refuses=self.refuses_classes,
            kind=self.kind,
            expected=f"CLASS/SOUND.wav ({', '.join(sorted(SOUND_SUFFIXES))})",
        )

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        self.prepare()
        samples = tuple(self.samples[split])
        decode, names = SoundDecoder(samples, self.rate_hz, self.length), [sample.name for sample in samples]
        held = 4 * self.length * len(samples) <= MEMORY_BUDGET
        if self.in_memory is True or (self.in_memory == "auto" and held):
            with ThreadPoolExecutor(THREADS) as pool:
                tensors = collate(list(pool.map(decode, range(len(samples)))))
            return TensorSplit(tensors, names=names, origins=samples)
        labels = torch.tensor([sample.label or 0 for sample in samples])
        return FileSplit(decode, len(samples), names=names, labels=labels, origins=samples)

    @cached_property
    def _class_folders(self) -> dict[SplitName, Path]:
        return folders_of_splits(self.folder, self.classes)

    def _sounds_in(self, folder: Path) -> list[Path]:
        looked = walk(folder)
        for path in looked.hidden:
            self.counted.leave_out(OTHER, "hidden", name_in(self.folder, path), harmless=True)
        for path, why in looked.odd:
            self.counted.leave_out(self.kind, why, name_in(self.folder, path))
        others = [path for path in looked.files if path.suffix.lower() not in SOUND_SUFFIXES]
        for path in others:
            self.counted.leave_out(OTHER, "not a sound", name_in(self.folder, path), harmless=True)
        return [path for path in looked.files if path.suffix.lower() in SOUND_SUFFIXES]

    def _readable(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        return readable(samples, self._look, self.counted, skip=self.unreadable == "skip")

    def _look(self, path: Path) -> Looked:
        file = read_sound(path)
        if not len(file.sound):
            return Looked(left_out="of length 0")
        seconds, most = len(file.sound) / file.rate_hz, self.length / self.rate_hz
        found = [f"of {file.rate_hz:,} Hz, resampled to {self.rate_hz:,} Hz"] if file.rate_hz != self.rate_hz else []
        found += [f"of {file.channels} channels, of which the mean is taken"] if file.channels > 1 else []
        found += [f"longer than data.length={self.length} ({most:g} s), cut at the end"] if seconds > most else []
        return Looked(found + (["silent"] if float(abs(file.sound).max()) < _SILENT else []))


@dataclass(frozen=True)
class SoundDecoder:
    """Position → the tensors of one sample. Picklable, so that loader workers can hold it."""

    samples: tuple[Sample, ...]
    rate_hz: int
    length: int

    def __call__(self, position: int) -> dict[str, Tensor]:
        sample = self.samples[position]
        file = read_sound(sample.picture)
        sound = at_rate(file.sound, file.rate_hz, self.rate_hz)
        return {
            "sound": torch.from_numpy(fitted(sound, self.length)),
            "sound_length": torch.tensor(min(len(sound), self.length)),
            "label": torch.tensor(sample.label or 0),
        }

"""Your own pictures, a folder per class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from cnnexp.data.base import DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.folders import complete_splits, existing_root, refuse_empty, split_folders, subfolders
from cnnexp.data.pictures import Size, find_pictures, pillow_mode
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.errors import InputError


class ImageFolder(DataSet):
    """A folder with ``train/CLASS/*.jpg``, ``val/CLASS/…`` and ``test/CLASS/…``, or with ``CLASS/*.jpg`` alone.

    Splits that are not there are made by ``complete_splits``: class folders alone are divided 80 / 10 / 10, stratified
    and the same way every time. The classes are the folders' names in alphabetical order, unless ``classes`` names
    them.
    """

    targets = ("label",)

    def __init__(
        self, *, root: str | None, classes: Sequence[str] | None, image_size: Size, channels: int, in_memory: InMemory
    ) -> None:
        pillow_mode(channels)
        self.root = root
        self.classes = tuple(classes) if classes is not None else None
        self.image_size, self.channels, self.in_memory = image_size, channels, in_memory

    def prepare(self) -> None:
        refuse_empty(self._root, self._samples)

    def class_names(self) -> tuple[str, ...]:
        if self.classes is None:
            self.classes = tuple(folder.name for folder in subfolders(self._class_folders["train"]))
        if not self.classes:
            raise InputError(
                f"{self._class_folders['train']}: holds no folders; expected one folder of pictures per class"
            )
        return self.classes

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        self.prepare()
        return open_samples(Decoder(tuple(self._samples[split]), self.image_size, self.channels), self.in_memory)

    @property
    def _root(self) -> Path:
        return existing_root(self.root, "image_folder")

    @property
    def _class_folders(self) -> dict[SplitName, Path]:
        """The folder that holds the class folders, for each split that there is."""
        found = split_folders(self._root)
        if found and "train" not in found:
            raise InputError(f"{self._root}: holds {', '.join(p.name for p in found.values())} but no train")
        return found or {"train": self._root}

    @cached_property
    def _samples(self) -> dict[SplitName, list[Sample]]:
        numbers = {name: number for number, name in enumerate(self.class_names())}
        found = {split: self._labelled(folder, numbers) for split, folder in self._class_folders.items()}
        empty = sorted(set(numbers.values()) - {sample.label for sample in found["train"] if sample.label is not None})
        if empty:
            name = self.class_names()[empty[0]]
            raise InputError(f"{self._class_folders['train'] / name}: no pictures to train this class with")
        return complete_splits(found, key=lambda sample: sample.name, label=lambda sample: sample.label or 0)

    def _labelled(self, folder: Path, numbers: dict[str, int]) -> list[Sample]:
        samples = []
        for class_folder in subfolders(folder):
            if class_folder.name not in numbers:
                raise InputError(
                    f"{class_folder}: no such class in training; there are {', '.join(list(numbers)[:12])}"
                )
            label = numbers[class_folder.name]
            pictures = find_pictures(class_folder, deep=True)
            samples += [Sample(path, path.relative_to(self._root).as_posix(), label=label) for path in pictures]
        if not samples:
            raise InputError(f"{folder}: no pictures found; expected {folder.name}/CLASS/PICTURE.jpg (or png, webp, …)")
        return samples

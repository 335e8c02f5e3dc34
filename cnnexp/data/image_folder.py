"""Your own pictures, a folder per class."""

from __future__ import annotations

from pathlib import Path

from cnnexp.data.base import SplitName
from cnnexp.data.folders import split_folders, subfolders
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import find_pictures


class ImageFolder(OwnFolder):
    """A folder with ``train/CLASS/*.jpg``, ``val/CLASS/…`` and ``test/CLASS/…``, or with ``CLASS/*.jpg`` alone.

    Splits that are not there are made by ``complete_splits``: class folders alone are divided 80 / 10 / 10, stratified
    and the same way every time. The classes are the folders' names in alphabetical order, unless ``classes`` names
    them.
    """

    targets = ("label",)

    def names(self) -> tuple[str, ...]:
        names = tuple(folder.name for folder in subfolders(self._class_folders["train"]))
        if not names:
            raise InputError(
                f"{self._class_folders['train']}: holds no folders; expected one folder of pictures per class"
            )
        return names

    def found(self) -> dict[SplitName, list[Sample]]:
        numbers = {name: number for number, name in enumerate(self.class_names())}
        found = {split: self._labelled(folder, numbers) for split, folder in self._class_folders.items()}
        empty = sorted(set(numbers.values()) - {sample.label for sample in found["train"] if sample.label is not None})
        if empty:
            name = self.class_names()[empty[0]]
            raise InputError(f"{self._class_folders['train'] / name}: no pictures to train this class with")
        return found

    @property
    def _class_folders(self) -> dict[SplitName, Path]:
        """The folder that holds the class folders, for each split that there is."""
        found = split_folders(self.folder)
        if found and "train" not in found:
            raise InputError(f"{self.folder}: holds {', '.join(p.name for p in found.values())} but no train")
        return found or {"train": self.folder}

    def _labelled(self, folder: Path, numbers: dict[str, int]) -> list[Sample]:
        samples = []
        for class_folder in subfolders(folder):
            if class_folder.name not in numbers and self.refuses_classes:
                raise InputError(
                    f"{class_folder}: no such class in training; there are {', '.join(list(numbers)[:12])}"
                )
            label = numbers.get(class_folder.name)
            pictures = find_pictures(class_folder, deep=True)
            samples += [Sample(path, path.relative_to(self.folder).as_posix(), label=label) for path in pictures]
        if not samples:
            raise InputError(f"{folder}: no pictures found; expected {folder.name}/CLASS/PICTURE.jpg (or png, webp, …)")
        return samples

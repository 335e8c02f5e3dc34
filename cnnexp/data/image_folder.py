"""Your own pictures, a folder per class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from cnnexp.data.base import SplitName
from cnnexp.data.class_folders import class_names_in
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.folders import split_folders, subfolders
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import leave_out, pictures_in
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import holds
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES

_LOOSE = "in no class folder"


class ImageFolder(OwnFolder):
    """A folder with ``train/CLASS/*.jpg``, ``val/CLASS/…`` and ``test/CLASS/…``, or with ``CLASS/*.jpg`` alone.

    Splits that are not there are made by ``complete_splits``: class folders alone are divided 80 / 10 / 10, stratified
    and the same way every time. The classes are the folders' names in alphabetical order, unless ``classes`` names
    them. Folders called train, val or test are classes where ``classes`` names them, or where they lie beside other
    folders of pictures and hold no class folders. Where a task needs no truth, pictures may lie in no class folder:
    ``*.jpg`` alone, or ``train/*.jpg`` and so on.
    """

    targets = ("label",)

    def names(self) -> tuple[str, ...]:
        return class_names_in(self._class_folders["train"], self.kind)

    def class_names(self) -> tuple[str, ...]:
        return () if self._flat else super().class_names()

    def found(self) -> dict[SplitName, list[Sample]]:
        if self._flat:
            return {split: self._unlabelled(folder) for split, folder in self._class_folders.items()}
        numbers = {name: number for number, name in enumerate(self.class_names())}
        found = {split: self._labelled(folder, numbers) for split, folder in self._class_folders.items()}
        empty = sorted(set(numbers.values()) - {sample.label for sample in found["train"] if sample.label is not None})
        if empty:
            name = self.class_names()[empty[0]]
            raise InputError(f"{self._class_folders['train'] / name}: no pictures to train this class with")
        self._enter_others()
        return found

    @property
    def _flat(self) -> bool:
        """Whether there are pictures alone, and nobody asks what they show."""
        return self.target is None and not self.classes and not subfolders(self._class_folders["train"])

    def _unlabelled(self, folder: Path) -> list[Sample]:
        pictures = pictures_in(folder, self.folder, self.counted)
        if not pictures:
            raise InputError(f"{folder}: no pictures found; expected PICTURE.jpg (or png, webp, …)")
        return [Sample(path, path.relative_to(self.folder).as_posix()) for path in pictures]

    @cached_property
    def _class_folders(self) -> dict[SplitName, Path]:
        """The folder that holds the class folders, for each split that there is."""
        found = split_folders(self.folder)
        if self._are_classes(list(found.values())):
            return {"train": self.folder}
        if found and "train" not in found:
            raise InputError(f"{self.folder}: holds {', '.join(p.name for p in found.values())} but no train")
        return found or {"train": self.folder}

    def _are_classes(self, splits: Sequence[Path]) -> bool:
        """Whether folders that are called like splits are classes: as ``classes`` says, or beside others as they have
        no class folders."""
        if not splits:
            return False
        if self.classes is not None and {folder.name for folder in splits} <= set(self.classes):
            return True
        others = self._beside(splits)
        if not others or any(subfolders(folder) for folder in splits):
            return False
        names = ", ".join(folder.name for folder in splits)
        self.counted.remark(
            f"{self.folder}: {names} beside {', '.join(folder.name for folder in others[:5])}: read as a class and no "
            "split, as it holds no class folders"
        )
        return True

    def _beside(self, splits: Sequence[Path]) -> list[Path]:
        """The other folders that hold pictures."""
        folders = (folder for folder in subfolders(self.folder) if folder not in splits)
        return [folder for folder in folders if holds(folder, PICTURE_SUFFIXES)]

    def _enter_others(self) -> None:
        """Pictures in no class folder, and in folders that are no split."""
        read = self._class_folders
        for place in dict.fromkeys([self.folder, *read.values()]):
            leave_out(pictures_in(place, self.folder, self.counted, deep=False), self.folder, self.counted, _LOOSE)
        if read["train"] == self.folder:
            return
        others = self._beside(list(read.values()))
        names = [folder.name for folder in (*read.values(), *others)]
        help = f"data.classes=[{','.join(sorted(names))}] makes classes of all folders"
        for folder in others:
            pictures = pictures_in(folder, self.folder, self.counted)
            leave_out(pictures, self.folder, self.counted, f"beside {read['train'].name}/", help)

    def _labelled(self, folder: Path, numbers: dict[str, int]) -> list[Sample]:
        samples = []
        for class_folder in subfolders(folder):
            if class_folder.name not in numbers and self.refuses_classes:
                refuse_unknown(class_folder.name, list(numbers), class_folder, IN_TRAINING)
            label = numbers.get(class_folder.name)
            pictures = pictures_in(class_folder, self.folder, self.counted)
            samples += [Sample(path, path.relative_to(self.folder).as_posix(), label=label) for path in pictures]
        if not samples:
            raise InputError(f"{folder}: no pictures found; expected {folder.name}/CLASS/PICTURE.jpg (or png, webp, …)")
        return samples

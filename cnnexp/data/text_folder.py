"""Your own texts, a folder per class."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from cnnexp.data.base import SplitName
from cnnexp.data.census import OTHER
from cnnexp.data.class_folders import class_names_in, folders_of_splits
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.folders import subfolders
from cnnexp.data.own_texts import OwnTexts, TextSample
from cnnexp.data.picture_folders import name_in
from cnnexp.data.samples import Sample
from cnnexp.data.text_files import decoded
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import walk

SUFFIX = ".txt"


class TextFolder(OwnTexts):
    """A folder with ``train/CLASS/*.txt``, ``val/CLASS/…`` and ``test/CLASS/…``, or with ``CLASS/*.txt`` alone; a file
    is a text.

    Splits that are not there are made by ``complete_splits``. The classes are the folders' names in alphabetical order,
    unless ``classes`` names them. Files without a word are left out and counted.
    """

    def names(self) -> tuple[str, ...]:
        return class_names_in(self._class_folders["train"], self.kind)

    def found(self) -> dict[SplitName, list[Sample]]:
        numbers = {name: number for number, name in enumerate(self.class_names())}
        found = {split: self._labelled(folder, numbers) for split, folder in self._class_folders.items()}
        taught = {sample.label for sample in found["train"]}
        for name, number in numbers.items():
            if number not in taught:
                raise InputError(f"{self._class_folders['train'] / name}: no text to train this class with ({SUFFIX})")
        return found

    @cached_property
    def _class_folders(self) -> dict[SplitName, Path]:
        """The folder that holds the class folders, for each split that there is."""
        return folders_of_splits(self.folder, None)

    def _labelled(self, folder: Path, numbers: dict[str, int]) -> list[Sample]:
        samples = []
        for class_folder in subfolders(folder):
            if class_folder.name not in numbers and self.refuses_classes:
                refuse_unknown(class_folder.name, list(numbers), class_folder, IN_TRAINING)
            for path in walk(class_folder).files:
                name = name_in(self.folder, path)
                if path.suffix.lower() != SUFFIX:
                    self.counted.leave_out(OTHER, "not a text", name, harmless=True)
                    continue
                text = decoded(path.read_bytes(), self.encoding, path)
                samples.append(TextSample(path, name, label=numbers.get(class_folder.name), text=text))
        if not samples:
            raise InputError(f"{folder}: no texts found; expected CLASS/TEXT{SUFFIX}")
        return self.with_words(samples)

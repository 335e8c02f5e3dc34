"""Your own pictures of people, a folder a person: whoever is tested was never trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.census import PICTURES
from cnnexp.data.class_folders import folders_of_splits
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.folders import class_folders, subfolders
from cnnexp.data.identities import LEAST, deal_people
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import leave_out, pictures_in
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError

ALONE = "of people with a single picture, which makes no pair of one person"
_LOOSE = "in nobody's folder"


class FaceFolder(OwnFolder):
    """A folder with ``PERSON/*.jpg``, whose people are dealt out to train, validate and test; or
    ``train/PERSON/*.jpg``, ``val/PERSON/…`` and ``test/PERSON/…``, of which those that are missing are dealt out of
    train.

    People are dealt out whole, the same way every time: a person who is tested is in no training picture. Somebody with
    one picture is for training, as one whom others are not. The names are the folders', in alphabetical order.
    """

    targets = ("identity",)
    open_set = True

    def names(self) -> tuple[str, ...]:
        """Names of all people, whatever split they are in.

        Raises:
            InputError: there are none, or one is in two splits.
        """
        found: dict[str, Path] = {}
        for folder in (self._people_folders[split] for split in SPLITS if split in self._people_folders):
            for person in class_folders(folder):
                if person.name in found:
                    raise InputError(
                        f"{person}: {person.name} is in {found[person.name].name}/ as well; nobody may be in two "
                        "splits, so put all pictures of a person into one"
                    )
                found[person.name] = folder
        if not found:
            raise InputError(f"{self.folder}: holds no folders; expected one folder of pictures per person")
        return tuple(sorted(found))

    def found(self) -> dict[SplitName, list[Sample]]:
        numbers = {name: number for number, name in enumerate(self.class_names())}
        people = {split: self._people(folder, numbers) for split, folder in self._people_folders.items()}
        self._enter_loose()
        missing = [split for split in SPLITS if split not in people]
        dealt = deal_people({name: len(one) for name, one in people["train"].items()}, missing, str(self.folder))
        for split, names in dealt.items():
            people[split] = {name: people["train"].pop(name) for name in names}
        for samples in people["train"].values():
            if len(samples) == 1:
                self.counted.note(PICTURES, ALONE, samples[0].name)
        self._refuse_few(people)
        return {split: [one for own in people[split].values() for one in own] for split in SPLITS}

    def refuse_untaught(self) -> None:
        """Nothing: that people of the test are in no training is what it is for."""

    @cached_property
    def _people_folders(self) -> dict[SplitName, Path]:
        """The folder that holds the people's folders, for each split that there is."""
        return folders_of_splits(self.folder, None)

    def _people(self, folder: Path, numbers: Mapping[str, int]) -> dict[str, list[Sample]]:
        people: dict[str, list[Sample]] = {}
        for own in class_folders(folder):
            if own.name not in numbers and self.refuses_classes:
                refuse_unknown(own.name, list(numbers), own, IN_TRAINING)
            pictures = pictures_in(own, self.folder, self.counted)
            if not pictures:
                self.counted.remark(f"{own}: no picture in it, so {own.name} takes no part")
                continue
            people[own.name] = [self._sample(path, own.name, numbers.get(own.name)) for path in pictures]
        if not people:
            raise InputError(
                f"{folder}: no pictures found; expected {folder.name}/PERSON/PICTURE.jpg (or png, webp, …)"
            )
        return people

    def _sample(self, path: Path, person: str, number: int | None) -> Sample:
        return Sample(path, path.relative_to(self.folder).as_posix(), label=number, columns={"person": person})

    def _refuse_few(self, people: Mapping[SplitName, Mapping[str, Sequence[Sample]]]) -> None:
        """Each split has to have pairs of one person, and of two."""
        for split in SPLITS:
            paired = [name for name, samples in people[split].items() if len(samples) > 1]
            if len(paired) < LEAST:
                raise InputError(
                    f"{self.folder}: {len(paired)} people with two pictures or more for {split}; it takes {LEAST} in "
                    "each of train, val and test"
                )

    def _enter_loose(self) -> None:
        """Pictures in nobody's folder, and in folders that are no split."""
        read = self._people_folders
        for place in dict.fromkeys([self.folder, *read.values()]):
            loose = pictures_in(place, self.folder, self.counted, deep=False)
            leave_out(loose, self.folder, self.counted, _LOOSE)
        if read["train"] == self.folder:
            return
        for folder in (one for one in subfolders(self.folder) if one not in read.values()):
            beside = f"beside {read['train'].name}/"
            leave_out(pictures_in(folder, self.folder, self.counted), self.folder, self.counted, beside)

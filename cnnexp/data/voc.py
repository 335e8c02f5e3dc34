"""Your own boxes in the format of Pascal VOC: one XML file per picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.census import BOXES, PICTURES
from cnnexp.data.class_names import IN_TRAINING, refuse_unknown
from cnnexp.data.folders import by_stem, picture_by_stem, required_folder, split_list
from cnnexp.data.matched_files import settle, settle_notes
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import leave_out
from cnnexp.data.samples import Box, Sample
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.folder_walk import walk
from cnnexp.inputs.picture_files import find_pictures


class Object(NamedTuple):
    """One object of an annotation: the name of its class, its box, and whether it is marked as hard to see."""

    name: str
    box: Box
    difficult: bool = False


Annotation = list[Object]


class VOC(OwnFolder):
    """A folder with ``JPEGImages/``, ``Annotations/`` and, if there are fixed splits, ``ImageSets/Main/*.txt``.

    Without lists the pictures are divided 80 / 10 / 10, the same way every time (see ``complete_splits``). The classes
    are those found in the annotations of training, in alphabetical order, unless ``classes`` names them. Everingham et
    al. 2010.
    """

    targets = ("boxes",)

    def names(self) -> tuple[str, ...]:
        lists = self._lists()
        of_training = self._objects if lists is None else [stem for stem in lists["train"] if stem in self._objects]
        return tuple(sorted({one.name for stem in of_training for one in self._objects[stem]}))

    def found(self) -> dict[SplitName, list[Sample]]:
        pictures = picture_by_stem(required_folder(self.folder, "JPEGImages"), self.folder, self.counted)
        root, census, notes = self.folder, self.counted, self._annotations
        settle_notes(census, notes, pictures, kind="annotations", suffix=".xml", root=root)
        both = {stem: path for stem, path in pictures.items() if stem in notes}
        census.use("annotations", len(both))
        lists = self._lists()
        if lists is None:
            bare = [path for stem, path in pictures.items() if stem not in both]
            fix = "write one for each in Annotations, with no objects if it shows none"
            settle(census, bare, len(both), kind="pictures", reason="without an annotation", fix=fix, root=root)
            return {"train": self._samples(both)}
        found = {split: self._samples(self._listed(split, stems, both)) for split, stems in lists.items()}
        unlisted = [path for stem, path in pictures.items() if not any(stem in stems for stems in lists.values())]
        leave_out(unlisted, root, census, "in no list of ImageSets/Main", harmless=True)
        return found

    def _samples(self, pictures: Mapping[str, Path]) -> list[Sample]:
        numbers = {name: number for number, name in enumerate(self.class_names())}
        for stem in pictures:
            hard = sum(one.difficult for one in self._objects[stem])
            if hard:
                self.counted.note(BOXES, "marked difficult, neither learnt nor counted", stem, count=hard)
        return [
            _sample(stem, picture, self._annotations[stem], self._objects[stem], numbers)
            for stem, picture in pictures.items()
        ]

    def _listed(self, split: SplitName, stems: Iterable[str], both: Mapping[str, Path]) -> dict[str, Path]:
        """Of the pictures with annotations those of a list."""
        lost = [stem for stem in stems if stem not in both]
        total = len(set(stems))
        if len(lost) > total / 2:
            raise InputError(
                f"{self.folder}/ImageSets/Main/{split}.txt: lists {lost[0]}, which JPEGImages holds no picture of "
                f"with an annotation in Annotations, and so {len(lost):,} of {total:,}"
            )
        for stem in lost:
            self.counted.leave_out(PICTURES, f"listed in {split}.txt and not there with an annotation", stem)
        return {stem: both[stem] for stem in stems if stem in both}

    def _lists(self) -> dict[SplitName, dict[str, None]] | None:
        """The stems that ImageSets/Main lists for each split; None where there is no list for training."""
        lists = self.folder / "ImageSets" / "Main"
        listed = {
            split: dict.fromkeys(split_list(lists, split)) for split in SPLITS if (lists / f"{split}.txt").is_file()
        }
        return listed if "train" in listed else None

    @cached_property
    def _annotations(self) -> dict[str, Path]:
        """The XML files by their paths without suffix."""
        folder = required_folder(self.folder, "Annotations")
        files = (path for path in walk(folder).files if path.suffix.lower() == ".xml")
        return {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}

    @cached_property
    def _objects(self) -> dict[str, Annotation]:
        return {stem: read_annotation(path) for stem, path in self._annotations.items()}


def voc_samples(root: Path, stems: Sequence[str], classes: Sequence[str]) -> tuple[Sample, ...]:
    """The samples of a folder in VOC's layout.

    Raises:
        InputError: a picture or annotation is missing, or names a class that is not among ``classes``.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    folder = required_folder(root, "JPEGImages")
    pictures = by_stem(find_pictures(folder), folder)
    annotations = required_folder(root, "Annotations")
    missing = [stem for stem in stems if stem not in pictures]
    if missing:
        raise CorruptFile(f"{folder}: holds no picture {missing[0]}, though one is named")
    paths = {stem: annotations / f"{stem}.xml" for stem in stems}
    return tuple(_sample(stem, pictures[stem], path, read_annotation(path), numbers) for stem, path in paths.items())


def read_annotation(path: Path) -> Annotation:
    """Class names and boxes of one XML file. VOC counts pixels from 1 and includes the last; the result counts from 0
    and excludes it.

    Raises:
        CorruptFile: not XML, or an object without a name or with a box that is not four numbers.
    """
    try:
        root = ElementTree.parse(path).getroot()
        return [Object(_text(item, "name"), _box(item), _difficult(item)) for item in root.iter("object")]
    except FileNotFoundError as error:
        raise CorruptFile(
            f"{path}: no such file; every picture needs an annotation (with no objects, if it shows none)"
        ) from error
    except (ElementTree.ParseError, ValueError, OSError) as error:
        raise CorruptFile(f"{path}: not a VOC annotation ({error})") from error


def _sample(stem: str, picture: Path, annotation: Path, objects: Annotation, numbers: Mapping[str, int]) -> Sample:
    for name in sorted({one.name for one in objects}):
        refuse_unknown(name, list(numbers), annotation, IN_TRAINING)
    boxes, classes = tuple(one.box for one in objects), tuple(numbers[one.name] for one in objects)
    ignored = tuple(one.difficult for one in objects)
    return Sample(picture, stem, boxes=boxes, classes=classes, ignored=ignored, hard=True)


def _box(item: ElementTree.Element) -> Box:
    x1, y1, x2, y2 = (float(_text(item, f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax"))
    return x1 - 1, y1 - 1, x2, y2


def _difficult(item: ElementTree.Element) -> bool:
    return (item.findtext("difficult") or "").strip().lower() in ("1", "true")


def _text(item: ElementTree.Element, path: str) -> str:
    found = item.findtext(path)
    if found is None or not found.strip():
        raise ValueError(f"an object has no {path}")
    return found.strip()

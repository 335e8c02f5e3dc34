"""Your own shapes drawn with labelme: one JSON file per picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from cnnexp.augmentation.motion import VOID
from cnnexp.data.base import SplitName
from cnnexp.data.coco import refuse_no_background, with_background
from cnnexp.data.drawn_masks import Drawing, Region, kind_of, use_objects, values_of_classes
from cnnexp.data.folders import split_folders
from cnnexp.data.labelme_files import Annotation, Shape, read_annotation
from cnnexp.data.matched_files import settle
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import leave_out, name_in, pictures_in
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import walk

IGNORED, OWN_BACKGROUND = "__ignore__", "_background_"
"""What labelme calls pixels that are not to be learnt, and the background."""


class LabelMe(OwnFolder):
    """A folder of pictures with the JSON files of labelme, beside them or where their ``imagePath`` leads to them; with
    ``train``, ``val`` and ``test`` folders or without splits (then see ``complete_splits``).

    Where the task learns boxes these are around the shapes; where it learns masks the shapes are drawn (see ``Drawing``
    for those that overlap) on a background that is the first class; where it learns instances each shape is an object,
    and outlines of one label and one ``group_id`` are one. Lines and points have no area and are left out;
    ``__ignore__`` is void in masks and no box. The classes are the labels in alphabetical order, unless ``classes``
    names some of them. A picture without a JSON file is left out: nobody says that it shows nothing.
    """

    targets = ("boxes", "mask", "instances")

    def names(self) -> tuple[str, ...]:
        shapes = (shape for notes in self._annotations.values() for note in notes for shape in note.shapes)
        names = sorted({shape.name for shape in shapes if not shape.problem} - {IGNORED, OWN_BACKGROUND})
        if not names:
            raise InputError(f"{self.folder}: the JSON files hold no shape with an area")
        return with_background(names) if self.target == "mask" else tuple(names)

    def mask_values(self) -> tuple[int, ...] | None:
        return values_of_classes(len(self.class_names())) if self.target == "mask" else None

    def found(self) -> dict[SplitName, list[Sample]]:
        if self.target == "mask":
            refuse_no_background(self.classes)
        found = {split: self._samples(notes) for split, notes in self._annotations.items()}
        samples = [sample for part in found.values() for sample in part]
        use_objects(self.counted, (sample.drawn for sample in samples if sample.drawn is not None))
        used = {sample.picture for sample in samples}
        pictures = pictures_in(self.folder, self.folder, self.counted)
        bare = (path for path in pictures if path.parent.resolve() / path.name not in used)
        leave_out(bare, self.folder, self.counted, "without a JSON file", "a picture that shows nothing has one, too")
        return found

    @cached_property
    def _annotations(self) -> dict[SplitName, list[Annotation]]:
        folders = split_folders(self.folder) or {"train": self.folder}
        if "train" not in folders:
            raise InputError(f"{self.folder}: holds {', '.join(p.name for p in folders.values())} but no train")
        found = {split: self._read(folder) for split, folder in folders.items()}
        if not found["train"]:
            raise InputError(f"{folders['train']}: holds no JSON file of labelme")
        return found

    def _read(self, folder: Path) -> list[Annotation]:
        files = [path for path in walk(folder).files if path.suffix.lower() == ".json"]
        notes = {path: read_annotation(path) for path in files}
        for path in (path for path, note in notes.items() if note is None):
            self.counted.leave_out("label files", "not of labelme", name_in(self.folder, path), harmless=True)
        found = [note for note in notes.values() if note is not None]
        lost = [note.path for note in found if note.picture is None]
        settle(
            self.counted, lost, len(found) - len(lost), kind="label files", root=self.folder,
            reason="without a picture where imagePath says", fix="put each JSON file beside its picture",
        )  # fmt: skip
        self.counted.use("label files", len(found) - len(lost))
        return [note for note in found if note.picture is not None]

    def _samples(self, notes: Sequence[Annotation]) -> list[Sample]:
        whose: dict[Path, Path] = {}
        samples = []
        for note in notes:
            assert note.picture is not None
            if (other := whose.setdefault(note.picture, note.path)) != note.path:
                raise InputError(f"{note.path}: is for {note.picture.name}, and so is {other}; remove one of them")
            samples.append(self._sample(note, note.picture))
        return samples

    def _sample(self, note: Annotation, picture: Path) -> Sample:
        name = name_in(self.folder.resolve(), picture)
        if self.target is None:
            return Sample(picture, name)
        shapes = [(shape, number) for shape in note.shapes if (number := self._number(shape, name)) is not None]
        if self.target == "boxes":
            boxes, classes = tuple(shape.box for shape, _ in shapes), tuple(number for _, number in shapes)
            return Sample(picture, name, boxes=boxes, classes=classes)
        if self.target == "instances":
            shapes = _joined(shapes)
        regions = tuple(Region(value, one.outlines, one.runs) for one, value in shapes)
        drawn = Drawing(regions, str(note.path), note.size)
        classes = tuple(number for _, number in shapes) if self.target == "instances" else ()
        return Sample(picture, name, drawn=drawn, classes=classes)

    def _number(self, shape: Shape, name: str) -> int | None:
        """The class of a shape, None for one that is left out."""
        kind = kind_of(self.target)
        if shape.problem:
            self.counted.leave_out(kind, shape.problem, name)
        elif shape.name == IGNORED and self.target == "mask":
            return VOID
        elif shape.name == IGNORED:
            self.counted.leave_out(kind, f"called {IGNORED}", name, harmless=True)
        elif shape.name == OWN_BACKGROUND and self.target == "mask":
            return 0
        elif shape.name not in self._numbers:
            self.counted.leave_out(kind, "of classes that are not asked for", name, harmless=True)
        else:
            return self._numbers[shape.name]
        return None

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.class_names())}


def _joined(shapes: Sequence[tuple[Shape, int]]) -> list[tuple[Shape, int]]:
    """Shapes of one class and one group as one object; its place is that of the first of them."""
    found: dict[object, tuple[Shape, int]] = {}
    for place, (shape, number) in enumerate(shapes):
        key = (number, shape.group) if shape.group is not None and shape.runs is None else place
        first = found.get(key, (shape._replace(outlines=()), number))[0]
        found[key] = (first._replace(outlines=first.outlines + shape.outlines), number)
    return list(found.values())

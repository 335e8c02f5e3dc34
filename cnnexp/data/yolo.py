"""Your own boxes or masks in the format of YOLO: one text file per picture, a line per object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cnnexp.data.base import SplitName
from cnnexp.data.class_names import IN_TRAINING, LEFT_OUT, numbering, refuse_unknown
from cnnexp.data.coco import refuse_no_background, with_background
from cnnexp.data.drawn_masks import (
    OBJECTS,
    OUTLINED,
    Drawing,
    Region,
    outlined_box,
    packed,
    use_objects,
    values_of_classes,
)
from cnnexp.data.matched_files import enter_bare, settle_notes
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Box, Sample
from cnnexp.data.text_files import read_names, read_text, read_yaml_words
from cnnexp.data.yolo_layout import Part, settings_file, yolo_parts
from cnnexp.errors import InputError

# Box edges are written with few digits, so they may stick out of the picture by a rounding error.
_ROUNDING = 1e-3
_BOX, _FEWEST = 5, 6
"""Words of a line that is a box; numbers of an outline with three points."""
_OUTLINED = "outlines in label files: the boxes around them are taken"


class Line(NamedTuple):
    """The number of a class, x1 y1 x2 y2 and the outline where there is one; all in parts of the picture."""

    kind: int
    box: Box
    outline: bytes = b""


class YOLO(OwnFolder):
    """A folder with ``images/`` and ``labels/``, each with ``train``, ``val`` and ``test`` inside, or the other way
    round (``train/images``, ``train/labels``), or without splits (then see ``complete_splits``).

    Sub-folders of ``images/`` have their counterparts in ``labels/``. Where ``data.yaml`` says ``train:``, ``val:`` and
    ``test:`` (folders, lists of them, or text files that list pictures), these are read.

    ``labels/X.txt`` holds "class x y width height" per line: the box's centre and size as fractions of the picture; or
    "class x1 y1 x2 y2 x3 y3 ...", an outline, of which the box around is taken. Where the task learns masks the
    outlines are drawn on a background that is the first class (see ``Drawing`` for those that overlap); where it learns
    instances each outline is an object. A picture without such a file shows nothing. The classes are the ``names`` of
    ``data.yaml`` or the lines of ``classes.txt``; ``classes`` puts them in another order, or names them where there is
    neither. Redmon et al. 2016.
    """

    targets = ("boxes", "mask", "instances")

    def names(self) -> tuple[str, ...]:
        names = self.listed()
        if names is None:
            raise InputError(
                f"{self.folder}: holds neither data.yaml nor classes.txt; name the classes with 'data.classes=[a,b]'"
            )
        return names

    def listed(self) -> tuple[str, ...] | None:
        names = _names_in(self.folder)
        return with_background(names) if self.target == "mask" and names is not None else names

    def mask_values(self) -> tuple[int, ...] | None:
        return values_of_classes(len(self.class_names())) if self.target == "mask" else None

    def found(self) -> dict[SplitName, list[Sample]]:
        there, order = self._in_files()
        parts = yolo_parts(self.folder, self.counted)
        found = {split: self._samples_of(part, there, order) for split, part in parts.items()}
        drawings = [one.drawn for samples in found.values() for one in samples if one.drawn is not None]
        use_objects(self.counted, drawings)
        if drawings and not any(one.regions for one in drawings):
            raise InputError(f"{self.folder}: no label file has an outline; boxes alone are no masks")
        return found

    def _in_files(self) -> tuple[Sequence[str], Sequence[int]]:
        """The names of the numbers in the files, and the class of each; in masks the background comes before them."""
        if self.target == "mask":
            refuse_no_background(self.classes)
        names = self.class_names()
        there = _names_in(self.folder) or (names[1:] if self.target == "mask" else names)
        order = list(numbering(names, self.listed() or names, str(self.folder)))
        if self.target != "mask":
            return there, order
        place_of = {name: order[place] for place, name in enumerate(self.listed() or names)}
        return there, [place_of[name] for name in there]

    def _samples_of(self, part: Part, there: Sequence[str], order: Sequence[int]) -> list[Sample]:
        """The samples of a split; ``order`` has the class of each number in the files, whose names are ``there``."""
        if not part.labels:
            raise InputError(f"{part.where}: no pictures found")
        self._settle(part)
        samples = []
        for picture, (name, label) in part.labels.items():
            samples.append(self._sample(Sample(picture, name, relative=True), label, there, order))
        return samples

    def _sample(self, bare: Sample, label: Path, there: Sequence[str], order: Sequence[int]) -> Sample:
        if self.target is None:
            return bare
        lines = read_label_file(label, len(there), points_too=self._has_key_points)
        taken = [name for name, number in zip(there, order, strict=True) if number != LEFT_OUT]
        for kind in sorted({line.kind for line in lines}):
            refuse_unknown(there[kind], taken, label, IN_TRAINING)
        if self.target in OUTLINED:
            if boxes := sum(not line.outline for line in lines):
                self.counted.leave_out(OBJECTS, "that are boxes without an outline", bare.name, count=boxes)
            regions = tuple(Region(order[line.kind], (line.outline,)) for line in lines if line.outline)
            classes = tuple(region.value for region in regions) if self.target == "instances" else ()
            return replace(bare, drawn=Drawing(regions, str(label), relative=True), classes=classes)
        if any(line.outline for line in lines):
            self.counted.remark(_OUTLINED)
        return replace(bare, boxes=tuple(line.box for line in lines), classes=tuple(order[line.kind] for line in lines))

    @cached_property
    def _has_key_points(self) -> bool:
        """Whether points of a pose follow each box, as ``kpt_shape`` of the settings says."""
        settings = settings_file(self.folder)
        content = None if settings is None else read_yaml_words(settings)
        return isinstance(content, dict) and "kpt_shape" in content

    def _settle(self, part: Part) -> None:
        """Label files and pictures that do not find each other, and label files without a line."""
        root, wanted = (
            part.root,
            {label.with_suffix("").as_posix(): picture for picture, (_, label) in part.labels.items()},
        )
        notes = {_stem(path): path for path in part.label_files}
        settle_notes(self.counted, notes, wanted, kind="label files", suffix=".txt", root=root)
        there = {path for path in part.label_files if path.suffix == ".txt"}
        bare = (picture for picture, (_, label) in part.labels.items() if label not in there)
        enter_bare(self.counted, bare, root, "without a label file, taken to show nothing")
        matched = [path for stem, path in notes.items() if stem in wanted]
        self.counted.use("label files", len(matched))


def read_label_file(path: Path, class_count: int, *, points_too: bool = False) -> list[Line]:
    """What each line says.

    Args:
        points_too: whether the points of a pose follow each box; they are not read.

    Raises:
        InputError: a line is neither a box nor an outline in fractions, or names a class that there is not; the message
            names the file and the line.
    """
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        return []
    kept = {number: line.split() for number, line in enumerate(lines, 1) if line.strip()}
    return [
        _parse(f"{path}:{number}", words[:_BOX] if points_too else words, class_count) for number, words in kept.items()
    ]


def _parse(where: str, words: Sequence[str], class_count: int) -> Line:
    line = " ".join(words)
    try:
        kind, numbers = int(words[0]), [float(word) for word in words[1:]]
        if len(numbers) < 4:
            raise ValueError("too few numbers")
    except ValueError as error:
        raise InputError(f"{where}: expected 'class x y width height', found '{line[:60]}'") from error
    if len(numbers) > 4 and (len(numbers) < _FEWEST or len(numbers) % 2):
        raise InputError(
            f"{where}: expected 'class x y width height', or an outline 'class x1 y1 x2 y2 x3 y3 ...', found "
            f"{len(numbers)} numbers behind the class: '{line[:60]}'"
        )
    if not 0 <= kind < class_count:
        raise InputError(f"{where}: class {kind} is not among the {class_count} classes (0 to {class_count - 1})")
    if not all(math.isfinite(one) and -_ROUNDING <= one <= 1 + _ROUNDING for one in numbers):
        raise InputError(f"{where}: expected fractions of the picture's width and height, found '{line[:60]}'")
    if len(numbers) > 4:
        outline = packed(numbers)
        return Line(kind, outlined_box([outline]), outline)
    x, y, width, height = numbers
    if min(width, height) <= 0:
        raise InputError(f"{where}: expected fractions of the picture's width and height, found '{line[:60]}'")
    return Line(kind, (x - width / 2, y - height / 2, x + width / 2, y + height / 2))


def _stem(path: Path) -> str:
    """A label file's path without suffix; with it where it is not written as it is looked for (a.TXT)."""
    return path.with_suffix("").as_posix() if path.suffix == ".txt" else path.as_posix()


def _names_in(root: Path) -> tuple[str, ...] | None:
    settings = settings_file(root)
    if settings is not None:
        return _names_in_yaml(settings)
    for path in (root / "classes.txt", root / "labels" / "classes.txt"):
        if path.is_file():
            return read_names(path)
    return None


def _names_in_yaml(path: Path) -> tuple[str, ...]:
    content = read_yaml_words(path)
    try:
        names = content["names"]
        # a list, or numbers to names
        ordered = list(names) if isinstance(names, list) else [names[str(number)] for number in range(len(names))]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: has no 'names:' with a list of the classes, or with numbers from 0") from error
    if str(content.get("nc", len(ordered))) != str(len(ordered)):
        raise InputError(f"{path}: nc: {content['nc']}, and {len(ordered)} names; they must be as many")
    return tuple(str(name) for name in ordered)

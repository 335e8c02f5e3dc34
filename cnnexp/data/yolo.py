"""Your own boxes in the format of YOLO: one text file per picture, a line per box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from cnnexp.data.base import SplitName
from cnnexp.data.class_names import IN_TRAINING, LEFT_OUT, numbering, refuse_unknown
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.pairs import enter_bare, settle_notes
from cnnexp.data.samples import Sample
from cnnexp.data.text_files import read_names, read_text, read_yaml_words
from cnnexp.data.yolo_layout import Part, settings_file, yolo_parts
from cnnexp.errors import InputError

# Box edges are written with few digits, so they may stick out of the picture by a rounding error.
_ROUNDING = 1e-3
_Line = tuple[int, tuple[float, float, float, float]]


class YOLO(OwnFolder):
    """A folder with ``images/`` and ``labels/``, each with ``train``, ``val`` and ``test`` inside, or the other way
    round (``train/images``, ``train/labels``), or without splits (then see ``complete_splits``).

    Sub-folders of ``images/`` have their counterparts in ``labels/``. Where ``data.yaml`` says ``train:``, ``val:`` and
    ``test:`` (folders, lists of them, or text files that list pictures), these are read.

    ``labels/X.txt`` holds "class x y width height" per line: the box's centre and size as fractions of the picture. A
    picture without such a file has no boxes. The classes are the ``names`` of ``data.yaml`` or the lines of
    ``classes.txt``; ``classes`` puts them in another order, or names them where there is neither. Redmon et al. 2016.
    """

    targets = ("boxes",)
    boxed = True

    def names(self) -> tuple[str, ...]:
        names = self.listed()
        if names is None:
            raise InputError(
                f"{self.folder}: holds neither data.yaml nor classes.txt; name the classes with 'data.classes=[a,b]'"
            )
        return names

    def listed(self) -> tuple[str, ...] | None:
        return _names_in(self.folder)

    def found(self) -> dict[SplitName, list[Sample]]:
        names = self.class_names()
        there = self.listed() or names
        order = numbering(names, there, str(self.folder))
        parts = yolo_parts(self.folder, self.counted)
        return {split: self._samples_of(part, there, order) for split, part in parts.items()}

    def _samples_of(self, part: Part, there: Sequence[str], order: Sequence[int]) -> list[Sample]:
        """The samples of a split; ``order`` has the class of each number in the files, whose names are ``there``."""
        if not part.labels:
            raise InputError(f"{part.where}: no pictures found")
        self._settle(part)
        taken = [name for name, number in zip(there, order, strict=True) if number != LEFT_OUT]
        samples = []
        for picture, (name, label) in part.labels.items():
            lines = read_label_file(label, len(there))
            for kind in sorted({kind for kind, _ in lines}):
                refuse_unknown(there[kind], taken, label, IN_TRAINING)
            boxes, classes = tuple(box for _, box in lines), tuple(order[kind] for kind, _ in lines)
            samples.append(Sample(picture, name, boxes=boxes, classes=classes, relative=True))
        return samples

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


def read_label_file(path: Path, class_count: int) -> list[_Line]:
    """Class and x1 y1 x2 y2 (fractions of the picture) of every line.

    Raises:
        InputError: a line is not "class x y width height" with fractions, or names a class that there is not; the
            message names the file and the line.
    """
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        return []
    return [_parse(f"{path}:{number}", line, class_count) for number, line in enumerate(lines, 1) if line.strip()]


def _parse(where: str, line: str, class_count: int) -> _Line:
    words = line.split()
    try:
        kind, (x, y, width, height) = int(words[0]), (float(word) for word in words[1:])
    except ValueError as error:
        raise InputError(f"{where}: expected 'class x y width height', found '{line.strip()[:60]}'") from error
    if not 0 <= kind < class_count:
        raise InputError(f"{where}: class {kind} is not among the {class_count} classes (0 to {class_count - 1})")
    values = (x, y, width, height)
    if not all(math.isfinite(v) and -_ROUNDING <= v <= 1 + _ROUNDING for v in values) or min(width, height) <= 0:
        raise InputError(f"{where}: expected fractions of the picture's width and height, found '{line.strip()[:60]}'")
    return kind, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


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

"""Your own boxes in the format of YOLO: one text file per picture, a line per box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import yaml

from cnnexp.data.base import SplitName
from cnnexp.data.class_names import IN_TRAINING, LEFT_OUT, numbering, refuse_unknown
from cnnexp.data.folders import (
    paired_folders,
    picture_by_stem,
)
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError

# Box edges are written with few digits, so they may stick out of the picture by a rounding error.
_ROUNDING = 1e-3
_Line = tuple[int, tuple[float, float, float, float]]


class YOLO(OwnFolder):
    """A folder with ``images/`` and ``labels/``, each with ``train``, ``val`` and ``test`` inside, or the other way
    round (``train/images``, ``train/labels``), or without splits (then see ``complete_splits``).

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
        folders = paired_folders(self.folder, "images", "labels")
        return {split: _samples_of(images, labels, there, order) for split, images, labels in folders}


def read_label_file(path: Path, class_count: int) -> list[_Line]:
    """Class and x1 y1 x2 y2 (fractions of the picture) of every line.

    Raises:
        InputError: a line is not "class x y width height" with fractions, or names a class that there is not; the
            message names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a text file ({error})") from error
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


def _samples_of(images: Path, labels: Path, there: Sequence[str], order: Sequence[int]) -> list[Sample]:
    """The samples of a folder; ``order`` has the class of each number in the files, whose names are ``there``."""
    taken = [name for name, number in zip(there, order, strict=True) if number != LEFT_OUT]
    samples = []
    for stem, path in picture_by_stem(images).items():
        lines = read_label_file(labels / f"{stem}.txt", len(there))
        for kind in sorted({kind for kind, _ in lines}):
            refuse_unknown(there[kind], taken, labels / f"{stem}.txt", IN_TRAINING)
        boxes, classes = tuple(box for _, box in lines), tuple(order[kind] for kind, _ in lines)
        samples.append(Sample(path, path.name, boxes=boxes, classes=classes, relative=True))
    if not samples:
        raise InputError(f"{images}: no pictures found")
    return samples


def _names_in(root: Path) -> tuple[str, ...] | None:
    for name in ("data.yaml", "dataset.yaml"):
        if (root / name).is_file():
            return _names_in_yaml(root / name)
    for path in (root / "classes.txt", root / "labels" / "classes.txt"):
        if path.is_file():
            return tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return None


def _names_in_yaml(path: Path) -> tuple[str, ...]:
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8"))["names"]
        ordered = [names[number] for number in range(len(names))]  # a list, or numbers to names
    except (yaml.YAMLError, OSError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: has no 'names:' with a list of the classes, or with numbers from 0") from error
    return tuple(str(name) for name in ordered)

"""Your own pictures in a table: one row for each, with its class, its classes or its numbers, or one for each box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from cnnexp.data.base import SplitName
from cnnexp.data.census import BOXES, PICTURES
from cnnexp.data.folders import existing_root
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import leave_out, pictures_in
from cnnexp.data.samples import InMemory, Sample
from cnnexp.data.table import Row, Table, read_table
from cnnexp.data.table_columns import Columns, described, find_columns, split_of_cell
from cnnexp.data.table_truths import (
    boxes_of,
    classes_of,
    numbers_of,
    one_class,
    refuse_numbers,
    sorted_classes,
)
from cnnexp.errors import InputError
from cnnexp.inputs.folder_walk import walk
from cnnexp.inputs.picture_files import Size
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES

_NOT_ASKED_FOR = "of classes that are not asked for"


class CSV(OwnFolder):
    """A table with a header, and the pictures that its rows name.

    What is read is the truth that the task learns. ``label``: a class for each picture. ``labels``: none, one or
    several. ``boxes``: a row for each box. ``value``: numbers. Where a column names the splits they are kept, else
    see ``complete_splits``. The classes are those found, in alphabetical order (numbers by their size), unless
    ``classes`` names them; for numbers they are the names of the columns.

    Args:
        file: the table. root: the folder that its names of files begin in; None for the table's own.
        columns: names of columns by ``file``, ``label``, ``value``, ``box`` and ``split``; null where it is called as
            usual (see ``table_columns``). box: what the four columns of a box are.
    """

    targets = ("label", "labels", "boxes", "value")

    def __init__(
        self,
        *,
        file: str | None,
        root: str | None,
        columns: Mapping[str, Any],
        box: Literal["xyxy", "xywh", "cxcywh"] | None,
        classes: Sequence[str] | None,
        image_size: Size,
        channels: int,
        in_memory: InMemory,
        range: tuple[float, float] | None = None,
        background: str | None = None,
        unreadable: str = "fail",
        target: str | None = None,
    ) -> None:
        super().__init__(
            root=root, classes=classes, image_size=image_size, channels=channels, in_memory=in_memory,
            range=range, background=background, unreadable=unreadable, target=target,
        )  # fmt: skip
        self.file, self.stated, self.box_form = file, columns, box

    def names(self) -> tuple[str, ...]:
        if self.target == "value":
            return self._columns.values
        if len(self._columns.labels) != 1:
            return self._columns.labels
        names = sorted_classes(self._words)
        refuse_numbers(self._table, names, self._columns.labels[0])
        if not names:
            raise InputError(f"{self._table.path}: no row names a class in {', '.join(self._columns.labels)}")
        return names

    def found(self) -> dict[SplitName, list[Sample]]:
        rows = self._rows_by_picture()
        samples = self._with_columns(self._labelled(self._pictures(rows), rows), rows)
        self.counted.remark(f"{self._table.path.name}: {len(self._table.rows):,} rows, {described(self._columns)}")
        if self._columns.split is None:
            return {"train": samples}
        found: dict[SplitName, list[Sample]] = {"train": []}
        for sample in samples:
            found.setdefault(self._split_of(sample.name, rows[sample.name]), []).append(sample)
        if not found["train"]:
            raise InputError(f"{self._table.path}: no row says train in {self._columns.split}")
        return found

    @cached_property
    def folder(self) -> Path:
        return self._table.path.parent if self.root is None else existing_root(self.root, "csv")

    @cached_property
    def _table(self) -> Table:
        if self.file is None:
            raise InputError("data=csv reads a table of yours: add data.file=FILE.csv")
        path = Path(self.file).expanduser()
        if not path.is_file() and self.root is not None:
            inside = existing_root(self.root, "csv") / path
            path = inside if inside.is_file() else path
        return read_table(path)

    @cached_property
    def _columns(self) -> Columns:
        return find_columns(self._table, self.target, self.stated, self.box_form)

    @cached_property
    def _words(self) -> dict[int, tuple[str, ...]]:
        return classes_of(self._table, self._columns, several=self.target == "labels")

    def _rows_by_picture(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self._table.rows:
            cell = row.cells[self._columns.file].replace("\\", "/")
            if not cell:
                raise InputError(f"{self._table.where(row)}: names no picture in {self._columns.file}")
            found.setdefault(PurePosixPath(cell).as_posix(), []).append(row)
        return found

    def _pictures(self, names: Iterable[str]) -> dict[str, Path]:
        """The pictures that are there, by the names that rows have for them."""
        places = {name: _find(self.folder, name) for name in names}
        missing = [name for name, place in places.items() if place is None]
        if len(missing) > len(places) / 2:
            raise InputError(
                f"{self._table.path}: names {missing[0]}, which is not in {self.folder}, and so {len(missing):,} of "
                f"{len(places):,} pictures; {self._where_they_are(missing[0])}"
            )
        for name in missing:
            self.counted.leave_out(PICTURES, "that are not there", name)
        found = {name: place for name, place in places.items() if place is not None}
        self._refuse_one_file_twice(found)
        self._enter_unnamed(set(found.values()))
        return found

    def _where_they_are(self, name: str) -> str:
        for path in walk(self.folder).files:
            inside = path.relative_to(self.folder).as_posix()
            if inside.endswith(f"/{name}"):
                return f"there is {inside}: data.root={self.folder / inside.removesuffix(f'/{name}')}"
        return "data.root=FOLDER says where its names of files begin"

    def _refuse_one_file_twice(self, places: Mapping[str, Path]) -> None:
        names: dict[Path, str] = {}
        for name, place in places.items():
            if names.setdefault(place, name) != name:
                raise InputError(f"{self._table.path}: {name} and {names[place]} are one file; write one name for it")

    def _enter_unnamed(self, used: set[Path]) -> None:
        """Pictures in the folders that are read, of which no row speaks."""
        inside = [path.relative_to(self.folder) for path in used if path.is_relative_to(self.folder)]
        for first in sorted({path.parts[0] if len(path.parts) > 1 else "" for path in inside}):
            pictures = pictures_in(self.folder / first, self.folder, self.counted, deep=bool(first))
            leave_out((path for path in pictures if path not in used), self.folder, self.counted, "named by no row")

    def _labelled(self, places: Mapping[str, Path], rows: Mapping[str, Sequence[Row]]) -> list[Sample]:
        """A sample for each picture with what its rows say; those that say nothing are left out."""
        samples = [Sample(place, name) for name, place in places.items()]
        there = {name: rows[name] for name in places}
        names = () if self.target is None else self.class_names()
        numbers = {name: number for number, name in enumerate(names)}
        if self.target == "label":
            words = one_class(self._table, there, self._words, self.counted)
            said = [(one, words[one.name]) for one in samples]
            self._leave_out("without a class", [one for one, word in said if word is None])
            others = [one for one, word in said if word is not None and word not in numbers]
            self._leave_out(_NOT_ASKED_FOR, others, harmless=True)
            return [replace(one, label=numbers[word]) for one, word in said if word in numbers]
        if self.target == "labels":
            return [replace(one, labels=self._all_classes(rows[one.name], numbers)) for one in samples]
        if self.target == "boxes":
            return self._boxed(samples, rows, numbers)
        if self.target == "value":
            values = numbers_of(self._table, self._columns, there, self.counted)
            self._leave_out("without a number", [one for one in samples if values[one.name] is None])
            return [replace(one, values=found) for one in samples if (found := values[one.name]) is not None]
        return samples

    def _leave_out(self, why: str, samples: Sequence[Sample], *, harmless: bool = False) -> None:
        for one in samples:
            self.counted.leave_out(PICTURES, why, one.name, harmless=harmless)

    def _all_classes(self, rows: Sequence[Row], numbers: Mapping[str, int]) -> tuple[int, ...]:
        return tuple(sorted({numbers[word] for row in rows for word in self._words[row.line] if word in numbers}))

    def _boxed(
        self, samples: Sequence[Sample], rows: Mapping[str, Sequence[Row]], numbers: Mapping[str, int]
    ) -> list[Sample]:
        found = {one.name: boxes_of(self._table, self._columns, rows[one.name], self._words) for one in samples}
        edges = [edge for boxes in found.values() for box, _ in boxes for edge in box]
        relative = bool(edges) and max(edges) <= 1
        if relative:
            self.counted.remark("boxes: no number above 1, so they are parts of the pictures' width and height")
        made = []
        for one in samples:
            boxes = [(box, numbers[word]) for box, word in found[one.name] if word in numbers]
            if others := len(found[one.name]) - len(boxes):
                self.counted.leave_out(BOXES, _NOT_ASKED_FOR, one.name, count=others, harmless=True)
            made.append(
                replace(
                    one,
                    boxes=tuple(box for box, _ in boxes),
                    classes=tuple(number for _, number in boxes),
                    relative=relative,
                )
            )
        return made

    def _with_columns(self, samples: Sequence[Sample], rows: Mapping[str, Sequence[Row]]) -> list[Sample]:
        """The samples with all columns in which the rows of each picture agree."""
        header = [
            column
            for column in self._table.header
            if all(len({row.cells[column] for row in rows[one.name]}) == 1 for one in samples)
        ]
        if self.group in self._table.header and self.group not in header:
            raise InputError(
                f"data.split.group={self.group}: rows of one picture have different ones in {self._table.path}"
            )
        return [replace(one, columns={key: rows[one.name][0].cells[key] for key in header}) for one in samples]

    def _split_of(self, name: str, rows: Sequence[Row]) -> SplitName:
        assert self._columns.split is not None
        splits = {}
        for row in rows:
            split = split_of_cell(row.cells[self._columns.split])
            if split is None:
                cell = row.cells[self._columns.split]
                raise InputError(
                    f"{self._table.where(row)}: {self._columns.split} is {cell!r}; train, val and test are known; "
                    "data.columns.split=NAME names another column"
                )
            splits[split] = row
        if len(splits) > 1:
            lines = " and ".join(f"{split} (line {row.line})" for split, row in splits.items())
            raise InputError(f"{self._table.path}: {name} is in {lines}; a picture is in one split")
        return next(iter(splits))


def _find(folder: Path, name: str) -> Path | None:
    """The picture of a name, which may be written without its suffix."""
    path = folder / name
    if path.is_file():
        return path
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return None
    with_suffix = [one for suffix in sorted(PICTURE_SUFFIXES) for one in _spelt(path, suffix) if one.is_file()]
    if len(with_suffix) > 1:
        raise InputError(f"{with_suffix[0]}: {with_suffix[1].name} is there too; the table has to say which is meant")
    return next(iter(with_suffix), None)


def _spelt(path: Path, suffix: str) -> list[Path]:
    return [path.with_name(path.name + one) for one in (suffix, suffix.upper())]

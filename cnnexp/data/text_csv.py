"""Your own texts in a table: one row for each, with its class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from cnnexp.data.base import SplitName
from cnnexp.data.own_texts import OwnTexts, TextSample
from cnnexp.data.samples import Sample
from cnnexp.data.table import Row, Table, is_missing, read_table
from cnnexp.data.table_columns import one_column, split_column, split_of_cell
from cnnexp.data.table_truths import sorted_classes
from cnnexp.errors import InputError


class TextCSV(OwnTexts):
    """A table with a header; a row is a text and its class.

    Where a column names the splits they are kept, else see ``complete_splits``. The classes are those found, in
    alphabetical order, unless ``classes`` names them. Rows without a word or without a class are left out and counted.

    Args:
        file: the table. columns: names of columns by ``text``, ``label`` and ``split``; null where it is called as
            usual (see ``table_columns``). encoding: of the table.
    """

    def __init__(
        self,
        *,
        file: str | None,
        columns: Mapping[str, Any],
        classes: tuple[str, ...] | None,
        encoding: str,
        target: str | None = None,
    ) -> None:
        super().__init__(root=None, classes=classes, encoding=encoding, target=target)
        self.file, self.stated = file, columns

    @cached_property
    def folder(self) -> Path:
        return self._table.path

    @cached_property
    def _table(self) -> Table:
        if self.file is None:
            own = type(self).__module__.rpartition(".")[2]
            raise InputError(f"data={own} reads a table of yours: add data.file=FILE.csv")
        return read_table(Path(self.file).expanduser(), self.encoding)

    @cached_property
    def _roles(self) -> dict[str, str | None]:
        table, known = self._table, [role for role in self.stated if role not in ("text", "label", "split")]
        if known:
            raise InputError(f"data.columns.{known[0]}: no such column of texts; text, label and split are known")
        return {
            "text": one_column(table, "text", self.stated),
            "label": one_column(table, "label", self.stated),
            "split": split_column(table, self.stated),
        }

    def names(self) -> tuple[str, ...]:
        found = {row.line: (label,) for row in self._table.rows if (label := self._label(row)) is not None}
        names = sorted_classes(found)
        if not names:
            raise InputError(f"{self._table.path}: no row names a class in {self._roles['label']}")
        return names

    def found(self) -> dict[SplitName, list[Sample]]:
        numbers = {name: number for number, name in enumerate(self.class_names())}
        found: dict[SplitName, list[TextSample]] = {"train": []}
        for row in self._table.rows:
            label, name = self._label(row), f"{self._table.path.name}:{row.line}"
            if label is None:
                self.counted.leave_out(self.kind, "without a class", name)
            elif label not in numbers:
                self.counted.leave_out(self.kind, "of classes that are not asked for", name, harmless=True)
            else:
                sample = replace(self.sample(row, name), label=numbers[label])
                found.setdefault(self._split_of(row), []).append(sample)
        return self._checked(found)

    def sample(self, row: Row, name: str) -> TextSample:
        """What a row holds besides its truth."""
        return TextSample(self._table.path, name, columns=row.cells, text=row.cells[self._roles["text"] or ""])

    def _checked(self, found: dict[SplitName, list[TextSample]]) -> dict[SplitName, list[Sample]]:
        """Less those without a word; which columns were read is told."""
        if not found["train"]:
            raise InputError(f"{self._table.path}: no row says train in {self._roles['split']}")
        self.counted.remark(
            f"{self._table.path.name}: {len(self._table.rows):,} rows, "
            + "; ".join(f"{role} in {name}" for role, name in self._roles.items() if name is not None)
        )
        return {split: self.with_words(samples) for split, samples in found.items()}

    def origins(self, split: SplitName) -> None:  # type: ignore[override]
        """All of them are of one file, so that the texts themselves are what tells them apart."""
        return None

    def _label(self, row: Row) -> str | None:
        cell = row.cells[self._roles["label"] or ""]
        return None if is_missing(cell) else cell

    def _split_of(self, row: Row) -> SplitName:
        column = self._roles["split"]
        if column is None:
            return "train"
        split = split_of_cell(row.cells[column])
        if split is None:
            raise InputError(
                f"{self._table.where(row)}: {column} is {row.cells[column]!r}; train, val and test are known; "
                "data.columns.split=NAME names another column"
            )
        return split

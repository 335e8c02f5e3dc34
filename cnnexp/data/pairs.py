"""Your own pairs of texts in a table: one row for each, with its class or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import torch

from cnnexp.data.base import SplitName, TensorSplit
from cnnexp.data.own_texts import EMPTY, TextSample
from cnnexp.data.samples import Sample
from cnnexp.data.table import Row
from cnnexp.data.table_columns import Columns, one_column, split_column
from cnnexp.data.table_truths import numbers_of
from cnnexp.data.text_csv import TextCSV
from cnnexp.errors import InputError
from cnnexp.inputs.words import bytes_of, words_of

ROLES = ("first", "second", "label", "value", "split")


@dataclass(frozen=True)
class PairSample(TextSample):
    """Two texts of a row."""

    second: str = ""


class Pairs(TextCSV):
    """A table with a header; a row is two texts and what is true of them: a class, or, for ``value``, a number.

    Else as ``text_csv``: splits by a column or made, classes found, rows left out where a text has no word or the truth
    is missing.

    Args:
        columns: names of columns by ``first``, ``second``, ``label``, ``value`` and ``split``; null where it is
            called as usual (see ``table_columns``).
    """

    targets = ("label", "value")
    kind: ClassVar[str] = "pairs"

    @cached_property
    def _roles(self) -> dict[str, str | None]:
        table = self._table
        for role in self.stated:
            if role not in ROLES:
                raise InputError(f"data.columns.{role}: no such column of pairs; {', '.join(ROLES)} are known")
        truth = "value" if self.target == "value" else "label"
        return {role: one_column(table, role, self.stated) for role in ("first", "second", truth)} | {
            "split": split_column(table, self.stated)
        }

    def names(self) -> tuple[str, ...]:
        return (str(self._roles["value"]),) if self.target == "value" else super().names()

    def found(self) -> dict[SplitName, list[Sample]]:
        if self.target != "value":
            return super().found()
        column = str(self._roles["value"])
        rows = {f"{self._table.path.name}:{row.line}": [row] for row in self._table.rows}
        values = numbers_of(self._table, Columns("", values=(column,)), rows, self.counted)
        found: dict[SplitName, list[TextSample]] = {"train": []}
        for name, (row,) in rows.items():
            if values[name] is None:
                self.counted.leave_out(self.kind, "without a number", name)
            else:
                found.setdefault(self._split_of(row), []).append(replace(self.sample(row, name), values=values[name]))
        return self._checked(found)

    def sample(self, row: Row, name: str) -> PairSample:
        first, second = (row.cells[self._roles[role] or ""] for role in ("first", "second"))
        return PairSample(self._table.path, name, columns=row.cells, text=first, second=second)

    def with_words(self, samples: Sequence[Any]) -> list[Sample]:
        """Less those of which one text holds no word, which are entered."""
        kept = []
        for one in samples:
            if words_of(one.text, 1) and words_of(one.second, 1):
                kept.append(one)
            else:
                self.counted.leave_out(self.kind, EMPTY, one.name)
        return kept

    def load(self, split: SplitName) -> TensorSplit:
        self.prepare()
        samples: Sequence[Any] = self.samples[split]
        if self.target == "value":
            truth = {"value": torch.tensor([one.values for one in samples], dtype=torch.float32)}
        else:
            truth = {"label": torch.tensor([one.label for one in samples])}
        texts = {"first.text": [one.text for one in samples], "second.text": [one.second for one in samples]}
        return TensorSplit(
            truth,
            ragged={key: [bytes_of(text) for text in given] for key, given in texts.items()},
            names=[one.name for one in samples],
        )

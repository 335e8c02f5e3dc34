"""Your own questions about pictures in a table: one row for each, with the picture's file and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch

from cnnexp.data.base import SplitName, TensorSplit
from cnnexp.data.folders import existing_root
from cnnexp.data.memory import MEMORY_BUDGET, fits_in_memory
from cnnexp.data.own_texts import TextSample
from cnnexp.data.samples import Decoder, Sample, open_samples
from cnnexp.data.table import Row
from cnnexp.data.table_columns import one_column, split_column
from cnnexp.data.text_csv import TextCSV
from cnnexp.errors import InputError
from cnnexp.inputs.words import bytes_of

ROLES = ("picture", "question", "answer", "split")
MISSING = "whose picture is not there"
PICTURE = "picture"
"""The column by which questions are kept together, whatever it is called in the table."""


class QuestionsFile(TextCSV):
    """A table with a header; a row is the file of a picture, a question about it and the answer.

    Else as ``text_csv``: splits by a column or made, answers found, rows left out where a question has no word or the
    answer is missing. All questions about a picture are in one split. Pictures lie in memory, one for each question.

    Args:
        root: the folder that the names of pictures begin in; None for the table's own. columns: names of columns by
            ``picture``, ``question``, ``answer`` and ``split``; null where it is called as usual (see
            ``table_columns``). parts: of the input; a picture and a question.
    """

    targets: ClassVar[tuple[str, ...]] = ("reply",)
    kind: ClassVar[str] = "questions"

    def __init__(
        self,
        *,
        file: str | None,
        root: str | None,
        columns: Mapping[str, Any],
        parts: Mapping[str, Any],
        classes: tuple[str, ...] | None,
        encoding: str,
        target: str | None = None,
    ) -> None:
        if set(parts) != {"picture", "question"}:
            raise InputError(f"data.parts: questions_file has picture and question, and not {', '.join(parts)}")
        super().__init__(file=file, columns=columns, classes=classes, encoding=encoding, target=target)
        height, width = parts["picture"]["image_size"]
        self.image_size, self.channels = (int(height), int(width)), int(parts["picture"]["channels"])
        self.pictures_from, self._group = root, PICTURE

    @property
    def group(self) -> str:
        return self._group

    @group.setter
    def group(self, word: str | None) -> None:
        self._group = PICTURE if word is None else word

    @cached_property
    def _roles(self) -> dict[str, str | None]:
        for role in self.stated:
            if role not in ROLES:
                raise InputError(f"data.columns.{role}: no such column of questions; {', '.join(ROLES)} are known")
        found = {role: one_column(self._table, role, self.stated) for role in ROLES[:3]}
        return {**found, "split": split_column(self._table, self.stated), "label": found["answer"]}

    @cached_property
    def _pictures_in(self) -> Path:
        if self.pictures_from is None:
            return self._table.path.parent
        return existing_root(self.pictures_from, "questions_file")

    def found(self) -> dict[SplitName, list[Sample]]:
        found: dict[SplitName, list[Sample]] = {}
        missing: list[Sample] = []
        for split, samples in super().found().items():
            there = {one.picture: one.picture.is_file() for one in samples}
            missing += [one for one in samples if not there[one.picture]]
            found[split] = [one for one in samples if there[one.picture]]
        if len(missing) > sum(map(len, found.values())):
            raise InputError(
                f"{self._table.path}: names {missing[0].picture}, which is not there, and so in {len(missing):,} rows; "
                "data.root=FOLDER says where its names of pictures begin"
            )
        for one in missing:
            self.counted.leave_out(self.kind, MISSING, one.name)
        return found

    def sample(self, row: Row, name: str) -> TextSample:
        cell = row.cells[self._roles["picture"] or ""]
        if not cell:
            raise InputError(f"{self._table.where(row)}: names no picture in {self._roles['picture']}")
        columns = {**row.cells, PICTURE: cell}
        text = row.cells[self._roles["question"] or ""]
        return TextSample(self._pictures_in / cell.replace("\\", "/"), name, columns=columns, text=text)

    def load(self, split: SplitName) -> TensorSplit:
        self.prepare()
        samples: Sequence[Any] = self.samples[split]
        return TensorSplit(
            {"picture.image": self._pictures(samples), "label": torch.tensor([one.label for one in samples])},
            ragged={"question.text": [bytes_of(one.text) for one in samples]},
            names=[one.name for one in samples],
        )

    def _pictures(self, samples: Sequence[Sample]) -> torch.Tensor:
        """Of each question, uint8 (N, C, H, W); a file is decoded once."""
        if not fits_in_memory(len(samples), self.image_size, self.channels):
            raise InputError(
                f"{self._table.path}: the pictures of {len(samples):,} questions take more than "
                f"{MEMORY_BUDGET / 2**30:g} GiB; take a smaller data.parts.picture.image_size"
            )
        if self.look.span is not None:
            raise InputError(f"{self._table.path}: names pictures of more than 8 bits; save them with 8")
        places = {path: place for place, path in enumerate(dict.fromkeys(one.picture for one in samples))}
        files = tuple(Sample(path, path.name) for path in places)
        decoded = open_samples(Decoder(files, self.image_size, self.channels, look=self.look), in_memory=True)
        assert isinstance(decoded, TensorSplit)
        return decoded.tensors["image"][torch.tensor([places[one.picture] for one in samples])]

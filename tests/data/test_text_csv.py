from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnexp.data.base import SPLITS
from cnnexp.data.text_csv import TextCSV
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of
from tests.data.tiny import all_of, make_data_set

COLUMNS = {"text": None, "label": None, "split": None}


def table(folder: Path, lines: list[str], written_in: str = "utf-8", **changes: Any) -> TextCSV:
    path = folder / "reviews.csv"
    path.write_bytes("\n".join(lines).encode(written_in))
    made = make_data_set("text_csv", file=str(path), **changes)
    assert isinstance(made, TextCSV)
    return made


def rows(count: int = 10) -> list[str]:
    return [f'"a {label}, film {n}",{label}' for label in ("bad", "good") for n in range(count)]


def test_a_table_is_divided_and_its_classes_found(tmp_path: Path) -> None:
    data = table(tmp_path, ["Review,Class", *rows()])
    data.prepare()
    assert data.class_names() == ("bad", "good")
    assert {split: len(data.load(split)) for split in SPLITS} == {"train": 16, "val": 2, "test": 2}
    train = data.load("train")
    batch = all_of(train)
    told = dict(zip(train.names or (), zip(texts_of(batch["text"]), batch["label"].tolist(), strict=True), strict=True))
    assert told["reviews.csv:2"] == ("a bad, film 0", 0), "line 1 is the header"
    assert data.census().remarks == ["reviews.csv: 20 rows, text in Review; label in Class"]


def test_columns_are_named_and_splits_kept(tmp_path: Path) -> None:
    lines = ["a,b,when", "old film,x,train", "new film,y,train", "dull film,y,val", "odd film,x,test"]
    data = table(tmp_path, lines, columns={"text": "a", "label": "b", "split": "when"})
    found = {split: texts_of(all_of(data.load(split))["text"]) for split in SPLITS}
    assert {split: sorted(texts) for split, texts in found.items()} == {
        "train": ["new film", "old film"],
        "val": ["dull film"],
        "test": ["odd film"],
    }


def test_rows_without_a_word_or_a_class_are_counted(tmp_path: Path) -> None:
    data = table(tmp_path, ["text,label", *rows(), '"",bad', "…,good", "a film,"])
    assert data.census().line() == "23 texts: 20 used, 3 left out (2 without a word, 1 without a class)"


@pytest.mark.parametrize(
    ("lines", "changes", "line"),
    [
        (["words,label", *rows()], {}, r"which is the text\? add data\.columns\.text=NAME"),
        (["text,label", *rows()], {"columns": {**COLUMNS, "text": "b"}}, r"data\.columns\.text=b: no such column"),
        (
            ["text,label", *rows()],
            {"columns": {**COLUMNS, "file": "b"}},
            r"columns\.file: no such column of texts",
        ),
        (["text,label", "film,"], {}, "no row names a class in label"),
        (["text,label"], {}, "has a header and no rows"),
        ([""], {}, "is empty"),
        (["text,label,split", "a,b,train", "c,b,soon"], {}, r"reviews\.csv:3: split is 'soon'"),
    ],
)
def test_what_cannot_be_read_is_refused(lines: list[str], changes: Any, line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=line):
        table(tmp_path, lines, **changes).prepare()


def test_the_encoding_is_held_to(tmp_path: Path) -> None:
    lines = ["text,label", *rows(), "un été,bad"]
    with pytest.raises(InputError, match=r"reviews\.csv:22: not utf-8"):
        table(tmp_path, lines, "latin-1").prepare()
    data = table(tmp_path, lines, "latin-1", encoding="latin-1")
    assert "un été" in [text for split in SPLITS for text in texts_of(all_of(data.load(split))["text"])]


def test_a_table_has_to_be_named() -> None:
    with pytest.raises(InputError, match=r"add data\.file=FILE\.csv"):
        make_data_set("text_csv").prepare()

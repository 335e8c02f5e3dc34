from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnexp.data.base import SPLITS
from cnnexp.data.text_folder import TextFolder
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of
from tests.data.tiny import all_of, make_data_set


def folder(root: Path, **changes: Any) -> TextFolder:
    made = make_data_set("text_folder", root=str(root), **changes)
    assert isinstance(made, TextFolder)
    return made


def write(root: Path, count: int = 20, classes: tuple[str, ...] = ("bad", "good")) -> Path:
    for name in classes:
        (root / name).mkdir(parents=True)
        for number in range(count):
            (root / name / f"{number:02}.txt").write_text(f"a {name} film, number {number}\n", encoding="utf-8")
    return root


def test_folders_are_classes_and_are_divided(tmp_path: Path) -> None:
    data = folder(write(tmp_path))
    data.prepare()
    assert data.class_names() == ("bad", "good")
    batches = {split: all_of(data.load(split)) for split in SPLITS}
    assert {split: one["label"].bincount().tolist() for split, one in batches.items()} == {
        "train": [16, 16],
        "val": [2, 2],
        "test": [2, 2],
    }
    for split, batch in batches.items():
        for name, text, label in zip(
            data.load(split).names or (), texts_of(batch["text"]), batch["label"], strict=True
        ):
            assert name.split("/")[0] == ("bad", "good")[int(label)]
            assert text == (tmp_path / name).read_text(encoding="utf-8")


def test_split_folders_are_kept(tmp_path: Path) -> None:
    for split, count in (("train", 5), ("valid", 2), ("test", 3)):
        write(tmp_path / split, count)
    data = folder(tmp_path, classes=["good", "bad"])
    assert {split: len(data.load(split)) for split in SPLITS} == {"train": 10, "val": 4, "test": 6}
    assert data.load("val").names == ["valid/bad/00.txt", "valid/bad/01.txt", "valid/good/00.txt", "valid/good/01.txt"]
    assert all_of(data.load("val"))["label"].tolist() == [1, 1, 0, 0], "numbered as data.classes has it"


def test_without_a_test_the_validation_is_named_once_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for split in ("train", "val"):
        write(tmp_path / split, 3)
    folder(tmp_path).prepare()
    assert "no texts for test" in caplog.text


def test_files_without_a_word_and_others_are_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "bad" / "empty.txt").write_bytes(b"")
    (tmp_path / "bad" / "dots.txt").write_text("… !\n", encoding="utf-8")
    (tmp_path / "bad" / "notes.md").write_text("words", encoding="utf-8")
    census = folder(tmp_path).census()
    assert (census.used("texts"), census.found("texts")) == (40, 42)
    assert census.line() == "42 texts: 40 used, 2 left out (2 without a word)"


def test_an_encoding_is_a_key(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "bad" / "03.txt").write_bytes("une ligne\nun été\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"bad/03\.txt:2: not utf-8 \(byte 0xe9\); data\.encoding=latin-1"):
        folder(tmp_path).prepare()
    data = folder(tmp_path, encoding="latin-1")
    texts = {
        name: text
        for split in SPLITS
        for name, text in zip(data.load(split).names or (), texts_of(all_of(data.load(split))["text"]), strict=True)
    }
    assert texts["bad/03.txt"] == "une ligne\nun été\n"


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda root: None, "holds no folders; expected one folder of texts per class"),
        (lambda root: write(root, 0, ("bad",)), "no texts found; expected CLASS/TEXT.txt"),
        (lambda root: (write(root, 9, ("bad",)), (root / "good").mkdir()), "good: no text to train this class with"),
        (lambda root: write(root / "test", 9), "holds test but no train"),
        (lambda root: write(root, 2), "no texts for val"),
    ],
)
def test_a_folder_that_is_no_data_is_refused(make: Any, line: str, tmp_path: Path) -> None:
    root = tmp_path / "own"
    root.mkdir()
    make(root)
    with pytest.raises(InputError, match=line):
        folder(root).prepare()

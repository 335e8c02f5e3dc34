"""Own questions in a table: what of a row becomes a sample, which stay together, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.data.base import SPLITS, TensorSplit
from cnnexp.data.questions_file import QuestionsFile
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of

PARTS: dict[str, Any] = {"picture": {"channels": 3, "image_size": [4, 6]}, "question": {}}
OPEN = dict.fromkeys(("picture", "question", "answer", "split"))


def write(folder: Path, rows: list[str], pictures: int = 20) -> Path:
    (folder / "pictures").mkdir(exist_ok=True)
    for number in range(pictures):
        Image.fromarray(np.full((9, 12, 3), 10 * number, np.uint8)).save(folder / "pictures" / f"{number}.png")
    file = folder / "asked.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    return file


def table(count: int = 60) -> list[str]:
    """Three questions about each of twenty pictures."""
    rows = [f"pictures/{place // 3}.png,is it {'dark' if place % 2 else 'bright'},{'no' if place % 3 else 'yes'}"
            for place in range(count)]  # fmt: skip
    return ["image,question,answer", *rows]


def made(file: Path | None, **changes: Any) -> QuestionsFile:
    given: dict[str, Any] = dict(root=None, columns=OPEN, parts=PARTS, classes=None, encoding="utf-8")
    return QuestionsFile(file=None if file is None else str(file), **{**given, **changes})


def test_a_row_is_a_picture_a_question_and_an_answer(tmp_path: Path) -> None:
    data = made(write(tmp_path, table()))
    assert data.class_names() == ("no", "yes")
    rows = 0
    for name in SPLITS:
        split = data.load(name)
        assert isinstance(split, TensorSplit) and split.names is not None
        batch = split.batch(range(len(split)))
        assert batch["picture.image"].shape[1:] == (3, 4, 6)
        for place, text in enumerate(texts_of(batch["question.text"])):
            row = int(split.names[place].removeprefix("asked.csv:")) - 2
            assert text == f"is it {'dark' if row % 2 else 'bright'}"
            assert batch["label"][place] == (row % 3 == 0)
            assert (batch["picture.image"][place] == 10 * (row // 3)).all()
            rows += 1
    assert rows == 60


def test_questions_about_a_picture_are_in_one_split(tmp_path: Path) -> None:
    data = made(write(tmp_path, table()))
    pictures = {name: {one.picture for one in data.samples[name]} for name in SPLITS}
    assert not pictures["train"] & pictures["val"] and not pictures["train"] & pictures["test"]
    assert data.columns("val")["picture"] and data.group == "picture"


def test_rows_that_say_too_little_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [*table(), "pictures/1.png,,yes", "pictures/1.png,is it,", "pictures/99.png,is it dark,no"]
    line = made(write(tmp_path, rows)).census().line()
    assert line is not None and "63 questions: 60 used, 3 left out" in line
    assert "1 without a word" in line and "1 without a class" in line and "1 whose picture is not there" in line


def test_names_may_begin_in_another_folder(tmp_path: Path) -> None:
    file = write(tmp_path, [row.replace("pictures/", "") for row in table()])
    with pytest.raises(InputError, match=r"0\.png, which is not there, and so in 60 rows; data\.root=FOLDER"):
        made(file).prepare()
    assert len(made(file, root=str(tmp_path / "pictures")).load("train")) > 30


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^data=questions_file reads a table of yours: add data\.file=FILE\.csv"):
        made(None).prepare()
    with pytest.raises(InputError, match=r"data\.parts: questions_file has picture and question"):
        made(None, parts={"picture": PARTS["picture"], "text": {}})
    file = write(tmp_path, [*table(), ",is it dark,no"])
    with pytest.raises(InputError, match="names no picture in image"):
        made(file).prepare()
    with pytest.raises(InputError, match=r"data\.columns\.label: no such column of questions"):
        made(file, columns={**OPEN, "label": "answer"}).prepare()
    large = {"picture": {"channels": 3, "image_size": [4000, 4000]}, "question": {}}
    with pytest.raises(InputError, match=r"take more than 1 GiB; take a smaller data\.parts\.picture\.image_size"):
        made(write(tmp_path, table()), parts=large).load("train")
    Image.fromarray(np.arange(48, dtype=np.uint16).reshape(6, 8) * 900).save(tmp_path / "pictures" / "0.png")
    with pytest.raises(InputError, match="pictures of more than 8 bits"):
        made(write_table(tmp_path), parts=PARTS).load("train")


def write_table(folder: Path) -> Path:
    """The table anew, the pictures as they are."""
    file = folder / "asked.csv"
    file.write_text("\n".join(table()), encoding="utf-8")
    return file

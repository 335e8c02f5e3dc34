"""Questions about files from the command line: what is printed, which words are unknown, and what is refused."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.answers.reply import Reply
from cnnexp.commands import predict
from cnnexp.commands.predict_questions import answer_questions, questions_named, refuse_unasked
from cnnexp.errors import InputError
from cnnexp.inputs.base import Input
from cnnexp.inputs.pictures import Pictures
from cnnexp.inputs.several import Several

PICTURE = {"input": "pictures", "channels": 1, "image_size": (4, 4)}
QUESTION = {"input": "tokens", "vocabulary_size": 9, "length": 5, "words": ("how", "many", "digits", "red")}
GIVEN = Several({"picture": PICTURE, "question": QUESTION})


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    predict.add_arguments(parser)
    return parser.parse_args(words)


def task(given: Input = GIVEN) -> Any:
    return SimpleNamespace(facts=SimpleNamespace(input=given), answer=Reply(("no", "yes", "two")))


def says(batch: dict[str, Any]) -> list[Any]:
    """By how bright the picture is, and how long the question."""
    bright = float(batch["picture.image"].float().mean()) / 255
    length = batch["question.text"].shape[1] / 100
    return [np.array([1 - bright - length, bright, length], np.float32)]


def write(name: str, grey: int) -> str:
    Image.new("L", (6, 6), grey).save(name)
    return name


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_question_is_asked_about_each_file(capsys: pytest.CaptureFixture[str]) -> None:
    files, questions = [write("a.png", 0), write("b.png", 255)], ["how many digits", "how red"]
    assert answer_questions(task(), says, files, questions, as_json=False) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [
        f"{file}: {question}" for file in files for question in questions
    ]
    assert out.splitlines()[1] == f"  {'no':<24}0.8500"
    answer_questions(task(), says, files, questions, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [(row["file"], row["question"], row["label"], row["unknown_words"]) for row in rows] == [
        ("a.png", "how many digits", "no", []),
        ("a.png", "how red", "no", []),
        ("b.png", "how many digits", "yes", []),
        ("b.png", "how red", "yes", []),
    ]
    assert len(rows[0]["top"]) == 3


def test_unknown_words_are_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.png", 0)
    answer_questions(task(), says, ["a.png", "a.png"], ["how many purple cats"], as_json=False)
    assert capsys.readouterr().err.splitlines() == [
        "cnnexp predict: 'how many purple cats': unknown words purple, cats, which the net cannot tell apart"
    ]


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("", "--question '': holds no word"),
        ("?!", "--question '?!': holds no word"),
        ("purple cats", "the net knows none of these words; it knows how, many, digits, red, …"),
        ("how many red red red digits", "of its 6 words the net reads 5; ask shorter"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(question: str, line: str) -> None:
    write("a.png", 0)
    with pytest.raises(InputError) as refused:
        answer_questions(task(), says, ["a.png"], ["how many", question], as_json=False)
    assert len(refused.value.lines) == 1 and line in refused.value.lines[0]


def test_a_picture_has_to_be_there() -> None:
    with pytest.raises(InputError, match=r"none\.png: there is no such file"):
        answer_questions(task(), says, ["none.png"], ["how many"], as_json=False)
    Path("text.png").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.png"):
        answer_questions(task(), says, ["text.png"], ["how many"], as_json=False)
    with pytest.raises(InputError, match=r"^--question 'how many': about which picture\? name its file too$"):
        questions_named(parsed("last", "--question", "how many"), [])


def test_a_net_that_takes_no_question_says_so() -> None:
    write("a.png", 0)
    with pytest.raises(InputError, match=r"^--question: the net takes pictures and no questions about them"):
        answer_questions(task(Pictures(1, (4, 4))), says, ["a.png"], ["how many"], as_json=False)
    both = Several({"first": QUESTION, "second": QUESTION})
    with pytest.raises(InputError, match=r"^--question: the net takes samples and no questions"):
        answer_questions(task(both), says, ["a.png"], ["how many"], as_json=False)


def test_a_net_that_takes_one_asks_for_it() -> None:
    with pytest.raises(InputError, match=r"^a\.png: the net answers questions about such a file; add --question TEXT$"):
        refuse_unasked(GIVEN, ["a.png"])
    refuse_unasked(GIVEN, ["both.json"])
    refuse_unasked(Pictures(1, (4, 4)), ["a.png"])


@pytest.mark.parametrize(
    "option", [("--text", "a"), ("--out", "drawn"), ("--html", "a.html"), ("--before",), ("--own-size",)]
)
def test_what_has_nothing_to_do_with_questions_is_refused(option: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=rf"^{option[0]}: leave it out beside --question"):
        questions_named(parsed("last", "a.png", "--question", "how many", *option), ["a.png"])

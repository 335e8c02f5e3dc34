"""tta words: what is read, and a line for each mistake."""

from __future__ import annotations

import pytest

from cnnexp.averaging.words import Choice, read_choice
from cnnexp.config.overrides import read_words
from cnnexp.errors import InputError


def read(text: str) -> Choice:
    return read_choice(read_words(text.split()))[0]


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("", Choice()),
        ("tta=none", Choice()),
        ("tta=flip", Choice("flip")),
        ("tta=flip tta=ten_crop", Choice("ten_crop")),
        ("tta=ten_crop tta.crop=0.9", Choice("ten_crop", crop=0.9)),
        ("tta.scales=[1,1.2] tta=multi_scale", Choice("multi_scale", scales=(1.0, 1.2))),
    ],
)
def test_what_is_read(text: str, choice: Choice) -> None:
    assert read(text) == choice


def test_other_words_are_left() -> None:
    choice, words = read_choice(read_words(["data=mnist", "tta=flip", "data.fraction=0.5"]))
    assert choice.name == "flip"
    assert [word.text for word in words] == ["data=mnist", "data.fraction=0.5"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tta=ten_crops", "did you mean ten_crop?"),
        ("tta=rotate", "known are dihedral, flip, multi_scale, none, ten_crop"),
        ("tta=null", "known are"),
        ("tta=flip tta.crop=0.9", "it goes with tta=ten_crop"),
        ("tta.scales=[1]", "it goes with tta=multi_scale"),
        ("tta=ten_crop tta.crop=0.4", "at least 0.5 and at most 1"),
        ("tta=ten_crop tta.crop=big", "tta.crop=big: expected a number"),
        ("tta=ten_crop tta.size=3", "tta.size: there is no such key; known are tta.crop, tta.scales"),
        ("tta=multi_scale tta.scales=1.1", "expected a list"),
        ("tta=multi_scale tta.scales=[]", "1 to 16 scales"),
        ("tta=multi_scale tta.scales=[1,3]", "item 2: expected a number"),
    ],
)
def test_a_mistake_is_a_line(text: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        read(text)
    (line,) = error.value.lines
    assert says in line


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as error:
        read("tta=flipp tta.crop=7")
    assert len(error.value.lines) == 2

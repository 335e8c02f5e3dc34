from __future__ import annotations

import pytest

from cnnexp.config.nearest import MOST_LISTED, any_of, did_you_mean

NETS = ("lenet5", "resnet18", "resnet20", "resnet50", "unet")


@pytest.mark.parametrize(
    ("word", "clause"),
    [
        ("resnet2", "did you mean resnet20, resnet18 or resnet50?"),
        ("lenet", "did you mean lenet5?"),
        ("ResNet-20", "did you mean resnet20?"),
        ("LENET_5", "did you mean lenet5?"),
        ("vgg", "known are lenet5, resnet18, resnet20, resnet50, unet"),
        ("", "known are lenet5, resnet18, resnet20, resnet50, unet"),
    ],
)
def test_the_nearest_word_or_all_of_few(word: str, clause: str) -> None:
    assert did_you_mean(word, NETS) == clause


def test_a_prefix_makes_nothing_alike() -> None:
    assert did_you_mean("widht", ["width", "inner"], "model.") == "did you mean model.width?"
    assert did_you_mean("foo", ["width", "inner"], "model.") == "known are model.inner, model.width"


def test_many_words_are_not_listed() -> None:
    assert did_you_mean("xyz", [f"word{i}" for i in range(MOST_LISTED + 1)]) == ""
    assert did_you_mean("xyz", []) == ""


def test_words_in_a_row() -> None:
    assert [any_of(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]

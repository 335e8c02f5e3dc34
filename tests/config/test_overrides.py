from __future__ import annotations

from typing import Any

import pytest

from cnnexp.config.overrides import check_keys, read_words, type_problem
from cnnexp.errors import InputError


@pytest.mark.parametrize(
    ("default", "value"),
    [
        (1, 2),
        (1.0, 2),
        (1.0, 2.5),
        (None, 5),
        (None, "word"),
        (1, None),
        ("auto", 2),
        ("auto", True),
        (1, "auto"),
        (True, False),
        ([1, 2], [3]),
        ("relu", "tanh"),
    ],
)
def test_a_value_of_the_kind_of_the_default(default: Any, value: Any) -> None:
    assert type_problem("key", default, value) is None


@pytest.mark.parametrize(
    ("default", "value", "line"),
    [
        (1, 2.5, "key=2.5: expected a whole number, such as 1"),
        (1, True, "key=true: expected a whole number, such as 1"),
        (1.0, "abc", "key=abc: expected a number, such as 1.0"),
        (0.5, True, "key=true: expected a number, such as 0.5"),
        (True, 1, "key=1: expected true or false, such as true"),
        ([1, 2], 3, "key=3: expected a list, such as [1,2]"),
        ("relu", [1], "key=[1]: expected a word such as relu"),
    ],
)
def test_a_value_of_another_kind(default: Any, value: Any, line: str) -> None:
    assert type_problem("key", default, value) == line


def test_words_are_read_in_hydras_grammar() -> None:
    texts = ["seed=3", "+model.width=[1,2]", "name='a b'", "dataset=cifar10", "dataset.fraction=0.5", "max_steps=null"]
    words = read_words(texts)
    assert [(word.key, word.value, word.added) for word in words] == [
        ("seed", 3, False),
        ("model.width", [1, 2], True),
        ("name", "a b", False),
        ("data", "cifar10", False),
        ("data.fraction", 0.5, False),
        ("max_steps", None, False),
    ]


def test_only_the_whole_word_dataset_is_another_word_for_data() -> None:
    assert [word.key for word in read_words(["datasets=cifar10", "model.dataset=1"])] == ["datasets", "model.dataset"]


def test_every_bad_word_is_told() -> None:
    with pytest.raises(InputError) as caught:
        read_words(["seed=1", "epochs", "~seed", "seed=1,2", "=", "a@b=c"])
    assert len(caught.value.lines) == 5


CONFIG = {
    "epochs": 20,
    "choices": {"epochs": 1},
    "model": {"_target_": "x", "width": 4, "inner": {"lr": 1.0}},
    "optimizer": {"lr": 0.1},
    "hardware": {"threads": None},
}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("epochs=3", None),
        ("model.width=8", None),
        ("+model.height=8", None),
        ("hardware.threads=2", None),
        ("model.widht=8", "model.widht: there is no such key; did you mean model.width? "),
        ("+hardware.thread=2", "hardware.thread: there is no such key; did you mean hardware.threads?"),
        ("lr=1", "lr: there is no such key; did you mean model.inner.lr or optimizer.lr?"),
        ("model.epochs=1", "model.epochs: there is no such key; did you mean epochs? "),
        ("epochs.x=1", "epochs.x: epochs is a single value, it has no key x"),
        ("model.inner=1", "model.inner=1: model.inner is a group of keys (lr); set one of them"),
        ("model._target_=y", "model._target_: choose another class"),
        ("model.in_channels=1", "model.in_channels=1: the net is given this; set data.channels"),
        ("+model.in_channels=1", None),
    ],
)
def test_a_key_and_what_is_said_of_it(text: str, line: str | None) -> None:
    found = check_keys(read_words([text]), CONFIG)
    assert [found[0][: len(line)]] == [line] if line else found == []

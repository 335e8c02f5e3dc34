"""What the configuration says of the data: names of classes from a list, from a mapping, or from the user's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnexp.answers.boxes import Boxes
from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.builders.datasets import build_dataset
from cnnexp.builders.facts import (
    UNKNOWN,
    answer_class,
    build_input,
    find_facts,
    input_class,
    input_keys,
    names_of,
    provisional_facts,
    with_classes,
)
from cnnexp.config.compose import compose_run
from cnnexp.data.base import DataSet, Split, SplitName
from cnnexp.errors import InputError
from cnnexp.inputs.pictures import Pictures
from tests.data.tiny import write_class_folders


class Found(DataSet):
    """A data set that finds two names, and fails where it is not to be asked."""

    targets = ("boxes", "mask")

    def __init__(self, names: tuple[str, ...] | None = ("leaf", "stem")) -> None:
        self.names = names

    def class_names(self) -> tuple[str, ...] | None:
        return self.names

    def load(self, split: SplitName) -> Split:
        pytest.fail("no sample is read")


class NotAsked(Found):
    def class_names(self) -> tuple[str, ...] | None:
        pytest.fail("the names are stated")


def configured(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = dict(
        input="pictures", targets=["boxes", "mask"], classes=None, channels=1, image_size=[4, 6], mean=[0.4], std=[0.2]
    )
    return {"choices": {"data": "mine"}, "data": {**data, "_target_": "x", "fraction": 1.0, **changes}}


# --- names of classes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (["a", "b"], {"boxes": ("a", "b"), "mask": ("a", "b")}),
        ({"boxes": ["a", "b"], "mask": ["c", "a", "b"]}, {"boxes": ("a", "b"), "mask": ("c", "a", "b")}),
        ({"boxes": ["a", "b"], "mask": None}, {"boxes": ("a", "b"), "mask": None}),
        ({"boxes": ["a", "b"]}, {"boxes": ("a", "b"), "mask": None}),
        (None, {"boxes": None, "mask": None}),
        ([], {"boxes": (), "mask": ()}),
    ],
)
def test_a_list_for_all_or_a_mapping_by_target(classes: Any, names: dict[str, Any]) -> None:
    config = configured(classes=classes)
    assert names_of(config) == names
    facts = provisional_facts(config)
    assert facts.named == (None not in names.values())
    assert {word: facts.names(word) for word in names} == {
        word: UNKNOWN if given is None else given for word, given in names.items()
    }
    assert facts.names(None) == ()


def test_every_truth_is_in_its_own_form() -> None:
    facts = provisional_facts(configured(targets=["label", "boxes", "mask"], classes=["a", "b"]))
    assert [type(facts.targets[word]) for word in ("label", "boxes", "mask")] == [Label, Boxes, Mask]
    assert facts.name == "mine" and facts.input == Pictures(1, (4, 6), mean=(0.4,), std=(0.2,))
    assert provisional_facts(configured(targets=[])).targets == {}


def test_names_that_are_not_stated_are_found_in_the_data() -> None:
    facts = find_facts(configured(), Found())
    assert facts.named
    assert (facts.names("boxes"), facts.names("mask")) == (("leaf", "stem"),) * 2
    part = find_facts(configured(classes={"boxes": ["cat"], "mask": None}), Found())
    assert (part.names("boxes"), part.names("mask")) == (("cat",), ("leaf", "stem"))
    assert find_facts(configured(), Found(None)).names("mask") == ()


def test_stated_names_are_not_looked_for() -> None:
    assert find_facts(configured(classes=["a", "b"]), NotAsked()).names("mask") == ("a", "b")


def test_a_folder_tells_its_classes(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "root", 10, ("cat", "dog", "eel"))
    config = compose_run(["model=resnet18", "data=image_folder", f"data.root={root}"])
    provisional = provisional_facts(config)
    assert (provisional.names("label"), provisional.named) == (UNKNOWN, False)
    facts = find_facts(config, build_dataset(config))
    assert (facts.names("label"), facts.named) == (("cat", "dog", "eel"), True)
    frozen = with_classes(config, facts)
    assert frozen["data"]["classes"] == ["cat", "dog", "eel"] and config["data"]["classes"] is None
    assert provisional_facts(frozen).names("label") == ("cat", "dog", "eel"), "a run's folder stands on its own"


@pytest.mark.parametrize(
    ("classes", "frozen"),
    [
        (["a", "b"], ["a", "b"]),
        ({"boxes": ["a", "b"], "mask": ["a", "b"]}, ["a", "b"]),
        ({"boxes": ["a"], "mask": ["b", "a"]}, {"boxes": ["a"], "mask": ["b", "a"]}),
        ({"boxes": ["a"]}, {"boxes": ["a"], "mask": ["leaf", "stem"]}),
        (None, ["leaf", "stem"]),
    ],
)
def test_names_as_a_run_writes_them_down(classes: Any, frozen: Any) -> None:
    config = configured(classes=classes)
    facts = find_facts(config, Found())
    written = with_classes(config, facts)
    assert written["data"]["classes"] == frozen
    again = find_facts(written, NotAsked())
    assert {word: again.names(word) for word in again.targets} == {word: facts.names(word) for word in facts.targets}


def test_data_without_any_truth_has_no_names() -> None:
    config = configured(targets=[], classes=None)
    assert with_classes(config, find_facts(config, NotAsked()))["data"]["classes"] == []


# --- the input --------------------------------------------------------------------------------------------------------


def test_the_input_is_given_what_it_asks_for() -> None:
    config = configured(decode_size=1.5, root="folder", classes=["a"])
    assert input_class(config) is Pictures
    assert input_keys(config) == {"channels", "image_size", "decode_size", "mean", "std"}
    assert build_input(config) == Pictures(1, (4, 6), 1.5, (0.4,), (0.2,))


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"channels": "one"}, ["data.channels=one: expected a whole number"]),
        ({"image_size": [4]}, ["data.image_size=(4,): expected a list of 2 values"]),
        (
            {"channels": 1.5, "mean": ["a"]},
            ["data.channels=1.5: expected a whole number", "data.mean=('a',): expected a list of which each item"],
        ),
    ],
)
def test_what_does_not_fit_the_input_is_told(changes: dict[str, Any], lines: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        build_input(configured(**changes))
    found = sorted(refused.value.lines)
    assert len(found) == len(lines)
    assert all(one.startswith(line) for one, line in zip(found, lines, strict=True))


def test_what_the_input_needs_is_told() -> None:
    config = configured()
    del config["data"]["channels"], config["data"]["image_size"]
    with pytest.raises(InputError) as refused:
        build_input(config)
    assert list(refused.value.lines) == [
        "data.channels: missing; Pictures needs it",
        "data.image_size: missing; Pictures needs it",
    ]


@pytest.mark.parametrize("word", ["picture", "os", "pictures.Pictures", "cnnexp.models.lenet5.LeNet5", "base", ""])
def test_there_is_no_such_kind_of_input(word: str) -> None:
    with pytest.raises(InputError, match=r"^input\._target_="):
        input_class(configured(input=word))


@pytest.mark.parametrize("word", ["picture_answer", "lable", "cnnexp.inputs.pictures.Pictures"])
def test_there_is_no_such_form_of_answer(word: str) -> None:
    with pytest.raises(InputError, match=r"^target\._target_="):
        answer_class(word)

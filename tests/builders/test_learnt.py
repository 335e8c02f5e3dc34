"""What an input learns from the training samples of a run is learnt once, kept in its folder, and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cnnexp.answers.value import Value
from cnnexp.builders.learnt import complete, digest_of, learnt_facts, read_learnt, with_digest, write_learnt
from cnnexp.data.base import TensorSplit
from cnnexp.data.facts import Facts
from cnnexp.data.part import Part
from cnnexp.errors import InputError
from cnnexp.inputs.base import Samples
from cnnexp.inputs.pictures import Pictures
from cnnexp.runs.checkpoints import LEARNT
from tests.tasks import tiny


@dataclass(frozen=True)
class Brightest(Pictures):
    """Pictures that know the largest value among the training samples."""

    largest: int | None = None

    @property
    def learns(self) -> bool:
        return self.largest is None

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Brightest:
        return replace(self, largest=int(split.batch(torch.from_numpy(positions))["image"].max()))

    def learnt(self) -> dict[str, Any]:
        return {"largest": self.largest, "note": "größte"}

    def with_learnt(self, content: Mapping[str, Any]) -> Brightest:
        if not isinstance(content.get("largest"), int):
            raise InputError("input.json: expected largest, a whole number")
        return replace(self, largest=content["largest"])


def facts(**changes: Any) -> Facts:
    given: dict[str, Any] = dict(channels=1, image_size=(8, 8), mean=(0.5,), std=(0.25,))
    return replace(tiny.facts(), input=Brightest(**(given | changes)))


def configured(digest: str | None) -> dict[str, Any]:
    return {"seed": 0, "data": {"input_sha256": digest, "channels": 1}}


def written(folder: Path, largest: int = 250) -> dict[str, Any]:
    """A run's folder and its configuration, whose input learnt a number."""
    known = facts(largest=largest)
    write_learnt(folder, known)
    return with_digest(configured(None), known)


# --- once -------------------------------------------------------------------------------------------------------------


def test_it_learns_from_the_training_samples_that_take_part() -> None:
    data = tiny.picture_data(train=40, part=Part(0.1), facts=facts())
    split = data.split("train")
    assert isinstance(split, TensorSplit)
    others = np.setdiff1d(np.arange(40), data.train_positions())
    split.tensors["image"] = split.tensors["image"] // 2
    split.tensors["image"][others[0]] = 255
    chosen = split.batch(torch.from_numpy(data.train_positions()))["image"]
    assert len(chosen) == 4
    found = complete(data, None)
    assert isinstance(found.input, Brightest) and found.input.largest == int(chosen.max())
    assert int(chosen.max()) < 255, "others do not count"
    assert found.targets == data.facts.targets


def test_another_process_of_the_run_takes_what_the_first_one_learnt() -> None:
    data = tiny.picture_data(facts=facts())
    data.replace_split("train", None)  # type: ignore[arg-type]
    found = complete(data, {"largest": 7})
    assert isinstance(found.input, Brightest) and found.input.largest == 7
    with pytest.raises(InputError, match=r"input\.json: expected largest"):
        complete(data, {"largest": "7"})


@pytest.mark.parametrize("known", [tiny.facts(), facts(largest=3)])
def test_an_input_that_knows_all_stays_as_it_is(known: Facts) -> None:
    data = tiny.picture_data(facts=known)
    data.replace_split("train", None)  # type: ignore[arg-type]
    assert complete(data, None) is known


# --- in the run's folder ----------------------------------------------------------------------------------------------


def test_the_folder_holds_what_the_configuration_names(tmp_path: Path) -> None:
    config = written(tmp_path)
    text = (tmp_path / LEARNT).read_text(encoding="utf-8")
    assert json.loads(text) == {"largest": 250, "note": "größte"} and "größte" in text
    assert config["data"] == {"input_sha256": digest_of(json.loads(text)), "channels": 1} and config["seed"] == 0
    assert read_learnt(tmp_path, config) == {"largest": 250, "note": "größte"}
    again = learnt_facts(facts(), tmp_path, config)
    assert again.input == facts(largest=250).input


def test_the_digest_is_of_the_content_in_any_order() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})
    assert len(digest_of({})) == 64


def test_an_input_that_learns_nothing_leaves_nothing(tmp_path: Path) -> None:
    write_learnt(tmp_path, tiny.facts())
    assert list(tmp_path.iterdir()) == []
    config = with_digest(configured("an older one"), tiny.facts())
    assert config["data"]["input_sha256"] is None
    assert read_learnt(tmp_path, config) is None
    known = tiny.facts()
    assert learnt_facts(known, tmp_path, config) is known


def test_without_a_run_there_is_nothing_to_read() -> None:
    assert read_learnt(None, configured("digest")) is None


def test_the_configuration_given_is_kept() -> None:
    config = configured(None)
    with_digest(config, facts(largest=1))
    assert config == configured(None)


@pytest.mark.parametrize("text", ["", "{", "\x00", '{"largest": 250', "[]", "null", "[" * 10_000])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    config = written(tmp_path)
    (tmp_path / LEARNT).write_text(text)
    with pytest.raises(InputError, match=r"input\.json: what the input of this run learnt cannot be read") as refused:
        read_learnt(tmp_path, config)
    assert len(refused.value.lines) == 1 and "\n" not in refused.value.lines[0]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    config = written(tmp_path / "elsewhere")
    (tmp_path / "run" / LEARNT).symlink_to(tmp_path / "elsewhere" / LEARNT)
    with pytest.raises(InputError, match="a link, which a run's record never holds"):
        read_learnt(tmp_path / "run", config)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"input\.json: what the input of this run learnt cannot be read"):
        read_learnt(tmp_path, configured("0" * 64))


@pytest.mark.parametrize("text", ['{"largest": 251, "note": "größte"}', "{}"])
def test_another_content_than_the_run_was_trained_with_is_refused(tmp_path: Path, text: str) -> None:
    config = written(tmp_path)
    (tmp_path / LEARNT).write_text(text, encoding="utf-8")
    for read in (lambda: read_learnt(tmp_path, config), lambda: learnt_facts(facts(), tmp_path, config)):
        with pytest.raises(InputError, match=r"input\.json: not what the run was trained with"):
            read()


def test_truths_learn_too_and_lie_beside_what_the_input_learnt(tmp_path: Path) -> None:
    data = tiny.picture_data(train=40, facts=replace(facts(), targets={"value": Value(["age"])}))
    split = data.split("train")
    assert isinstance(split, TensorSplit)
    split.tensors["value"] = torch.arange(40.0)[:, None]
    found = complete(data, None)
    value = found.targets["value"]
    assert isinstance(value, Value) and value.mean == (19.5,)
    write_learnt(tmp_path, found)
    config = with_digest(configured(None), found)
    again = learnt_facts(replace(found, targets={"value": Value(["age"])}), tmp_path, config)
    other = again.targets["value"]
    assert isinstance(other, Value) and (other.mean, other.std) == (value.mean, value.std)
    assert again.input == found.input
    assert complete(data, read_learnt(tmp_path, config)).targets["value"].learnt() == value.learnt()

"""What holds of every kind of input that is found in cnnexp/inputs, and a tiny net of each summed up."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
import torch

import cnnexp.inputs
from cnnexp.builders.adapting import adapted
from cnnexp.cli import main
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Preparation
from tests.inputs.made import COUNT, MADE, write_file
from tests.inputs.own import in_own_folder

KINDS = sorted(MADE)


def test_every_kind_is_looked_at() -> None:
    modules = [import_module(f"cnnexp.inputs.{one.name}") for one in iter_modules(cnnexp.inputs.__path__)]
    found = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    kinds = {one.name: one for one in found if issubclass(one, Input) and one is not Input}
    assert set(kinds) == set(MADE)
    assert all(type(MADE[name]()[0]) is kind for name, kind in kinds.items())


def learnt_of(kind: str) -> tuple[Input, Batch]:
    """An input that knows all that it has to, and a stored batch."""
    given, split = MADE[kind]()
    learnt = given.learn(split, np.arange(COUNT)) if given.learns else given
    assert not learnt.learns
    return learnt, split.batch(range(COUNT))


def preparation_of(given: Input) -> Preparation:
    return given.preparation(None, (), seed=0, centred=True, channels_last=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("train", [False, True])
def test_a_prepared_batch_is_what_the_net_was_tried_with(kind: str, train: bool) -> None:
    given, batch = learnt_of(kind)
    arguments = given.arguments(preparation_of(given)(batch, train, 0))
    tried, real = given.example(COUNT), given.example(COUNT, "cpu")
    assert [(one.shape, one.dtype) for one in arguments] == [(one.shape, one.dtype) for one in tried]
    assert {one.device.type for one in tried} == {"meta"} and {one.device.type for one in real} == {"cpu"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stored_is_kept_as_it_is(kind: str) -> None:
    given, batch = learnt_of(kind)
    before = {key: value.clone() for key, value in batch.items()}
    preparation = preparation_of(given)
    given.pictures(batch)
    preparation(batch, True, 0)
    preparation.shown(preparation(preparation.stored(batch), False, 0))
    assert batch.keys() == before.keys()
    assert all(torch.equal(batch[key], value) for key, value in before.items())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stored_may_be_cut_before(kind: str) -> None:
    given, batch = learnt_of(kind)
    preparation = preparation_of(given)
    direct, cut = (preparation(one, False, 0) for one in (batch, preparation.stored(batch)))
    pairs = zip(given.arguments(direct), given.arguments(cut), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shape_is_of_a_notation(kind: str) -> None:
    given, _ = learnt_of(kind)
    assert len(given.described().split("x")) == len(given.notation.split("x")) == len(given.shape)
    assert given.described() == "x".join(map(str, given.shape))
    other = tuple(number + 3 for number in given.shape)
    made = given.of_shape(other)
    assert (made.shape, type(made)) == (other, type(given))
    assert made.told().keys() == given.told().keys() and given.demands <= set(given.told())
    for wrong in ((), (*other, 3), (*other[:-1], 0)):
        with pytest.raises(InputError, match="expected"):
            given.of_shape(wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_another_side_is_looked_for(kind: str) -> None:
    given, _ = learnt_of(kind)
    assert list(given.sides) == sorted(set(given.sides))
    made = given.with_side(given.sides[1])
    assert made.side == given.sides[1] and made.shape != given.shape
    assert made.setting.startswith("data.") and str(made.side) in made.setting


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_shown(kind: str) -> None:
    given, batch = learnt_of(kind)
    preparation = preparation_of(given)
    for shown in (given.pictures(batch), preparation.shown(preparation(batch, False, 0))):
        assert len(shown) == COUNT
        assert all(one.dtype == np.uint8 and one.ndim == 3 and one.shape[2] in (1, 3) for one in shown)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_a_batch_of_one(tmp_path: Path, kind: str) -> None:
    (given, batch), path = learnt_of(kind), write_file(kind, tmp_path)
    read = given.read(path)
    assert path.suffix in given.suffixes
    assert read.keys() == batch.keys() and read["index"].tolist() == [0]
    assert {key: value.dtype for key, value in read.items()} == {key: value.dtype for key, value in batch.items()}
    arguments = given.arguments(preparation_of(given)(read, False, 0))
    assert [one.shape for one in arguments] == [one.shape for one in given.example(1)]
    picture = given.picture(path)
    assert picture.dtype == np.uint8 and picture.ndim == 3
    with pytest.raises(InputError, match=rf"none{path.suffix}"):
        given.read(tmp_path / f"none{path.suffix}")


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_learnt_goes_through_json(kind: str) -> None:
    (given, split), (learnt, batch) = MADE[kind](), learnt_of(kind)
    content = json.loads(json.dumps(learnt.learnt()))
    again = given.with_learnt(content)
    assert again.learnt() == learnt.learnt() and not again.learns
    pairs = zip(*(one.arguments(preparation_of(one)(batch, False, 0)) for one in (again, learnt)), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    if given.learns:
        other = given.learn(split, np.arange(2))
        assert other.learnt() != learnt.learnt(), "of these samples alone"
        assert given.learnt().keys() == learnt.learnt().keys()
        with pytest.raises(InputError, match=r"input\.json"):
            given.with_learnt({"nothing": 1})


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_another_kind_of_input_are_left_as_they_are(kind: str) -> None:
    given, _ = learnt_of(kind)
    net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    others = [learnt_of(other)[0] for other in KINDS if other != kind]
    assert [adapted(net, net.state_dict(), given, other) for other in others] == [{}] * len(others)


# --- a tiny net of each kind, through the command line ----------------------------------------------------------------

PARAMETERS = {
    "pictures": 3 * 4 * 9 + 4 + 4 * 2 + 2,
    "clips": 3 * 4 * 9 * 4 + 4 + 4 * 2 + 2,
    "signals": 2 * 4 * 3 + 4 + 4 * 2 + 2,
    "sounds": 2 * 4 * 9 + 4 + 4 * 2 + 2,
    "volumes": 2 * 4 * 27 + 4 + 4 * 2 + 2,
    "tokens": 10 * 4 + 4 * 4 * 3 + 4 + 4 * 2 + 2,
    "several": 3 * 4 * 9 + 4 + 10 * 4 + 8 * 2 + 2,
}
SIZES = {
    "pictures": "3x12x9",
    "clips": "4x3x12x9",
    "signals": "2x50",
    "sounds": "2x12x9",
    "volumes": "2x5x12x9",
    "tokens": "17",
    "several": "3x12x9x17",
}
MULTIPLY_ADDS = {
    "pictures": (10 * 7) * 4 * 27 + 8,
    "clips": (10 * 7) * 4 * 27 * 4 + 8,
    "signals": 48 * 4 * 6 + 8,
    "sounds": (10 * 7) * 4 * 18 + 8,
    "volumes": (3 * 10 * 7) * 4 * 54 + 8,
    "tokens": 15 * 4 * 12 + 8,
    "several": (10 * 7) * 4 * 27 + 16,
}
ACTIVATIONS = {
    "pictures": 4 * 70 + 4 + 2,
    "clips": 4 * 70 + 4 + 2,
    "signals": 4 * 48 + 4 + 2,
    "sounds": 4 * 70 + 4 + 2,
    "volumes": 4 * 210 + 4 + 2,
    "tokens": 4 * 17 + 4 * 15 + 4 + 2,
    "several": 4 * 70 + 4 + 4 * 17 + 4 + 8 + 2,
}
"""Numbers of 4 bytes that operations make: the layers, their means, what is joined, the answer."""


own = pytest.fixture(in_own_folder)


def summary(kind: str, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    words = ("summary", f"model=tiny_{kind}", f"data=tiny_{kind}", "--json", *words)
    status = main([*words, "--config-dir", "conf", "--trust", "tiny"])
    said = capsys.readouterr()
    assert status == 0, said.err + said.out
    content: dict[str, Any] = json.loads(said.out)
    return content


@pytest.mark.integration
@pytest.mark.parametrize("kind", KINDS)
def test_a_net_of_it_is_summed_up(own: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = summary(kind, capsys)
    assert content["input"] == list(_plain(kind).shape)
    assert content["totals"]["parameters"] == PARAMETERS[kind]
    assert content["training"]["step_bytes"] > 4 * PARAMETERS[kind]
    content = summary(kind, capsys, "--input", SIZES[kind])
    assert "x".join(map(str, content["input"])) == SIZES[kind]
    assert content["totals"]["multiply_adds"] == MULTIPLY_ADDS[kind]
    assert content["totals"]["activation_bytes"] == 4 * ACTIVATIONS[kind]
    (layer,) = (one for one in content["layers"] if one["name"] in ("layer", "picture"))
    assert layer["receptive_field"]["size"] == {
        "signals": [3],
        "tokens": [3],
        "clips": [4, 3, 3],
        "volumes": [3, 3, 3],
    }.get(kind, [3, 3])


@pytest.mark.integration
@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_that_is_too_small_is_refused_with_the_smallest(
    own: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = {
        "pictures": "3x2x2",
        "clips": "4x3x2x2",
        "signals": "2x2",
        "sounds": "2x2x2",
        "volumes": "2x2x2x2",
        "tokens": "2",
        "several": "3x2x2x5",
    }[kind]
    words = ["summary", f"model=tiny_{kind}", f"data=tiny_{kind}", "--input", size]
    assert main([*words, "--config-dir", "conf", "--trust", "tiny"]) == 2
    said = capsys.readouterr().err
    assert "the smallest that it takes are" in said and "3" in said.rpartition("set data.")[2]


def _plain(kind: str) -> Input:
    return MADE[kind]()[0]

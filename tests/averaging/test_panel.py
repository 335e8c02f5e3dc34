"""Which runs go together, said before any data or weights are opened; and that all members answer the same samples."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cnnexp.averaging.panel import Member, Panel
from cnnexp.averaging.views import FLIP
from cnnexp.errors import InputError
from cnnexp.runs.read import Record
from cnnexp.tasks.classification import Classification
from tests.tasks import tiny


def config_of(
    classes: tuple[str, ...] = ("ant", "bee"), task: str = "classification", option: str = "mnist5k", **data: Any
) -> dict[str, Any]:
    return {
        "task": {"name": task, "target": "label"},
        "choices": {"data": option},
        "data": {"_target_": f"cnnexp.data.{option}", "targets": ["label"], "classes": list(classes), **data},
        "batch_size": 8,
    }


def refused(*configs: dict[str, Any]) -> list[str]:
    records = [
        Record(Path("nowhere"), letter, "finished", config=one) for letter, one in zip("abc", configs, strict=False)
    ]
    with pytest.raises(InputError) as error:
        Panel.open(records, configs, "best")
    return list(error.value.lines)


def test_an_ensemble_is_of_one_task() -> None:
    (line,) = refused(config_of(), config_of(task="segmentation"))
    assert line == "b is for segmentation, a for classification: an ensemble is of one task"


def test_other_classes_are_named() -> None:
    (line,) = refused(config_of(), config_of(("ant", "bee", "cat")))
    assert line.startswith("b knows cat, other than a (ant, bee): probabilities of different classes have no mean")
    (line,) = refused(config_of(), config_of(("ant", "cat")))
    assert line.startswith("b knows cat, other than a (ant, bee): ")
    (line,) = refused(config_of(), config_of(("bee",)))
    assert line.startswith("b does not know ant, other than a (ant, bee): ")


def test_other_pictures_are_named_with_the_way_out() -> None:
    (line,) = refused(config_of(), config_of(option="fashion_mnist"))
    assert line == "b was trained on other pictures (fashion_mnist) than a (mnist5k): say which to test on, data=NAME"
    assert refused(config_of(root="here"), config_of(root="there")), "the same data set of another folder"


def test_every_run_that_does_not_fit_has_a_line() -> None:
    assert len(refused(config_of(), config_of(task="segmentation"), config_of(("x", "y")))) == 2


def test_another_size_or_normalisation_is_no_other_data(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def reopened(record: Record, config: dict[str, Any], trusted: tuple[str, ...]) -> SimpleNamespace:
        opened.append(config)
        facts = SimpleNamespace(shown=(1,))
        return SimpleNamespace(config=config, data=SimpleNamespace(facts=facts), mapped=None)

    monkeypatch.setattr("cnnexp.averaging.panel.reopen_data", reopened)
    shown = []
    monkeypatch.setattr("cnnexp.averaging.panel.revive", lambda *given: shown.append(given[-1]))
    monkeypatch.setattr("cnnexp.averaging.panel.for_this_machine", lambda config: config)
    one = config_of(channels=1, image_size=[28, 28], mean=[0.1], std=[0.2], fraction=1.0, workers=0, in_memory=True)
    normalised = {**one, "data": {**one["data"], "mean": [0.5]}, "batch_size": 5}
    two = config_of(channels=3, image_size=[32, 32], mean=[0.5], std=[0.5], fraction=0.1, workers=2, in_memory=False)
    orders = {"a": ("ant", "bee"), "b": ("bee", "ant"), "c": ("ant", "bee")}
    records = [Record(Path("x"), letter, "finished", config=config_of(one)) for letter, one in orders.items()]
    members = Panel.open(records, [one, normalised, two], "best").members
    assert len(opened) == 2, "what is stored alike is opened once"
    assert members[0].data is members[1].data and members[2].data is not members[0].data
    assert [member.config["data"]["mean"] for member in members] == [[0.1], [0.5], [0.5]]
    assert [member.order for member in members] == [None, (1, 0), None], "each counts its classes as it learnt them"
    assert [member.config["data"]["classes"]["label"] for member in members] == [list(one) for one in orders.values()]
    assert shown == [(1,), (0,), (1,)], "a bee, as each of them counts"
    assert [member.config["batch_size"] for member in members] == [8, 8, 8], "cut alike"


def test_other_samples_in_the_split_are_refused() -> None:
    one, other = tiny.picture_data(), tiny.picture_data()
    for data, names in ((one, "abcdefghijk"), (other, "abcdefghijx")):
        data.split("test").names = list(names)
    with pytest.raises(InputError, match=r"^a has other samples in its test split than a: say which to test on"):
        list(Panel((member(one), member(other))).batches("test"))


def member(data: Any, accelerator: str = "cpu") -> Member:
    hardware = {**tiny.HARDWARE, "accelerator": accelerator}
    record: Any = SimpleNamespace(id="a")
    return Member(record, tiny.task(Classification, tiny.linear_net()), data, {"hardware": hardware})


def test_members_of_the_same_data_are_given_one_batch_and_others_the_same_samples() -> None:
    data, own = tiny.picture_data(), tiny.picture_data()
    panel = Panel((member(data), member(own), member(data)))
    steps = list(panel.batches("test"))
    assert [[len(batch["index"]) for batch in step] for step in steps] == [[8] * 3, [3] * 3]
    for first, second, third in steps:
        assert third is first and second is not first
        assert torch.equal(first["index"], second["index"])


def test_loaders_that_cut_the_split_otherwise_are_an_error_and_no_shorter_test() -> None:
    panel = Panel((member(tiny.picture_data()), member(tiny.picture_data(batch_size=11))))
    with pytest.raises(ValueError, match="shorter"):
        list(panel.batches("test"))


def test_a_member_s_voter_computes_where_and_how_its_run_did() -> None:
    assert member(None, "gpu").device == torch.device("cuda")
    voter = member(None).voter(FLIP)
    assert (voter.device.type, voter.precision, voter.views) == ("cpu", "fp32", tuple(FLIP))

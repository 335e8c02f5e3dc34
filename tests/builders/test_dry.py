"""Samples that a net does not take are refused with the smallest that it takes, from shapes alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import build, net_for
from cnnexp.builders.dry import refuse_samples
from cnnexp.builders.facts import provisional_facts
from cnnexp.config.compose import compose_run
from cnnexp.errors import InputError
from tests.tasks import tiny

CHOICES: dict[str, Any] = {"choices": {"model": "mine"}}


def tried(*words: str) -> None:
    config = compose_run(list(words))
    facts = provisional_facts(config)
    refuse_samples(config, net_for(bind_run(config), facts, config), facts.input)


def line_of(*words: str) -> str:
    with pytest.raises(InputError) as refused:
        tried(*words)
    assert len(refused.value.lines) == 1
    return str(refused.value)


@pytest.mark.parametrize(
    ("words", "smallest"),
    [
        (["model=vgg16", "data=mnist5k"], 32),  # five halvings
        (["model=torchvision", "model.name=alexnet", "data=cifar10"], 63),  # 11x11/4 and three pools of 3x3/2
        (["model=inception_v4", "data=cifar10"], 75),  # as its library says
        (["model=inception_v3", "data=cifar10", "model.auxiliary_heads=false"], 75),
    ],
)
def test_too_small(words: list[str], smallest: int) -> None:
    line = line_of(*words)
    assert f"the smallest that it takes are {smallest}x{smallest}" in line
    assert f"data.image_size=[{smallest},{smallest}]" in line
    tried(*words, f"data.image_size=[{smallest},{smallest}]")


def test_only_one_size() -> None:
    words = ["model=torchvision", "model.name=vit_b_32", "data=cifar10", "data.image_size=[256,256]"]
    assert "it takes 224x224" in line_of(*words)


class NoWeights(nn.Module):
    """Reads a weight when it is made, which cannot be done without weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = float(torch.ones(1))


class Never(nn.Module):
    """Fails for a reason that has nothing to do with the size."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("not today")


@pytest.mark.parametrize("net", [NoWeights, Never])
def test_what_cannot_be_tried_is_not_refused(net: type[nn.Module]) -> None:
    refuse_samples(CHOICES, partial(net), tiny.facts().input)


def test_before_the_data_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnexp.data.cifar10 import CIFAR10

    monkeypatch.setattr(CIFAR10, "prepare", lambda _self: pytest.fail("the data was prepared"))
    with pytest.raises(InputError, match="model=inception_v4 does not take such pictures"):
        build(compose_run(["model=inception_v4", "data=cifar10"]))
    with pytest.raises(InputError, match=r"depth=21: must be 6n \+ 2"):
        build(compose_run(["model=resnet20", "model.depth=21", "data=cifar10"]))


SEQUENCE = ["model=ecg_resnet10", "data=wfdb_records", "data.sequence=true", "data.length=80"]


def test_as_many_answers_as_labels() -> None:
    tried(*SEQUENCE, "data.every=4")
    line = line_of(*SEQUENCE, "data.every=20")
    assert line == ("data.every=20: the net has 20 answers for 80 samples and the data 4 labels; set data.every=4")
    tried(*SEQUENCE[:2], "data.length=80", "data.every=20")  # a single answer has no parts

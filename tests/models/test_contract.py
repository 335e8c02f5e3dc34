"""What every net of the ``model`` group holds to: its number of parameters, a step of training, the shape of answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnexp.builders.build import bind_task, build_dataset, build_task, find_facts, provisional_facts
from cnnexp.builders.dry import refuse_pictures
from cnnexp.config.compose import compose_run
from cnnexp.config.options import option_files, purpose, task_of_model
from cnnexp.data.base import Facts
from cnnexp.errors import InputError
from cnnexp.models.auxiliary import split_answer
from cnnexp.paths import config_folder
from tests.tasks import tiny

NETS = option_files("model", [config_folder()])
CLASSIFIERS = [name for name, path in NETS.items() if task_of_model(path) == "classification"]
PLACES_FOR_PICTURES = ((3, 224), (3, 227), (3, 299), (3, 32), (1, 28), (1, 32))
MANY = 12_000_000  # parameters: a step with more takes seconds on a processor
BATCH = 4


def said(name: str) -> int | None:
    """The number of parameters that a net's first line says."""
    found = re.search(r"([\d,]+) parameters", purpose(NETS[name]))
    return int(found[1].replace(",", "")) if found else None


def marked(names: list[str]) -> list[Any]:
    """Nets with many parameters are for the slow tests."""
    return [pytest.param(name, marks=[pytest.mark.slow] if (said(name) or 0) > MANY else []) for name in names]


def config_of(name: str) -> tuple[dict[str, Any], Facts]:
    """A net with the smallest pictures that it takes, from 32x32 on: those that its refusal of smaller ones names."""
    task = task_of_model(NETS[name])
    words = [f"model={name}", f"data={'cifar10' if task in ('classification', 'autoencoder') else 'digit_scenes'}"]
    config = compose_run([*words, "augmentation=none"])
    try:
        _try(config)
    except InputError as error:
        size = re.search(r"image_size=\[(\d+), ?(\d+)\][^\[]*$", str(error))
        assert size is not None, f"the line names no size: {error}"
        config = compose_run([*words, "augmentation=none", f"data.image_size=[{size[1]},{size[2]}]"])
        _try(config)
    return config, provisional_facts(config)


def _try(config: dict[str, Any]) -> None:
    refuse_pictures(config, bind_task(config, provisional_facts(config)).net, provisional_facts(config))


def parameters(name: str, channels: int, side: int, classes: int) -> int | None:
    """Of the whole net for such pictures; None where it does not take them."""
    data = "cifar10" if channels == 3 else "mnist5k"
    config = compose_run([f"model={name}", f"data={data}", f"data.image_size=[{side},{side}]"])
    names = tuple(map(str, range(classes)))
    facts = provisional_facts(config)
    try:
        with torch.device("meta"):
            net = bind_task(config, Facts(**{**vars(facts), "classes": names})).net()
    except InputError:
        return None
    return sum(one.numel() for one in net.parameters())


def test_there_are_nets_to_look_at() -> None:
    assert len(CLASSIFIERS) >= 30
    assert sum(said(name) is not None for name in CLASSIFIERS) >= 25


@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if said(name) is not None])
def test_the_number_of_parameters_in_its_first_line(name: str) -> None:
    classes = 1000 if "1,000 classes" in purpose(NETS[name]) else 10
    counts = {place: parameters(name, *place, classes) for place in PLACES_FOR_PICTURES}
    assert said(name) in counts.values(), counts


def reached(net: nn.Module, picture: Tensor) -> list[Tensor]:
    """Answers in training mode; their sum is led back to every parameter."""
    answer, others = split_answer(net.train()(picture))
    torch.stack([one.sum() for one in (answer, *others)]).sum().backward()
    return [answer, *others]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_shapes_alone_forward_and_backward(name: str) -> None:
    """At full width, on the meta device."""
    config, facts = config_of(name)
    with torch.device("meta"):
        net = bind_task(config, facts).net()
        answers = reached(net, torch.empty(BATCH, facts.channels, facts.height, facts.width))
    assert [tuple(one.shape) for one in answers] == [(BATCH, len(facts.classes))] * len(answers)
    assert (len(answers) > 1) == (getattr(net, "auxiliary_weight", None) is not None)
    assert [one for one, weight in net.named_parameters() if weight.grad is None] == [], "no way to them"


def batch_of(config: dict[str, Any], facts: Facts) -> dict[str, Tensor]:
    if config["task"]["target"] in ("mask", "boxes"):
        return build_dataset(config).load("train").batch(torch.arange(BATCH))
    generator = torch.Generator().manual_seed(0)
    size = (BATCH, facts.channels, facts.height, facts.width)
    return {
        "image": torch.randint(256, size, generator=generator, dtype=torch.uint8),
        "label": torch.randint(len(facts.classes), (BATCH,), generator=generator),
        "index": torch.arange(BATCH),
    }


@pytest.mark.parametrize("name", marked(list(NETS)))
def test_a_step_of_training(name: str) -> None:
    config, facts = config_of(name)
    if config["task"]["target"] in ("mask", "boxes"):
        facts = find_facts(config, build_dataset(config))
    task = tiny.alone(build_task(config, facts))
    before = {one: weight.detach().clone() for one, weight in task.net.named_parameters()}
    task.train()
    task.optimize(task.prepare(batch_of(config, facts), train=True, epoch=0))
    assert torch.isfinite(task.batch_loss)
    gradients = {one: weight.grad for one, weight in task.net.named_parameters()}
    assert [one for one, gradient in gradients.items() if gradient is None] == []
    assert [one for one, gradient in gradients.items() if gradient is not None and not gradient.isfinite().all()] == []
    moved = [one for one, weight in task.net.named_parameters() if not torch.equal(weight, before[one])]
    assert len(moved) > len(before) / 2, "a step moves most of the weights"
    if config["task"]["target"] == "label":
        with torch.no_grad():
            answer = task.eval().net(torch.rand(2, facts.channels, facts.height, facts.width))
        assert answer.shape == (2, len(facts.classes)) and answer.isfinite().all()

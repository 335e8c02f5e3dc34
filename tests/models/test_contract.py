"""What every net of the ``model`` group holds to: its number of parameters, shapes of answers, a step of training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import make_recipe, make_task, net_for
from cnnexp.builders.datasets import build_dataset
from cnnexp.builders.dry import refuse_samples
from cnnexp.builders.facts import build_input, find_facts, provisional_facts, renamed
from cnnexp.config.compose import compose_run
from cnnexp.config.model_header import model_header
from cnnexp.config.options import (
    PICTURES,
    content_of,
    data_with,
    input_of_model,
    option_files,
    purpose,
    task_of_model,
    tasks,
)
from cnnexp.data.facts import Facts
from cnnexp.errors import InputError
from cnnexp.fit.module import TaskModule
from cnnexp.inputs.base import Input
from cnnexp.inputs.several import Several
from cnnexp.models.auxiliary import split_answer
from cnnexp.paths import config_folder
from cnnexp.tasks.finders import with_draws
from cnnexp.training.learner import Learner
from tests.models.deep import DEEP, DEEPER, deep_ones_slow
from tests.tasks import tiny

FOLDERS = [config_folder()]
NETS = option_files("model", FOLDERS)
CLASSIFIERS = [name for name, path in NETS.items() if task_of_model(path) == "classification"]
SHAPES = {1000: ((3, 224, 224), (3, 227, 227), (3, 299, 299)), 10: ((3, 32, 32), (1, 28, 28), (1, 32, 32))}
"""Shapes of pictures that the first lines are about, by the number of classes."""
MANY = 12_000_000  # parameters: a step with more takes seconds on a processor
BATCH = 4
OF_SCENES = ("mask", "boxes", "instances")
"""Truth that is in the picture: real samples have it."""
FIRST_RATE = 0.01  # of the full rate: schedules begin low


def data_for(name: str) -> str:
    """A data set of the net's kind of input that says its classes."""
    kind = input_of_model(NETS[name]) or PICTURES
    if kind == PICTURES:
        scenes = task_of_model(NETS[name]) in ("segmentation", "detection", "instances")
        return "digit_scenes" if scenes else "cifar10"
    files, task = option_files("data", FOLDERS), tasks(FOLDERS).get(task_of_model(NETS[name]) or "", {})
    target = task.get("target") or "label"
    return next(one for one in data_with(target, FOLDERS, kind) if content_of(files[one])["data"]["classes"])


def said(name: str) -> int | None:
    """The number of parameters that a net's first line says."""
    found = re.search(r"([\d,]+) parameters", purpose(NETS[name]))
    return int(found[1].replace(",", "")) if found else None


def large(name: str) -> bool:
    return (said(name) or 0) > MANY


def marked(names: list[str]) -> list[Any]:
    """Large nets are for the slow tests, and deep ones of the class of a shallower one."""
    return [pytest.param(name, marks=[pytest.mark.slow] if large(name) or name in DEEPER else []) for name in names]


@cache
def config_of(name: str) -> tuple[dict[str, Any], Facts]:
    """A net with the smallest samples that it takes, from 32x32 on: those that its refusal of smaller ones names."""
    words = [f"model={name}", f"data={data_for(name)}"]
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
    facts = provisional_facts(config)
    refuse_samples(config, net_for(bind_run(config), facts, config), facts.input)


def parameters(name: str, shape: tuple[int, ...], classes: int) -> int | None:
    """Of the whole net for such samples; None where it does not take them."""
    config = compose_run([f"model={name}", f"data={data_for(name)}"])
    facts = renamed(provisional_facts(config), tuple(map(str, range(classes))))
    try:
        facts = replace(facts, input=facts.input.of_shape(shape))
        with torch.device("meta"):
            net = net_for(bind_run(config), facts, config)()
    except InputError:
        return None
    return sum(one.numel() for one in net.parameters())


def test_there_are_nets_to_look_at() -> None:
    assert set(CLASSIFIERS) > DEEP
    assert len(CLASSIFIERS) >= 30
    assert sum(said(name) is not None for name in CLASSIFIERS) >= 25


@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if said(name) is not None])
def test_the_number_of_parameters_in_its_first_line(name: str) -> None:
    header = model_header(purpose(NETS[name]))
    classes = header.classes or 10
    own = build_input(compose_run([f"model={name}", f"data={data_for(name)}"])).shape
    of_a_clip = [(header.frames, 3, header.side, header.side)] if header.frames and header.side else []
    counts = (parameters(name, shape, classes) for shape in (*of_a_clip, *SHAPES.get(classes, ()), own))
    assert said(name) in counts


def reached(net: nn.Module, arguments: Sequence[Tensor]) -> list[Tensor]:
    """Answers in training mode; their sum is led back to every parameter."""
    answer, others = split_answer(net.train()(*arguments))
    torch.stack([one.sum() for one in (answer, *others)]).sum().backward()
    return [answer, *others]


@pytest.mark.parametrize("name", deep_ones_slow([name for name in CLASSIFIERS if large(name)]))
def test_shapes_alone_forward_and_backward(name: str) -> None:
    """At full width, on the meta device: what a step of training asks of the others."""
    config, facts = config_of(name)
    with torch.device("meta"):
        net = net_for(bind_run(config), facts, config)()
        answers = reached(net, facts.input.example(BATCH))
    assert_one_for_each_head(net, answers, facts)
    assert [one for one, weight in net.named_parameters() if weight.grad is None] == [], "no way to them"


def assert_one_for_each_head(net: nn.Module, answers: Sequence[Tensor], facts: Facts) -> None:
    assert [tuple(one.shape) for one in answers] == [(BATCH, len(facts.names("label")))] * len(answers)
    assert (len(answers) > 1) == (getattr(net, "auxiliary_weight", None) is not None)


def batch_of(config: dict[str, Any], facts: Facts) -> dict[str, Tensor]:
    """Pictures as they are stored; other samples as they go into the net."""
    target = config["task"]["target"]
    if target in OF_SCENES and facts.input.name == PICTURES:
        return build_dataset(config).load("train").batch(torch.arange(BATCH))
    generator = torch.Generator().manual_seed(0)
    if facts.input.name == PICTURES:
        size = (BATCH, *facts.input.shape)
        samples = {"image": torch.randint(256, size, generator=generator, dtype=torch.uint8)}
    else:
        values = [one.normal_(generator=generator) if one.is_floating_point() else one for one in sample_of(facts)]
        samples = dict(zip(keys_of(facts), values, strict=True))
    if target == "mask":
        mask = torch.randint(len(facts.names("mask")), (BATCH, *facts.input.shape[1:]), generator=generator)
        return {**samples, "mask": mask.to(torch.uint8), "index": torch.arange(BATCH)}
    return {
        **samples,
        "label": torch.randint(len(facts.names(target or "label")), (BATCH,), generator=generator),
        "index": torch.arange(BATCH),
    }


def sample_of(facts: Facts, count: int = BATCH) -> tuple[Tensor, ...]:
    return facts.input.example(count, "cpu")


def keys_of(facts: Facts) -> list[str]:
    """The tensors of a prepared batch that are the net's arguments."""
    if isinstance(facts.input, Several):
        return [f"{name}.{key}" for name, part in facts.input.parts.items() for key in asked_of(part)]
    return asked_of(facts.input)


def asked_of(given: Input) -> list[str]:
    class Asked(dict[str, Tensor]):
        def __missing__(self, key: str) -> Tensor:
            return self.setdefault(key, torch.zeros(BATCH))

    asked = Asked()
    given.arguments(asked)
    return list(asked)


@pytest.mark.parametrize("name", marked(list(NETS)))
def test_a_step_of_training(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config, facts = config_of(name)
    if config["task"]["target"] in OF_SCENES and facts.input.name == PICTURES:
        facts = find_facts(config, build_dataset(config))
    bound = bind_run(config)
    task = make_task(config, bound, facts)
    module = tiny.alone(TaskModule(task, Learner(task, make_recipe(config, bound, task))))
    for optimizer in module.trainer.optimizers:
        for group in optimizer.param_groups:
            group["lr"] *= FIRST_RATE
    before = {one: weight.detach().clone() for one, weight in task.net.named_parameters()}
    module.train()
    if facts.input.name != PICTURES:
        monkeypatch.setattr(task, "prepare", lambda batch, train, epoch: with_draws(task.net, batch, 0, train, epoch))
    count: Any = getattr(task.net, "count", None)
    if count is not None:
        count([batch_of(config, facts)["tokens"]])
    answers: list[Any] = []
    task.net.register_forward_hook(lambda net, given, answer: answers.append(answer))
    module.training_step(batch_of(config, facts), 0)
    assert module.batch_loss is not None and torch.isfinite(module.batch_loss)
    # of several optimizers the last one's, as each begins without the others' gradients
    gradients = {one: weight.grad for one, weight in task.learning(task.turns[-1]).named_parameters()}
    assert [one for one, gradient in gradients.items() if gradient is None] == []
    assert [one for one, gradient in gradients.items() if gradient is not None and not gradient.isfinite().all()] == []
    moved = [one for one, weight in task.net.named_parameters() if not torch.equal(weight, before[one])]
    # of two tables of which one begins at zero, that one alone moves
    assert len(moved) > len(before) / 2 or len(before) == 2 * len(moved) == 2, "a step moves most of the weights"
    if name in CLASSIFIERS:
        (answer,) = answers
        main, others = split_answer(answer)
        assert_one_for_each_head(task.net, [main, *others], facts)
    if config["task"]["target"] == "label":
        sample = sample_of(facts, 2)
        with torch.no_grad():
            answer = task.eval().net(*(torch.rand_like(one) if one.is_floating_point() else one for one in sample))
        assert answer.shape == (2, len(facts.names("label"))) and answer.isfinite().all()

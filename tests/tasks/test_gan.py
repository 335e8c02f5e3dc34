"""Two parts that learn in turn: each optimizer changes its own, both follow the schedule, and noise can be repeated."""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from cnnexp.fit.module import TaskModule
from cnnexp.losses.adversarial import Adversarial
from cnnexp.models.dcgan import DCGAN
from cnnexp.tasks.gan import GAN
from cnnexp.training.schedules import Cosine
from tests.tasks import tiny

ADAM = {turn: partial(torch.optim.Adam, lr=rate) for turn, rate in (("discriminator", 0.01), ("generator", 0.002))}


def module(**changes: Any) -> TaskModule:
    torch.manual_seed(0)
    net = DCGAN(in_channels=1, image_size=(tiny.SIDE, tiny.SIDE), noise=5, width=4)
    return tiny.module(GAN, net, loss=Adversarial(), **({"optimizers": ADAM} | changes))


def state(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items() if "running" not in name}


def test_each_turn_changes_its_own_part() -> None:
    made = tiny.alone(module())
    batch = made.task.prepare(tiny.batch(8), True)
    made.learning.optimizers = dict(zip(made.task.turns, made.trainer.optimizers, strict=True))
    for turn, other in (("discriminator", "generator"), ("generator", "discriminator")):
        before = state(made.net)
        weights = dict(made.net.named_parameters())
        made.learning._turn(turn, batch, made.engine, lambda output: None)
        changed = {name for name in weights if not torch.equal(before[name], weights[name])}
        assert {name.split(".")[0] for name in changed} == {turn}
        assert all(not torch.equal(before[name], weights[name]) for name in weights if name.startswith(turn)), other


def test_a_discriminator_at_one_half_loses_2_ln_2() -> None:
    made = tiny.alone(module())
    for parameter in list(made.net.discriminator[-1].parameters()):  # type: ignore[index, union-attr]
        nn.init.zeros_(parameter)
    prepared = made.task.prepare(tiny.batch(8), False)
    with torch.no_grad():
        discriminator, generator = made.task.step(prepared, "val").terms
    assert float(discriminator.mean) == pytest.approx(2 * math.log(2))
    assert float(generator.mean) == pytest.approx(math.log(2))


class Rates(pl.Callback):
    def __init__(self) -> None:
        self.seen: list[list[float]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        self.seen.append([one.param_groups[0]["lr"] for one in trainer.optimizers])


def test_both_optimizers_follow_the_schedule() -> None:
    rates = Rates()
    tiny.fit(module(schedule=Cosine(final=0.0)), callbacks=[rates])
    factors = [(1 + math.cos(math.pi * step / 6)) / 2 for step in range(6)]
    assert [one[0] for one in rates.seen] == pytest.approx([0.01 * factor for factor in factors])
    assert [one[1] for one in rates.seen] == pytest.approx([0.002 * factor for factor in factors])


def test_an_evaluation_has_the_same_noise_for_a_sample_in_any_batch() -> None:
    made = module().eval()
    batch = made.task.prepare(tiny.batch(6), False)
    whole = made.task.predict(batch)
    part = made.task.predict({name: value[2:4] for name, value in batch.items()})
    assert all((one["picture"] == other["picture"]).all() for one, other in zip(whole[2:4], part, strict=True))
    assert not (whole[0]["picture"] == whole[1]["picture"]).all()


def test_pictures_reach_the_net_between_minus_one_and_one() -> None:
    made = module()
    batch = tiny.batch(2)
    batch["image"][0], batch["image"][1] = 0, 255
    seen: list[Tensor] = []
    made.net.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))  # type: ignore[union-attr]
    made.task.eval().predict(made.task.prepare(batch, False))
    assert (float(seen[0][0].max()), float(seen[0][1].min())) == (-1.0, 1.0)


def test_metrics_are_the_mean_probabilities() -> None:
    made = module()
    tiny.fit(made, epochs=1)
    assert {"train/discriminator", "train/generator", "train/loss", "val/real", "val/generated"} <= set(made.results)
    total = made.results["train/discriminator"] + made.results["train/generator"]
    assert made.results["train/loss"] == pytest.approx(total)
    other = copy.deepcopy(made.net).eval()
    batch = {name: value for name, value in tiny.picture_data().split("val").batch(range(10)).items()}
    with torch.no_grad():
        real = other(batch["image"].float() / 255 * 2 - 1).sigmoid().mean()
    assert made.results["val/real"] == pytest.approx(float(real), rel=1e-5)

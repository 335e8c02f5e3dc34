"""Two parts that learn in turn: each optimizer changes its own, both follow the schedule, and noise can be repeated."""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from cnnexp.augmentation.noise import gaussian
from cnnexp.errors import InputError
from cnnexp.fit.module import TaskModule
from cnnexp.losses.adversarial import Adversarial
from cnnexp.models.dcgan import DCGAN
from cnnexp.tasks.film import MOST_FRAMES, Film
from cnnexp.tasks.gan import GAN, collapse
from cnnexp.tasks.quality import frechet
from cnnexp.training.schedules import Cosine
from tests.tasks import tiny

ADAM = {turn: partial(torch.optim.Adam, lr=rate) for turn, rate in (("discriminator", 0.01), ("generator", 0.002))}


def module(conditional: bool = False, **changes: Any) -> TaskModule:
    torch.manual_seed(0)
    size, classes = (tiny.SIDE, tiny.SIDE), len(tiny.CLASSES)
    net = DCGAN(in_channels=1, image_size=size, num_classes=classes, noise=5, width=4, conditional=conditional)
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


def test_losses_of_opponents_have_no_gap() -> None:
    assert not module().task.comparable


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


class ByBrightness:
    """A judge whose features are the mean brightness of the upper and of the lower half, and whose class is which of
    the two is brighter; the third class is never said."""

    names, width = tiny.CLASSES, 2

    def __call__(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        half = pictures.shape[2] // 2
        halves = torch.stack([pictures[:, :, :half].mean((1, 2, 3)), pictures[:, :, half:].mean((1, 2, 3))], 1)
        return halves, (halves[:, 0] > halves[:, 1]).long()


def judged(conditional: bool = False) -> TaskModule:
    return module(conditional, judge=ByBrightness)


def moments_of(features: Tensor) -> Any:
    values = features.double().numpy()
    return values.mean(0), np.cov(values, rowvar=False)


def test_a_judge_compares_as_many_pictures_made_up_as_there_are() -> None:
    """What the metrics come to is worked out again from the pictures themselves."""
    made = judged()
    tiny.fit(made, epochs=1)
    batch = made.task.prepare(tiny.picture_data().split("val").batch(torch.arange(10)), False)
    task: Any = made.task
    with torch.no_grad():
        real, _ = ByBrightness()(batch["image"])
        generated, classes = ByBrightness()((task.net.eval().generate(task._noise_of(batch)) + 1) / 2)
    assert made.results["val/frechet"] == pytest.approx(frechet(moments_of(real), moments_of(generated)), rel=1e-4)
    assert made.vectors["val/share"] == pytest.approx((torch.bincount(classes, minlength=3) / 10).tolist())
    assert made.results["val/least_share"] == 0


def test_training_pictures_are_compared_with_the_test_s() -> None:
    data = tiny.picture_data()
    test = data.split("test").batch(torch.arange(11))["image"] / 255
    positions = data.train_positions()[np.linspace(0, 23, 11).round().astype(int)]
    train = data.split("train").batch(torch.from_numpy(positions))["image"] / 255
    expected = frechet(*(moments_of(ByBrightness()(one)[0]) for one in (train, test)))
    assert judged().task.reference(data) == {"frechet_of_training": pytest.approx(expected, rel=1e-4)}
    assert module().task.reference(data) == {}, "nobody judges"


def test_classes_that_are_hardly_made_up_are_told_in_a_sentence() -> None:
    """Of 100 pictures 2 are taken for b, which is a tenth of the data: 2 % is less than 0.3 of 10 %."""
    said = collapse(("a", "b", "c"), np.array([70, 2, 28]), np.array([45, 5, 0]))
    assert said is not None and said.endswith("(the data in brackets): b 2.0 % (10.0 %)")
    assert collapse(("a", "b"), np.array([96, 4]), np.array([90, 10])) is None


def test_a_film_has_a_frame_of_the_same_noise_after_each_epoch_and_goes_on_from_a_checkpoint() -> None:
    made = module()
    tiny.fit(made, epochs=3)
    task: Any = made.task.eval()
    frames = task.film.frames(10)
    assert [number for number, _ in frames] == [1, 2, 3]
    assert not np.array_equal(frames[0][1], frames[2][1])
    shown = task._pictures(gaussian(torch.arange(10, dtype=torch.int32), 5))
    assert np.array_equal(frames[2][1], np.stack(shown)), "the last frame is of the weights after the last epoch"
    made.read("val")
    task.update_metrics(made.metrics["of_val"], task.step(task.prepare(tiny.batch(8), False), "val"))
    assert len(task.film.frames(10)) == 3, "a validation behind the training, as of a run that was cut short, adds none"
    other: Any = module().task
    other.film.set_extra_state(task.film.get_extra_state())
    assert all((one[1] == two[1]).all() for one, two in zip(frames, other.film.frames(10), strict=True))
    assert [number for number, _ in other.film.frames(2)] == [1, 3]


@pytest.mark.parametrize(("epochs", "apart"), [(64, 1), (65, 2), (128, 2), (129, 4), (250, 4)])
def test_the_frames_of_a_long_film_are_evenly_apart(epochs: int, apart: int) -> None:
    film = Film()
    for number in range(1, epochs + 1):
        film.take(np.full((1, 2, 2, 1), number, np.uint8))
    numbers = [number for number, _ in film.frames(1000)]
    assert len(numbers) <= MOST_FRAMES + 1
    assert numbers == sorted({*range(1, epochs + 1, apart), epochs})
    assert [int(frame[0, 0, 0, 0]) for _, frame in film.frames(1000)] == numbers


def test_a_conditional_net_makes_what_is_asked_for_and_is_told_what_is_real() -> None:
    made = judged(conditional=True)
    task: Any = made.task.eval()
    told: list[Tensor] = []
    for part in (task.net.generator, task.net.discriminator):
        part.register_forward_pre_hook(lambda _, inputs: told.append(inputs[0]))
    batch = task.prepare(tiny.batch(6), False)
    with torch.no_grad():
        output = task.step(batch, "test")
    one_hot = torch.nn.functional.one_hot(batch["label"], 3).float()
    assert torch.equal(told[0][:, 5:, 0, 0], one_hot)
    assert len(told) == 3 and all(torch.equal(seen[:, 1:, 0, 0], one_hot) for seen in told[1:])
    metrics = task.build_metrics("test")
    task.update_metrics(metrics, output)
    right = (output.predictions["classes"] == batch["label"]).double().mean()
    assert task.read_metrics(metrics, "test").values["as_asked"] == pytest.approx(float(right))
    told.clear()
    task.generate(7, seed=0)
    assert told[0][:, 5:, 0, 0].argmax(1).tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_a_conditional_net_that_is_told_no_class_is_asked_about_all() -> None:
    task: Any = module(conditional=True).task.eval()
    batch = task.prepare(tiny.batch(6), False)
    of_classes = np.array([[one["real"] for one in task.predict({**batch, "label": label})] for label in labels(6)])
    assert not np.allclose(of_classes[0], of_classes.max(0)), "class 0 is not always the one"
    del batch["label"]
    found = task.predict(batch)
    assert [one["real"] for one in found] == pytest.approx(of_classes.max(0).tolist(), rel=1e-6)
    surest = torch.from_numpy(of_classes.argmax(0))
    same = task.predict({**batch, "label": surest})
    assert all((one["picture"] == other["picture"]).all() for one, other in zip(found, same, strict=True))


def labels(count: int) -> list[Tensor]:
    return [torch.full((count,), number) for number in range(len(tiny.CLASSES))]


def test_a_judge_of_other_classes_does_not_say_whether_the_class_is_as_asked() -> None:
    class Others(ByBrightness):
        names = tiny.CLASSES[::-1]

    with pytest.raises(
        InputError, match=r"task\.judge: it knows cat, bee, ant, …, and model\.conditional=true is told"
    ):
        module(conditional=True, judge=Others)
    assert module(judge=Others).task.answer.names == Others.names

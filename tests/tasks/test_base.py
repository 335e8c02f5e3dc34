"""What all tasks share: normalisation, learning rates, epoch means, checkpoints in mid-epoch, several processes."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.errors import RunFailed
from cnnexp.fit.recording import Recording
from cnnexp.tasks import base, means
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.tasks.base import Task
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.detection import Detection
from cnnexp.tasks.segmentation import Segmentation
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization
from cnnexp.training.schedules import Cosine, Plateau
from tests.augmentation.made import engine
from tests.tasks import tiny
from tests.tasks.tiny import alone, among

MAKE: dict[str, Callable[..., Task]] = {
    "classification": lambda **changes: Classification(tiny.parts(tiny.linear_net(), **changes)),
    "segmentation": lambda **changes: Segmentation(tiny.parts(tiny.pixel_net(), **changes)),
    "detection": lambda **changes: Detection(tiny.parts(tiny.grid_net(), **changes)),
    "autoencoder": lambda **changes: Autoencoder(tiny.parts(tiny.ShallowAutoencoder(), **changes)),
}


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_are_normalised_channel_by_channel() -> None:
    mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    task = Classification(tiny.parts(tiny.linear_net(channels=3), facts=tiny.facts(channels=3, mean=mean, std=std)))
    image = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    prepared = task.prepare({"image": image, "index": torch.arange(1)}, train=False)["image"]
    columns = [np.array(one, dtype=np.float64).reshape(1, 3, 1, 1) for one in (mean, std)]
    expected = (image.double().numpy() / 255 - columns[0]) / columns[1]
    assert prepared.dtype == torch.float32
    assert np.abs(prepared.double().numpy() - expected).max() < 1e-6


def test_an_autoencoder_sees_pixels_between_0_and_1() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    prepared = MAKE["autoencoder"]().prepare({"image": image, "index": torch.arange(1)}, train=False)["image"]
    assert (prepared.double() - image.double() / 255).abs().max() < 1e-7


def test_pictures_are_augmented_in_training_only() -> None:
    task = MAKE["classification"](augmentation=engine(mirror={"horizontal": 1.0}))
    batch = tiny.batch(3)
    upright, mirrored = task.prepare(batch, train=False)["image"], task.prepare(batch, train=True)["image"]
    assert torch.equal(mirrored, upright.flip(3))
    assert not torch.equal(mirrored, upright)


def test_channels_last_changes_the_layout_alone() -> None:
    batch = {"image": torch.randint(256, (2, 3, 8, 8), dtype=torch.uint8), "index": torch.arange(2)}
    colour = tiny.facts(channels=3, mean=(0.1, 0.2, 0.3), std=(0.5,) * 3)
    plain, other = (
        Classification(tiny.parts(tiny.linear_net(channels=3), facts=colour, channels_last=last)).prepare(batch, False)
        for last in (False, True)
    )
    assert other["image"].is_contiguous(memory_format=torch.channels_last)
    assert not plain["image"].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(plain["image"], other["image"])


# --- the learning rate and the penalty --------------------------------------------------------------------------------


class Watching(pl.Callback):
    """Keeps the learning rates of every step and the results of every epoch."""

    def __init__(self) -> None:
        self.rates: list[list[float]] = []
        self.results: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Task)
        self.results.append(dict(pl_module.results))


def fitted(task: Task, epochs: int, data: Any = None, callbacks: Any = ()) -> Watching:
    watching, data = Watching(), data or tiny.picture_data()
    task.steps_per_epoch = data.steps_per_epoch()
    tiny.trainer([watching, *callbacks], epochs).fit(task, datamodule=data)
    return watching


def test_every_group_of_the_optimizer_follows_the_schedule() -> None:
    def two_groups(groups: Any) -> torch.optim.Optimizer:
        weight, bias = (parameter for group in groups for parameter in group["params"])
        return torch.optim.SGD([{"params": [weight], "lr": 0.1}, {"params": [bias], "lr": 0.02}])

    task = MAKE["classification"](schedule=Cosine(final=0.0), optimizer=two_groups, epochs=2)
    rates = fitted(task, 2).rates
    factors = [(1 + math.cos(math.pi * step / 6)) / 2 for step in range(6)]
    assert [rate[0] for rate in rates] == pytest.approx([0.1 * factor for factor in factors])
    assert [rate[1] for rate in rates] == pytest.approx([0.02 * factor for factor in factors])


@pytest.mark.parametrize(("mode", "rate"), [("max", 0.1 * 0.5**3), ("min", 0.1)])
def test_a_plateau_follows_the_monitored_metric(mode: str, rate: float) -> None:
    """The training loss falls: as a score it never gets better after the first epoch, as a loss always."""
    plateau = Plateau(factor=0.5, patience=0, min_delta=0.0, minimum=0.0)
    task = MAKE["classification"](schedule=plateau, monitor="train/loss", mode=mode, epochs=5)
    assert fitted(task, 5).rates[-1] == pytest.approx([rate])


def test_frozen_weights_are_not_given_to_the_optimizer() -> None:
    task = MAKE["segmentation"]()
    frozen = next(task.net.parameters()).requires_grad_(False)
    given = task.configure_optimizers().param_groups[0]["params"]
    assert len(given) == 3
    assert all(parameter is not frozen for parameter in given)


def test_the_penalty_is_added_to_the_loss_and_logged_apart() -> None:
    plain, penalised = (
        alone(MAKE["classification"](regularization=Regularization(Penalty(l1, 0.0)))) for l1 in (0.0, 0.01)
    )
    batch = tiny.batch(8)
    expected = 0.01 * float(penalised.net[1].weight.detach().abs().sum())  # type: ignore[index]
    for task in (plain, penalised):
        task.training_step(batch, 0)
    assert plain.batch_loss is not None and penalised.batch_loss is not None
    assert float(penalised.batch_loss - plain.batch_loss) == pytest.approx(expected, rel=1e-5)
    plain.read("train")
    penalised.read("train")
    assert penalised.results["train/loss"] == plain.results["train/loss"]
    assert penalised.results["train/penalty"] == pytest.approx(expected, rel=1e-5)
    assert "train/penalty" not in plain.results


def test_the_penalty_is_a_mean_over_steps_with_and_without_objects() -> None:
    still = partial(torch.optim.SGD, lr=0.0)
    task = alone(MAKE["detection"](regularization=Regularization(Penalty(0.01, 0.0)), optimizer=still))
    expected = float(Penalty(0.01, 0.0)(task.net).detach())
    for has_objects in (False, True, False):
        task.training_step(batch_with_objects_in(0, 8 if has_objects else 0), 0)
    task.read("train")
    assert task.results["train/penalty"] == pytest.approx(expected, rel=1e-5)


# --- epochs -----------------------------------------------------------------------------------------------------------


def test_the_loss_of_an_epoch_is_that_of_all_its_samples() -> None:
    task, data = MAKE["classification"](), tiny.picture_data(val=13)
    tiny.trainer().validate(task, datamodule=data, verbose=False)
    whole = data.split("val").batch(range(13))
    with torch.no_grad():
        logits = task.net(task.prepare(whole, train=False)["image"])
    assert task.results["val/loss"] == pytest.approx(float(functional.cross_entropy(logits, whole["label"])), rel=1e-6)


def test_predictions_of_the_test_come_in_the_order_of_the_split() -> None:
    task, data = MAKE["classification"](), tiny.picture_data(test=21)
    tiny.trainer().test(task, datamodule=data, verbose=False)
    whole = data.split("test").batch(range(21))
    probability, prediction = torch.tensor(np.stack(task.predict(task.prepare(whole, False)["image"]))).max(1)
    assert task.predictions["index"].tolist() == list(range(21))
    assert task.predictions["target"].tolist() == whole["label"].tolist()
    assert task.predictions["prediction"].tolist() == prediction.tolist()
    assert task.predictions["probability"] == pytest.approx(probability.numpy(), rel=1e-5)


def in_two_parts(task: Task, other: Task, stage: base.Stage, batches: list[dict[str, Tensor]]) -> None:
    """Feed a stage to ``task``, and the rest of it to ``other`` that goes on from its state, written and read."""

    def feed(one: Task, batch: dict[str, Tensor]) -> None:
        if stage == "train":
            one.training_step(batch, 0)
        else:
            with torch.no_grad():
                one._evaluate(batch, stage)

    feed(task, batches[0])
    file = io.BytesIO()
    torch.save(task.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    for batch in batches[1:]:
        feed(task, batch)
        feed(other, batch)
    task.read(stage)
    other.read(stage)


# a detector's validation metric has lists for a state; checkpoints are made in training or after a validation
@pytest.mark.parametrize(
    "name,stage", [*((name, "train") for name in MAKE), *((name, "val") for name in MAKE if name != "detection")]
)
def test_the_figures_of_an_epoch_survive_a_checkpoint_in_its_middle(name: str, stage: base.Stage) -> None:
    whole, resumed = (alone(MAKE[name](regularization=Regularization(Penalty(0.0, 0.001)))) for _ in range(2))
    for task in (whole, resumed):
        task.net.eval()  # batch statistics would change with every step
    in_two_parts(whole, resumed, stage, [tiny.batch(size, seed) for seed, size in enumerate((5, 3, 6))])
    assert resumed.results == whole.results
    assert resumed.vectors.keys() == whole.vectors.keys()
    assert len(whole.results) >= 2 and whole.results[f"{stage}/loss"] > 0


def test_a_stage_is_empty_after_it_was_read() -> None:
    task = alone(MAKE["classification"]())
    with torch.no_grad():
        task._evaluate(tiny.batch(9), "val")
        task.read("val")
        task._evaluate(tiny.batch(4, seed=1), "val")
        task.read("val")
        first = dict(task.results)
        task._evaluate(tiny.batch(4, seed=1), "val")
        task.read("val")
    assert task.results == first


# --- a loss that is no number -----------------------------------------------------------------------------------------


class BreaksAt(nn.Module):
    """A net whose output is NaN from a certain call on."""

    def __init__(self, call: int) -> None:
        super().__init__()
        self.net, self.left = tiny.linear_net(), call

    def forward(self, x: Tensor) -> Tensor:
        self.left -= self.training
        return self.net(x) * (float("nan") if self.left < 0 else 1.0)


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_step() -> None:
    task = Classification(tiny.parts(BreaksAt(4)))
    recording = Recording(None, 50, lambda epoch, results: None)
    with pytest.raises(RunFailed, match=r"not finite.*epoch 2, step 5;.*optimizer\.lr"):
        fitted(task, 3, callbacks=[recording])


def test_without_a_watch_on_steps_it_ends_with_the_epoch() -> None:
    """On a GPU the loss of a step is looked at rarely."""
    with pytest.raises(RunFailed, match=r"not finite.*epoch 2;"):
        fitted(Classification(tiny.parts(BreaksAt(4))), 3)


# --- several processes ------------------------------------------------------------------------------------------------


def gradients(task: Task) -> list[Tensor]:
    return [parameter.grad.clone() for parameter in task.net.parameters() if parameter.grad is not None]


def gradient_alone(task: Task, batch: dict[str, Tensor]) -> tuple[list[Tensor], dict[str, float]]:
    """One process's gradient of a batch, and the means that it counts."""
    task = alone(copy.deepcopy(task))
    task.training_step(batch, 0)
    task.read("train")
    return gradients(task), task.results


def gradient_shared(
    task: Task, shares: list[dict[str, Tensor]], patch: pytest.MonkeyPatch
) -> tuple[list[Tensor], dict[str, float]]:
    """What DDP makes of the same: each process's own gradient, then their mean; sums meet in ``all_reduce``."""
    ranks = [copy.deepcopy(task) for _ in shares]
    counts = [task.step(task.prepare(share, train=True), "train").count for share in shares]
    patch.setattr(
        base.distributed, "all_reduce", lambda total: total.copy_(sum(torch.as_tensor(one) for one in counts))
    )
    for rank, share in zip(ranks, shares, strict=True):
        patch.setattr(rank, "manual_backward", lambda loss: loss.backward())
        among(rank, len(shares)).training_step(share, 0)
    sums = [rank.means["of_train"].total() for rank in ranks]  # type: ignore[operator]
    patch.setattr(means.distributed, "is_initialized", lambda: True)
    patch.setattr(means.distributed, "get_backend", lambda: "gloo")
    patch.setattr(means.distributed, "all_reduce", lambda total: total.copy_(sum(sums)))
    found = ranks[0].means["of_train"].compute()  # type: ignore[operator]
    patch.undo()
    mean = [torch.stack(one).mean(0) for one in zip(*(gradients(rank) for rank in ranks), strict=True)]
    return mean, {f"train/{name}": value for name, value in found.items()}


def batch_with_objects_in(first: int, last: int) -> dict[str, Tensor]:
    """Eight pictures of which only some hold objects."""
    whole = tiny.batch(8, seed=3)
    empty = torch.ones(8, dtype=torch.bool)
    empty[first:last] = False
    whole["classes"][empty] = -1
    return whole


def batch_with_void_in(part: float) -> dict[str, Tensor]:
    """Eight pictures; that part of the pixels of the first four is void."""
    whole = tiny.batch(8, void=0.05)
    whole["mask"][:4][torch.rand(4, 8, 8, generator=torch.Generator().manual_seed(1)) < part] = 255
    return whole


SHARED: dict[str, tuple[str, Callable[[], dict[str, Tensor]]]] = {
    "labels": ("classification", partial(tiny.batch, 8)),
    "pictures": ("autoencoder", partial(tiny.batch, 8)),
    "much void in one process": ("segmentation", partial(batch_with_void_in, 0.7)),
    "nothing but void in one process": ("segmentation", partial(batch_with_void_in, 1.1)),
    "objects in both processes": ("detection", partial(batch_with_objects_in, 0, 8)),
    "an object in one process only": ("detection", partial(batch_with_objects_in, 1, 2)),
    "no object anywhere": ("detection", partial(batch_with_objects_in, 0, 0)),
}


@pytest.mark.parametrize("case", SHARED)
def test_two_processes_have_the_gradient_and_the_means_of_one(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, make_batch = SHARED[case]
    task, batch = MAKE[name](regularization=Regularization(Penalty(0.0, 0.01))), make_batch()
    task.net.eval()  # batch statistics differ between processes, and are another matter
    shares = [tiny.part_of(batch, 0, 4), tiny.part_of(batch, 4, 8)]
    expected, expected_means = gradient_alone(task, batch)
    found, found_means = gradient_shared(task, shares, monkeypatch)
    assert len(found) == len(expected) == len(list(task.net.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6 * float(other.abs().max()) + 1e-9)
    for key, value in found_means.items():
        assert value == pytest.approx(expected_means[key], rel=1e-5, abs=1e-9), key


def test_predictions_of_all_processes_are_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    task = MAKE["classification"]()
    task.trainer = SimpleNamespace(world_size=2, current_epoch=0)  # type: ignore[assignment]
    mine = [{"index": np.array([4, 0]), "mse": np.array([0.4, 0.0])}]
    other = [{"index": np.array([3]), "mse": np.array([0.3])}, {"index": np.array([1]), "mse": np.array([0.1])}]

    def gather(shares: list[Any], own: Any) -> None:
        shares[:] = [own, other]

    monkeypatch.setattr(base.distributed, "all_gather_object", gather)
    found = task._gathered(mine)
    assert found["index"].tolist() == [0, 1, 3, 4]
    assert found["mse"].tolist() == [0.0, 0.1, 0.3, 0.4]
    monkeypatch.setattr(
        base.distributed, "all_gather_object", lambda shares, own: shares.__setitem__(slice(None), [[], []])
    )
    assert task._gathered([]) == {}


# --- a batch in parts, averaged weights, class weights ----------------------------------------------------------------


@pytest.mark.parametrize("case", SHARED)
@pytest.mark.parametrize("parts", [2, 3, 8])
def test_a_batch_in_parts_has_the_gradient_and_the_means_of_the_whole(case: str, parts: int) -> None:
    name, make_batch = SHARED[case]
    penalised = Regularization(Penalty(0.0, 0.01))
    whole, cut = (alone(MAKE[name](regularization=penalised, accumulate=number)) for number in (1, parts))
    cut.load_state_dict(whole.state_dict())
    for task in (whole, cut):
        task.net.eval()  # batch statistics are those of a part
        task.training_step(make_batch(), 0)
        task.read("train")
    for one, other in zip(gradients(cut), gradients(whole), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6 * float(other.abs().max()) + 1e-9)
    assert cut.results == pytest.approx(whole.results, rel=1e-5, abs=1e-9)
    assert whole.batch_loss is not None and cut.batch_loss is not None
    assert cut.batch_loss.item() == pytest.approx(whole.batch_loss.item(), rel=1e-5)


def test_a_long_gradient_is_clipped_with_its_penalty() -> None:
    clipped = Regularization(Penalty(0.0, 10.0), gradient_clip_norm=0.01)
    task = alone(MAKE["segmentation"](regularization=clipped))
    task.training_step(tiny.batch(8), 0)
    assert torch.cat([one.flatten() for one in gradients(task)]).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_averaged_weights_are_validated_and_kept_and_the_training_goes_on_without_them() -> None:
    plain = MAKE["classification"](epochs=2)
    averaging = MAKE["classification"](epochs=2, regularization=Regularization(Penalty(0.0, 0.0), ema_decay=0.9))
    watching = [fitted(task, 2) for task in (plain, averaging)]
    assert torch.equal(plain.net[1].weight, averaging.net[1].weight)  # type: ignore[index]
    assert watching[0].results[-1]["train/loss"] == watching[1].results[-1]["train/loss"]
    assert watching[0].results[-1]["val/loss"] != watching[1].results[-1]["val/loss"]
    averaging.adopt_average()
    tiny.trainer().validate(averaging, datamodule=tiny.picture_data(), verbose=False)
    assert averaging.results["val/loss"] == pytest.approx(watching[1].results[-1]["val/loss"], rel=1e-6)


@pytest.mark.parametrize("name", ["classification", "segmentation"])
def test_class_weights_are_those_of_torch(name: str) -> None:
    weights = (0.5, 2.0, 0.25)
    task = alone(MAKE[name](regularization=Regularization(Penalty(0.0, 0.0), class_weights=weights)))
    batch = task.prepare(tiny.batch(8), train=False)
    target = batch["label"] if name == "classification" else batch["mask"].long()
    expected = functional.cross_entropy(task.net(batch["image"]), target, torch.tensor(weights), ignore_index=255)
    output = task.step(batch, "train")
    torch.testing.assert_close(output.loss, expected)
    kept = target[target != 255]
    assert float(output.count) == pytest.approx(float(torch.tensor(weights)[kept].sum()), rel=1e-6)


def test_classes_are_counted_in_the_training_data() -> None:
    data = tiny.picture_data(train=30)
    samples = data.split("train").batch(range(30))
    expected = torch.bincount(samples["label"], minlength=3).tolist()
    assert MAKE["classification"]().class_counts(data) == expected
    mask = samples["mask"]
    assert MAKE["segmentation"]().class_counts(data) == [int((mask == one).sum()) for one in range(3)]


def test_weighted_classes_have_the_gradient_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    weighted = Regularization(Penalty(0.0, 0.0), class_weights=(0.1, 1.0, 5.0))
    task, batch = MAKE["classification"](regularization=weighted), tiny.batch(8)
    expected, expected_means = gradient_alone(task, batch)
    shares = [tiny.part_of(batch, 0, 4), tiny.part_of(batch, 4, 8)]
    found, found_means = gradient_shared(task, shares, monkeypatch)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)
    assert found_means["train/loss"] == pytest.approx(expected_means["train/loss"], rel=1e-5)

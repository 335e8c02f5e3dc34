"""A task under way: rates and penalties, the figures of an epoch, checkpoints in mid-epoch, several processes."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.errors import RunFailed
from cnnexp.fit import module as fit_module
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.loop import go_directly
from cnnexp.fit.module import TaskModule
from cnnexp.fit.recording import Recording
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.tasks.base import Stage
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.detection import Detection
from cnnexp.tasks.segmentation import Segmentation
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization
from cnnexp.training.schedules import Cosine, Plateau
from tests.tasks import tiny
from tests.tasks.tiny import alone, among
from tests.training.made import Halves, InTurn, Scaled
from tests.training.processes import together

MAKE: dict[str, Callable[..., TaskModule]] = {
    "classification": lambda **changes: tiny.module(Classification, tiny.linear_net(), **changes),
    "segmentation": lambda **changes: tiny.module(Segmentation, tiny.pixel_net(), **changes),
    "detection": lambda **changes: tiny.module(Detection, tiny.grid_net(), **changes),
    "autoencoder": lambda **changes: tiny.module(Autoencoder, tiny.ShallowAutoencoder(), **changes),
}


# --- the learning rate and the penalty --------------------------------------------------------------------------------


class Watching(pl.Callback):
    """Keeps the learning rates of every step and the results of every epoch."""

    def __init__(self) -> None:
        self.rates: list[list[float]] = []
        self.results: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, TaskModule)
        self.results.append(dict(pl_module.results))


def fitted(made: TaskModule, epochs: int, data: Any = None, callbacks: Any = ()) -> Watching:
    watching = Watching()
    tiny.fit(made, data, [watching, *callbacks], epochs)
    return watching


def test_every_group_of_the_optimizer_follows_the_schedule() -> None:
    def two_groups(groups: Any) -> torch.optim.Optimizer:
        weight, bias = (parameter for group in groups for parameter in group["params"])
        return torch.optim.SGD([{"params": [weight], "lr": 0.1}, {"params": [bias], "lr": 0.02}])

    made = MAKE["classification"](schedule=Cosine(final=0.0), optimizer=two_groups, epochs=2)
    rates = fitted(made, 2).rates
    factors = [(1 + math.cos(math.pi * step / 6)) / 2 for step in range(6)]
    assert [rate[0] for rate in rates] == pytest.approx([0.1 * factor for factor in factors])
    assert [rate[1] for rate in rates] == pytest.approx([0.02 * factor for factor in factors])


@pytest.mark.parametrize(("mode", "rate"), [("max", 0.1 * 0.5**3), ("min", 0.1)])
def test_a_plateau_follows_the_monitored_metric(mode: str, rate: float) -> None:
    """The training loss falls: as a score it never gets better after the first epoch, as a loss always."""
    plateau = Plateau(factor=0.5, patience=0, min_delta=0.0, minimum=0.0)
    made = MAKE["classification"](schedule=plateau, monitor="train/loss", mode=mode, epochs=5)
    assert fitted(made, 5).rates[-1] == pytest.approx([rate])


def test_the_penalty_is_added_to_the_loss_and_logged_apart() -> None:
    plain, penalised = (
        alone(MAKE["classification"](regularization=Regularization(Penalty(l1, 0.0)))) for l1 in (0.0, 0.01)
    )
    batch = tiny.batch(8)
    expected = 0.01 * float(penalised.net[1].weight.detach().abs().sum())  # type: ignore[index]
    for made in (plain, penalised):
        made.training_step(batch, 0)
    assert plain.batch_loss is not None and penalised.batch_loss is not None
    assert float(penalised.batch_loss - plain.batch_loss) == pytest.approx(expected, rel=1e-5)
    plain.read("train")
    penalised.read("train")
    assert penalised.results["train/loss"] == plain.results["train/loss"]
    assert penalised.results["train/penalty"] == pytest.approx(expected, rel=1e-5)
    assert "train/penalty" not in plain.results


def test_the_penalty_is_a_mean_over_steps_with_and_without_objects() -> None:
    still = partial(torch.optim.SGD, lr=0.0)
    made = alone(MAKE["detection"](regularization=Regularization(Penalty(0.01, 0.0)), optimizer=still))
    expected = float(Penalty(0.01, 0.0)(made.net).detach())
    for has_objects in (False, True, False):
        made.training_step(batch_with_objects_in(0, 8 if has_objects else 0), 0)
    made.read("train")
    assert made.results["train/penalty"] == pytest.approx(expected, rel=1e-5)


# --- epochs -----------------------------------------------------------------------------------------------------------


def test_the_loss_of_an_epoch_is_that_of_all_its_samples() -> None:
    made, data = MAKE["classification"](), tiny.picture_data(val=13)
    tiny.trainer().validate(made, datamodule=DataModule(data), verbose=False)
    whole = data.split("val").batch(range(13))
    with torch.no_grad():
        logits = made.net(made.task.prepare(whole, train=False)["image"])
    assert made.results["val/loss"] == pytest.approx(float(functional.cross_entropy(logits, whole["label"])), rel=1e-6)


def test_predictions_of_the_test_come_in_the_order_of_the_split() -> None:
    made, data = MAKE["classification"](), tiny.picture_data(test=21)
    tiny.trainer().test(made, datamodule=DataModule(data), verbose=False)
    whole = data.split("test").batch(range(21))
    found = torch.tensor(np.stack(made.task.predict(made.task.prepare(whole, train=False))))
    probability, prediction = found.max(1)
    assert made.predictions["index"].tolist() == list(range(21))
    assert made.predictions["target"].tolist() == whole["label"].tolist()
    assert made.predictions["prediction"].tolist() == prediction.tolist()
    assert made.predictions["probability"] == pytest.approx(probability.numpy(), rel=1e-5)


def in_two_parts(made: TaskModule, other: TaskModule, stage: Stage, batches: list[dict[str, Tensor]]) -> None:
    """Feed a stage to ``made``, and the rest of it to ``other`` that goes on from its state, written and read."""

    def feed(one: TaskModule, batch: dict[str, Tensor]) -> None:
        if stage == "train":
            one.training_step(batch, 0)
        else:
            with torch.no_grad():
                one._evaluate(batch, stage)

    feed(made, batches[0])
    file = io.BytesIO()
    torch.save(made.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    for batch in batches[1:]:
        feed(made, batch)
        feed(other, batch)
    made.read(stage)
    other.read(stage)


# a detector's validation metric has lists for a state; checkpoints are made in training or after a validation
@pytest.mark.parametrize(
    "name,stage", [*((name, "train") for name in MAKE), *((name, "val") for name in MAKE if name != "detection")]
)
def test_the_figures_of_an_epoch_survive_a_checkpoint_in_its_middle(name: str, stage: Stage) -> None:
    whole, resumed = (alone(MAKE[name](regularization=Regularization(Penalty(0.0, 0.001)))) for _ in range(2))
    for made in (whole, resumed):
        made.net.eval()  # batch statistics would change with every step
    in_two_parts(whole, resumed, stage, [tiny.batch(size, seed) for seed, size in enumerate((5, 3, 6))])
    assert resumed.results == whole.results
    assert resumed.vectors.keys() == whole.vectors.keys()
    assert len(whole.results) >= 2 and whole.results[f"{stage}/loss"] > 0


def test_a_stage_is_empty_after_it_was_read() -> None:
    made = alone(MAKE["classification"]())
    with torch.no_grad():
        made._evaluate(tiny.batch(9), "val")
        made.read("val")
        made._evaluate(tiny.batch(4, seed=1), "val")
        made.read("val")
        first = dict(made.results)
        made._evaluate(tiny.batch(4, seed=1), "val")
        made.read("val")
    assert made.results == first


def test_the_state_is_that_of_the_parts_and_nothing_twice() -> None:
    """The names are those of checkpoints that earlier versions wrote."""
    averaging = Regularization(Penalty(0.0, 0.1), ema_decay=0.9)
    made = MAKE["classification"](regularization=averaging)
    names = set(made.state_dict())
    assert names == {
        *(f"net.{name}" for name in made.net.state_dict()),
        *(f"average.averaged.{name}" for name in made.net.state_dict()),
        "average.steps",
        "penalties._extra_state",
        *(f"means.of_{stage}._extra_state" for stage in ("train", "val", "test")),
        *(f"metrics.of_{stage}.confusion._extra_state" for stage in ("train", "val", "test")),
    }


def test_a_module_without_a_learner_evaluates_alone() -> None:
    learning = MAKE["classification"](regularization=Regularization(Penalty(0.1, 0.0), ema_decay=0.9))
    made = TaskModule(tiny.task(Classification, learning.net))
    assert made.average is None and made.penalties is None and made.judged_net is made.net
    tiny.trainer().validate(made, datamodule=DataModule(tiny.picture_data()), verbose=False)
    assert set(made.results) == {"val/loss", "val/accuracy"}
    with pytest.raises(AssertionError, match="only evaluates"):
        made.configure_optimizers()


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
    made = tiny.module(Classification, BreaksAt(4))
    recording = Recording(None, 50, lambda epoch, results: None)
    with pytest.raises(RunFailed, match=r"not finite.*epoch 2, step 5;.*optimizer\.lr"):
        fitted(made, 3, callbacks=[recording])


def test_without_a_watch_on_steps_it_ends_with_the_epoch() -> None:
    """On a GPU the loss of a step is looked at rarely."""
    with pytest.raises(RunFailed, match=r"not finite.*epoch 2;"):
        fitted(tiny.module(Classification, BreaksAt(4)), 3)


# --- several processes ------------------------------------------------------------------------------------------------


def gradients(made: TaskModule) -> list[Tensor]:
    return [parameter.grad.clone() for parameter in made.net.parameters() if parameter.grad is not None]


def gradient_alone(made: TaskModule, batch: dict[str, Tensor]) -> tuple[list[Tensor], dict[str, float]]:
    """One process's gradient of a batch, and the means that it counts."""
    made = alone(copy.deepcopy(made))
    made.training_step(batch, 0)
    made.read("train")
    return gradients(made), made.results


def gradient_shared(
    made: TaskModule, shares: list[dict[str, Tensor]], patch: pytest.MonkeyPatch
) -> tuple[list[Tensor], dict[str, float]]:
    """What DDP makes of the same: each process's own gradient, then their mean; sums meet in ``all_reduce``."""
    ranks = [copy.deepcopy(made) for _ in shares]

    def work(rank: TaskModule, share: dict[str, Tensor]) -> dict[str, float]:
        patch.setattr(rank, "manual_backward", lambda loss: loss.backward())
        among(rank, len(shares)).training_step(share, 0)
        return rank.means["of_train"].compute()  # type: ignore[operator]

    works = [partial(work, rank, share) for rank, share in zip(ranks, shares, strict=True)]
    found, *others = together(works, patch)
    assert others == [found] * len(others), "every process counts the same"
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
@pytest.mark.parametrize("parts", [1, 2])
def test_two_processes_have_the_gradient_and_the_means_of_one(
    case: str, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, make_batch = SHARED[case]
    penalised = Regularization(Penalty(0.0, 0.01))
    made, batch = MAKE[name](regularization=penalised), make_batch()
    sharing = MAKE[name](regularization=penalised, accumulate=parts)
    sharing.load_state_dict(made.state_dict())
    for one in (made, sharing):
        one.net.eval()  # batch statistics differ between processes, and are another matter
    shares = [tiny.part_of(batch, 0, 4), tiny.part_of(batch, 4, 8)]
    expected, expected_means = gradient_alone(made, batch)
    found, found_means = gradient_shared(sharing, shares, monkeypatch)
    assert len(found) == len(expected) == len(list(made.net.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6 * float(other.abs().max()) + 1e-9)
    for key, value in found_means.items():
        assert value == pytest.approx(expected_means[key], rel=1e-5, abs=1e-9), key


def test_predictions_of_all_processes_are_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    made = MAKE["classification"]()
    made.trainer = SimpleNamespace(world_size=2, current_epoch=0)  # type: ignore[assignment]
    mine = [{"index": np.array([4, 0]), "mse": np.array([0.4, 0.0])}]
    other = [{"index": np.array([3]), "mse": np.array([0.3])}, {"index": np.array([1]), "mse": np.array([0.1])}]

    def gather(shares: list[Any], own: Any) -> None:
        shares[:] = [own, other]

    monkeypatch.setattr(fit_module.distributed, "all_gather_object", gather)
    found = made._gathered(mine)
    assert found["index"].tolist() == [0, 1, 3, 4]
    assert found["mse"].tolist() == [0.0, 0.1, 0.3, 0.4]
    monkeypatch.setattr(
        fit_module.distributed, "all_gather_object", lambda shares, own: shares.__setitem__(slice(None), [[], []])
    )
    assert made._gathered([]) == {}


# --- a batch in parts, averaged weights, class weights ----------------------------------------------------------------


@pytest.mark.parametrize("case", SHARED)
@pytest.mark.parametrize("parts", [2, 3, 8])
def test_a_batch_in_parts_has_the_gradient_and_the_means_of_the_whole(case: str, parts: int) -> None:
    name, make_batch = SHARED[case]
    penalised = Regularization(Penalty(0.0, 0.01))
    whole, cut = (alone(MAKE[name](regularization=penalised, accumulate=number)) for number in (1, parts))
    cut.load_state_dict(whole.state_dict())
    for made in (whole, cut):
        made.net.eval()  # batch statistics are those of a part
        made.training_step(make_batch(), 0)
        made.read("train")
    for one, other in zip(gradients(cut), gradients(whole), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6 * float(other.abs().max()) + 1e-9)
    assert cut.results == pytest.approx(whole.results, rel=1e-5, abs=1e-9)
    assert whole.batch_loss is not None and cut.batch_loss is not None
    assert cut.batch_loss.item() == pytest.approx(whole.batch_loss.item(), rel=1e-5)


def test_averaged_weights_are_validated_and_kept_and_the_training_goes_on_without_them() -> None:
    plain = MAKE["classification"](epochs=2)
    averaging = MAKE["classification"](epochs=2, regularization=Regularization(Penalty(0.0, 0.0), ema_decay=0.9))
    watching = [fitted(made, 2) for made in (plain, averaging)]
    assert torch.equal(plain.net[1].weight, averaging.net[1].weight)  # type: ignore[index]
    assert watching[0].results[-1]["train/loss"] == watching[1].results[-1]["train/loss"]
    assert watching[0].results[-1]["val/loss"] != watching[1].results[-1]["val/loss"]
    averaging.adopt_average()
    tiny.trainer().validate(averaging, datamodule=DataModule(tiny.picture_data()), verbose=False)
    assert averaging.results["val/loss"] == pytest.approx(watching[1].results[-1]["val/loss"], rel=1e-6)


def test_weighted_classes_have_the_gradient_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    made, batch = MAKE["classification"](loss=CrossEntropy(class_weights=(0.1, 1.0, 5.0))), tiny.batch(8)
    expected, expected_means = gradient_alone(made, batch)
    shares = [tiny.part_of(batch, 0, 4), tiny.part_of(batch, 4, 8)]
    found, found_means = gradient_shared(made, shares, monkeypatch)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)
    assert found_means["train/loss"] == pytest.approx(expected_means["train/loss"], rel=1e-5)


# --- parts that learn in turn, a loss that learns ---------------------------------------------------------------------


class Saving(pl.Callback):
    """Keeps a checkpoint after so many steps."""

    def __init__(self, step: int, path: Path) -> None:
        self.left, self.path = step, path

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            trainer.save_checkpoint(self.path)


def in_turn() -> TaskModule:
    """Two optimizers that differ in kind; the weights are penalised and averaged."""
    makes = {"first": partial(torch.optim.SGD, lr=0.1, momentum=0.9), "second": partial(torch.optim.Adam, lr=0.01)}
    regularization = Regularization(Penalty(0.001, 0.0), gradient_clip_norm=0.5, ema_decay=0.9)
    torch.manual_seed(0)
    return tiny.module(InTurn, Halves(), optimizers=makes, schedule=Cosine(final=0.0), regularization=regularization)


def with_loss() -> TaskModule:
    return tiny.module(Classification, tiny.linear_net(), loss=Scaled(), schedule=Cosine(final=0.0))


LEARNING: dict[str, Callable[[], TaskModule]] = {"in turn": in_turn, "a loss that learns": with_loss}


def test_parts_that_learn_in_turn_are_logged_apart_and_together() -> None:
    made = in_turn()
    (results,) = fitted(made, 2).results
    for stage in ("train", "val"):
        both = [results[f"{stage}/{turn}"] for turn in InTurn.turns]
        assert results[f"{stage}/loss"] == pytest.approx(sum(both), rel=1e-6) and min(both) > 0
    assert results.keys() == {
        *(f"{stage}/{name}" for stage in ("train", "val") for name in ("loss", *InTurn.turns)),
        "train/penalty",
    }
    assert made.average is not None and int(made.average.steps) == 6, "of two epochs of three batches"
    assert [type(one).__name__ for one in made.learning.optimizers.values()] == ["SGD", "Adam"]


def test_the_penalty_of_parts_that_learn_in_turn_is_that_of_all() -> None:
    still = {turn: partial(torch.optim.SGD, lr=0.0) for turn in InTurn.turns}
    regularization = Regularization(Penalty(0.01, 0.0))
    made = alone(tiny.module(InTurn, Halves(), optimizers=still, regularization=regularization))
    for seed in range(3):
        made.training_step(tiny.batch(8, seed), 0)
    made.read("train")
    assert made.results["train/penalty"] == pytest.approx(float(Penalty(0.01, 0.0)(made.net)), rel=1e-6)


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("step", [2, 4])
def test_it_goes_on_from_a_checkpoint_to_the_same_weights(name: str, direct: bool, step: int, tmp_path: Path) -> None:
    def run(resume: Path | None = None) -> TaskModule:
        made, data = LEARNING[name](), tiny.picture_data()
        made.steps_per_epoch = data.steps_per_epoch()
        trainer = tiny.trainer([Saving(step, tmp_path / "middle.ckpt")] if resume is None else [])
        if direct:
            go_directly(trainer, pytest.fail)
        trainer.fit(made, datamodule=DataModule(data), ckpt_path=resume, weights_only=True)
        return made

    whole, resumed = run(), run(tmp_path / "middle.ckpt")
    state, fresh = resumed.state_dict(), LEARNING[name]().state_dict()
    for key, value in whole.state_dict().items():
        assert torch.equal(state[key], value), key
        assert key.startswith(("means", "metrics", "penalties")) or not torch.equal(value, fresh[key]), "it has learnt"
    assert resumed.results == whole.results


def test_the_weights_of_a_loss_are_in_the_checkpoint(tmp_path: Path) -> None:
    made = with_loss()
    fitted(made, 2, callbacks=[Saving(6, tmp_path / "end.ckpt")])
    assert made.loss is not None
    checkpoint = torch.load(tmp_path / "end.ckpt", weights_only=True)
    assert torch.equal(checkpoint["state_dict"]["loss.factor"], made.loss.factor.detach())
    assert not torch.equal(made.loss.factor.detach(), torch.ones(3))


def test_a_checkpoint_of_before_a_metric_of_evaluations_can_be_gone_on_from() -> None:
    """Metrics of the test are empty there; one of the training that is missing would be wrong in silence."""
    made = tiny.module(Detection, tiny.grid_net(), target="boxes")
    state = {key: value for key, value in made.state_dict().items() if ".mistakes." not in key}
    assert len(state) < len(made.state_dict())
    checkpoint = {"state_dict": state, "schedule": made.learning.recipe.schedule.state_dict()}
    made.on_load_checkpoint(checkpoint)
    made.load_state_dict(checkpoint["state_dict"])
    del state["means.of_train._extra_state"]
    made.on_load_checkpoint(checkpoint)
    with pytest.raises(RuntimeError, match=r"means\.of_train"):
        made.load_state_dict(checkpoint["state_dict"])

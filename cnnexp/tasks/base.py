"""What every task shares: the steps, the weighing of losses, the metrics of an epoch, the learning rate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pytorch_lightning as pl
import torch
import torch.distributed as distributed
from PIL import Image
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor, nn
from torchmetrics import Metric

from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.normalisation import Normalisation
from cnnexp.data.base import Facts
from cnnexp.data.module import PictureData
from cnnexp.errors import RunFailed
from cnnexp.models.auxiliary import weight_of
from cnnexp.tasks.means import LossMeans
from cnnexp.training.ema import WeightAverage
from cnnexp.training.fused import fill_momentum
from cnnexp.training.parameter_groups import parameter_groups
from cnnexp.training.regularization import Regularization, limit_norms
from cnnexp.training.schedules import Moment, Schedule
from cnnexp.training.seeding import seed_step
from cnnexp.training.stepping import backward, cut, gradients_shared, make_step, unscale
from cnnexp.training.transfer import Transfer
from cnnexp.visualize.canvas import above
from cnnexp.visualize.png import write_png

Stage = Literal["train", "val", "test"]
STAGES: tuple[Stage, ...] = get_args(Stage)
_KEYS: Mapping[Stage, str] = {"train": "of_train", "val": "of_val", "test": "of_test"}
"""Names of a stage's modules (``train`` itself is a method of every module)."""
Batch = dict[str, Tensor]
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Parts:
    """What a task is made of; everything is handed in."""

    net: nn.Module
    optimizer: Callable[[Sequence[Any]], torch.optim.Optimizer]
    schedule: Schedule
    regularization: Regularization
    augmentation: Augmentation
    facts: Facts
    seed: int
    epochs: int
    monitor: str | None
    mode: str
    stage_rates: Sequence[float] | float | None = None
    accumulate: int = 1
    channels_last: bool = False
    transfer: Transfer = field(default_factory=Transfer)


@dataclass(frozen=True)
class StepOutput:
    """What a step found.

    Attributes:
        loss: mean over ``count`` items, a scalar. count: samples (an int, the same in every process), or valid pixels
            or positives (a tensor, which may differ between processes and may be 0).
        predictions, targets: what the metrics compare. parts: further losses by name, means over ``count`` too.
        auxiliary: a loss that is learnt as well and that evaluations do not have (of auxiliary heads, times their
            weight), a mean over ``count`` too. It is no part of ``loss``, so that training and validation compare.
    """

    loss: Tensor
    count: int | Tensor
    predictions: Any = None
    targets: Any = None
    parts: Mapping[str, Tensor] = field(default_factory=dict)
    auxiliary: Tensor | None = None

    @property
    def learnt(self) -> Tensor:
        """What the gradients are of: the loss and the auxiliary one."""
        return self.loss if self.auxiliary is None else self.loss + self.auxiliary


class Task(pl.LightningModule):
    """A net with its loss, metrics and optimizer. A subclass says what a step is and which metrics it has."""

    class_weights: Tensor | None

    automatic_optimization = False  # ``optimize`` makes the step: it may cut a batch into parts
    uses_label_smoothing: ClassVar[bool] = False
    uses_class_weights: ClassVar[bool] = False
    uses_mixed_labels: ClassVar[bool] = False
    normalises: ClassVar[bool] = True
    takes_features: ClassVar[bool] = False
    """Whether ``step`` asks ``outputs`` for the net's answers, so that features may stand for pictures."""
    loss_parts: ClassVar[tuple[str, ...]] = ()
    judged_by: ClassVar[str | None] = None
    """The metric that counts of single samples add up to (``outcomes``); None where the net's answers are no logits of
    classes, whose probabilities could be averaged."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.net = parts.net
        self.parts = parts
        self.steps_per_epoch = 1
        """Training batches in an epoch: set before the fit, the schedule needs it."""
        self.results: dict[str, float] = {}
        """The metrics of the epoch so far, by their full names."""
        self.vectors: dict[str, list[float]] = {}
        """Metrics with a value for each class."""
        self.tables: dict[str, np.ndarray] = {}
        """Larger results of the test, such as the confusion matrix."""
        self.predictions: Columns = {}
        """A row for each test sample (or box), once the test is over."""
        self.batch_loss: Tensor | None = None
        self.tail: Callable[[Tensor], Tensor] | None = None
        """What follows the features of a frozen net, where batches hold features in place of pictures."""
        self.gradients_seen: Callable[[], None] | None = None
        """Called when a step's gradients are complete, before they are clipped; None costs nothing."""
        self._columns: list[Columns] = []
        self.means = nn.ModuleDict({_KEYS[stage]: LossMeans(self.loss_parts) for stage in STAGES})
        # apart from the losses: it is a mean over steps, whatever the number of items behind them
        self.penalties = LossMeans(()) if parts.regularization.penalty.active else None
        self.auxiliary_weight = weight_of(parts.net)
        self.auxiliaries = None if self.auxiliary_weight is None else LossMeans(())
        decay = parts.regularization.ema_decay
        self.average = None if decay is None else WeightAverage(parts.net, decay)
        self.metrics = nn.ModuleDict({_KEYS[stage]: nn.ModuleDict(self.build_metrics(stage)) for stage in STAGES})
        for metric in self._all_metrics():
            metric.persistent(True)
        weights = parts.regularization.class_weights
        self.register_buffer("class_weights", None if weights is None else torch.tensor(weights), persistent=False)
        self.normalisation = Normalisation(parts.facts, centred=self.normalises, channels_last=parts.channels_last)

    # --- what a subclass fills in -----------------------------------------------------------------------------------

    @classmethod
    def num_outputs(cls, facts: Facts) -> int:
        """The number of classes that the net of this task has for this data: its classes, if the task says no other."""
        return len(facts.classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes that a vector of metrics is about."""
        return self.parts.facts.classes

    @abstractmethod
    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        """Loss and predictions for a prepared batch."""

    @abstractmethod
    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        """The metrics of a stage, by names of their own: modules with ``compute`` and ``reset``."""

    @abstractmethod
    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        """Feed a step's output to the metrics of its stage."""

    @abstractmethod
    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> dict[str, float]:
        """Numbers by short names (``accuracy``) at the end of an epoch; vectors and tables go into attributes."""

    @abstractmethod
    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        """Columns of the predictions file for one test batch; ``index`` is one of them."""

    @abstractmethod
    def predict(self, image: Tensor) -> list[Any]:
        """What the net says of each of the prepared pictures (B, C, H, W), in the task's own form, as numpy."""

    @abstractmethod
    def answer(self, prediction: Any, picture: np.ndarray) -> dict[str, Any]:
        """One prediction as plain values for JSON; ``picture`` uint8 (H, W, C) is the one asked about."""

    @abstractmethod
    def image(self, picture: np.ndarray, prediction: Any, truth: Batch | None = None) -> Image.Image:
        """One prediction drawn on its picture, beside the truth (one sample of a batch) where that is known."""

    def of_heads(self, losses: Sequence[Tensor]) -> Tensor | None:
        """What the losses of a net's auxiliary heads add to what is learnt: their sum times the net's weight for them.

        Raises:
            RunFailed: the net says no weight.
        """
        if not losses:
            return None
        if self.auxiliary_weight is None:
            raise RunFailed(
                f"the net answered with {len(losses)} tensors behind its logits; to have them learnt as auxiliary "
                "heads it needs an attribute auxiliary_weight, a number"
            )
        return self.auxiliary_weight * torch.stack(list(losses)).sum()

    def class_counts(self, data: PictureData) -> list[int]:
        """How often each class occurs in the training data: samples, or pixels; for tasks that use class weights."""
        raise NotImplementedError

    def weigh_classes(self, weights: Sequence[float]) -> None:
        """Give each class a factor in the loss."""
        self.class_weights = torch.tensor(weights, dtype=torch.float32, device=self.device)

    def draw_test(self, batch: Batch, folder: Path) -> None:
        """Pictures of the test in a folder: predictions.png, of a few samples; a subclass may have more to show."""
        batch = self.normalisation.centre(batch)
        predictions = self.predict(self.prepare(batch, train=False)["image"])
        images = [
            self.image(picture, prediction, {name: value[i : i + 1].cpu() for name, value in batch.items()})
            for i, (picture, prediction) in enumerate(zip(as_pictures(batch["image"]), predictions, strict=True))
        ]
        write_png(above(images), folder / "predictions.png")

    def outcomes(self, output: StepOutput) -> Tensor:
        """For each sample of a step the counts that ``judged_by`` is made of, int64 (B, S)."""
        raise NotImplementedError

    @staticmethod
    def score_of(sums: np.ndarray) -> np.ndarray:
        """The metric ``judged_by`` of sums of ``outcomes``, (..., S) → (...)."""
        raise NotImplementedError

    def reference(self, data: PictureData) -> dict[str, float]:
        """Scores of something simple on the same test, to compare with; most tasks have none."""
        return {}

    # --- the steps ---------------------------------------------------------------------------------------------------

    def forward(self, image: Tensor) -> Any:
        return self.net(image)

    def prepare(self, batch: Batch, train: bool, epoch: int | None = None) -> Batch:
        """Stored uint8 pictures → normalised floats of the net's size: augmented in training, else from the centre.

        Features, floats that come while only the tail of the net learns, stay as they are.

        Args:
            epoch: whose draws the augmentation takes, from 0; None is the epoch under way.
        """
        if self.tail is not None and batch["image"].is_floating_point():
            return {**batch, "features": batch["image"]}
        if train:
            return self.parts.augmentation(batch, self.current_epoch if epoch is None else epoch, self.normalisation)
        batch = self.normalisation.centre(batch)
        return {**batch, "image": self.normalisation(batch["image"])}

    def outputs(self, batch: Batch) -> Tensor | tuple[Tensor, ...]:
        """The net's answers to a prepared batch, of pictures or of features; with auxiliary heads' in training."""
        if "features" in batch:
            assert self.tail is not None
            return self.tail(batch["features"])
        return self.net(batch["image"])

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        seed_step(self.parts.seed, self.current_epoch, batch_idx, self.global_rank, self.device)
        step = self.current_epoch * self.steps_per_epoch + batch_idx
        total = self.parts.epochs * self.steps_per_epoch
        factor = self.parts.schedule.factor(Moment(step, total, self.current_epoch))
        factor *= self.parts.transfer.epoch_factor(self.current_epoch)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = group["initial_lr"] * factor

    def _of(self, stage: Stage) -> tuple[LossMeans, Mapping[str, Any]]:
        means, metrics = self.means[_KEYS[stage]], self.metrics[_KEYS[stage]]
        assert isinstance(means, LossMeans) and isinstance(metrics, nn.ModuleDict)
        return means, metrics  # type: ignore[return-value]

    def _count(self, stage: Stage, output: StepOutput) -> None:
        means, metrics = self._of(stage)
        means.update(output.loss.detach(), output.count, output.parts)
        if output.auxiliary is not None and self.auxiliaries is not None:
            self.auxiliaries.update(output.auxiliary.detach(), output.count, {})
        self.update_metrics(metrics, output)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        self.optimize(self.prepare(batch, train=True))

    def optimize(self, batch: Batch) -> None:
        """One step of the optimizer on a prepared batch. A task with several optimizers has its own."""
        optimizer, regularization = self.trainer.optimizers[0], self.parts.regularization
        for group in optimizer.param_groups:
            for weight in group["params"]:
                weight.grad = None
        loss = self._learn(batch) if self.parts.accumulate == 1 else self._learn_in_parts(batch)
        if regularization.changes_gradients or self.gradients_seen is not None:
            unscale(self.trainer, optimizer)
        if self.penalties is not None:
            penalty = regularization.penalty.add_gradients(self.net)
            self.penalties.update(penalty, 1, {})
            loss = loss + penalty
        if self.gradients_seen is not None:
            self.gradients_seen()
        if regularization.gradient_clip_norm is not None:
            nn.utils.clip_grad_norm_(self.net.parameters(), regularization.gradient_clip_norm)
        make_step(self.trainer, optimizer)
        if regularization.max_norm is not None:
            limit_norms(self.net, regularization.max_norm)
        if self.average is not None:
            self.average.update(self.net)
        self.batch_loss = loss

    def _learn(self, batch: Batch) -> Tensor:
        """Gradients of a batch; returns its loss, scaled so that the mean over processes is the global batch's."""
        output = self.step(batch, "train")
        share = self._share(output.count)
        loss = output.learnt if share is None else output.learnt * share
        backward(self, loss)
        self._count("train", output)
        return loss.detach()

    def _learn_in_parts(self, batch: Batch) -> Tensor:
        """The same from parts of the batch, one after another, so that only one part's activations are in memory.

        A part's mean is taken times its count, and the sum of all is divided by the count of the whole.
        """
        parts = cut(batch, self.parts.accumulate)
        total: Tensor = self.normalisation.scale.new_zeros(())
        count: int | Tensor = 0
        for number, part in enumerate(parts, start=1):
            output = self.step(part, "train")
            summed = output.learnt * at_least_one(output.count)
            with gradients_shared(self.trainer, number == len(parts)):
                backward(self, summed)
            self._count("train", output)
            total, count = total + summed.detach(), count + output.count
        share = self._share(count)
        factor = (1 if share is None else share) / torch.as_tensor(at_least_one(count)).to(total)
        gradients = [weight.grad for weight in self.net.parameters() if weight.grad is not None]
        torch._foreach_mul_(gradients, factor)
        return total * factor

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        prepared, output = self._evaluate(batch, "test")
        self._columns.append(self.rows(prepared, output))

    def _evaluate(self, batch: Batch, stage: Stage) -> tuple[Batch, StepOutput]:
        prepared = self.prepare(batch, train=False)
        output = self.step(prepared, stage)
        self._count(stage, output)
        return prepared, output

    def _share(self, count: int | Tensor) -> Tensor | None:
        """What makes the mean of the processes' gradients that of the global batch: count * world / sum of counts.

        A loss over no items was divided by 1 and not by 0, and is weighed so.
        """
        if isinstance(count, int) or self.trainer.world_size == 1:
            return None
        total = count.detach().clone().float()
        distributed.all_reduce(total)
        return at_least_one(count) * self.trainer.world_size / at_least_one(total)

    # --- the ends of epochs ------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Task:
        """As for every module; what is frozen stays in evaluation mode."""
        super().train(mode)
        self.parts.transfer.hold(self.net)
        return self

    def on_train_start(self) -> None:
        for optimizer in self.trainer.optimizers:  # a checkpoint's state is in them by now
            fill_momentum(optimizer)
        self._begin_epoch()  # a run that goes on in mid-epoch has no epoch start

    def on_train_epoch_start(self) -> None:
        self.results = {}
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        if self.parts.transfer.freezes:
            self.parts.transfer.begin_epoch(self.net, self.current_epoch)
            self.train()

    def on_train_epoch_end(self) -> None:
        self.read("train")
        monitored = self.results.get(self.parts.monitor or "")
        if monitored is not None:
            self.parts.schedule.observe(monitored, self.parts.mode)

    def on_validation_epoch_start(self) -> None:
        self._swap_average()

    def on_validation_epoch_end(self) -> None:
        self._swap_average()
        self.read("val")

    def _swap_average(self) -> None:
        """Within a fit the averaged weights are validated; outside of it the net holds what is to be judged."""
        if self.average is not None and self.trainer.state.fn == TrainerFn.FITTING:
            self.average.swap(self.net)

    def restart_average(self) -> None:
        """Let the averaged weights begin where the net is, after weights were put into it."""
        if self.average is not None:
            self.average.averaged.load_state_dict(self.net.state_dict())

    def adopt_average(self) -> None:
        """Put the averaged weights into the net for good, where there are any: the training is over."""
        if self.average is not None:
            self.net.load_state_dict(self.judged_net.state_dict())

    @property
    def judged_net(self) -> nn.Module:
        """The net with the weights that are validated, tested and kept: the averaged ones where there are any."""
        return self.net if self.average is None else self.average.averaged

    def on_test_epoch_end(self) -> None:
        self.read("test")
        self.predictions = self._gathered(self._columns)
        self._columns = []

    def read(self, stage: Stage) -> None:
        """Compute a stage's metrics over all processes into ``results``, and empty them."""
        means, metrics = self._of(stage)
        names = {**means.compute(), **self.read_metrics(metrics, stage)}
        self.results.update({f"{stage}/{name}": float(value) for name, value in names.items()})
        for metric in [means, *metrics.values()]:
            metric.reset()
        if stage == "train":
            for name, means_of_it in (("penalty", self.penalties), ("auxiliary_loss", self.auxiliaries)):
                if means_of_it is not None:
                    self.results[f"train/{name}"] = means_of_it.compute()["loss"]
                    means_of_it.reset()
        if not np.isfinite(self.results[f"{stage}/loss"]) and stage == "train":
            raise not_finite(self.current_epoch, None)

    def _gathered(self, columns: list[Columns]) -> Columns:
        if self.trainer.world_size > 1:
            shares: list[list[Columns]] = [[] for _ in range(self.trainer.world_size)]
            distributed.all_gather_object(shares, columns)
            columns = [one for share in shares for one in share]
        if not columns:
            return {}
        joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
        order = np.argsort(joined["index"], kind="stable")
        return {name: values[order] for name, values in joined.items()}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        # a group more is a kernel more at each step, so without decay there is none for biases and norms
        decaying = getattr(self.parts.optimizer, "keywords", {}).get("weight_decay", 0.0) > 0
        everything = self.parts.regularization.include_biases_and_norms or not decaying
        optimizer = self.parts.optimizer(parameter_groups(self.net, everything, self.parts.stage_rates))
        for group in optimizer.param_groups:
            group["lr"] *= group.pop("rate", 1.0)
            group["initial_lr"] = group["lr"]
        return optimizer

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["schedule"] = self.parts.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.parts.schedule.load_state_dict(checkpoint["schedule"])

    def _all_metrics(self) -> list[Metric]:
        return [module for module in self.modules() if isinstance(module, Metric)]


def at_least_one(count: Any) -> Any:
    """What a sum is divided by: its count, or 1 where there was nothing to count (a sum of weights may be below 1)."""
    if isinstance(count, Tensor):
        return torch.where(count > 0, count, 1)
    return count or 1


def not_finite(epoch: int, step: int | None) -> RunFailed:
    """The one line for a loss that is no number."""
    where = f"epoch {epoch + 1}" + ("" if step is None else f", step {step}")
    return RunFailed(
        f"the loss is not finite any more (NaN or infinite) at {where}; try a lower optimizer.lr, "
        "regularization.gradient_clip_norm=1, or hardware.precision=fp32"
    )


def as_pictures(images: Tensor) -> list[np.ndarray]:
    """uint8 (B, C, H, W) → uint8 arrays (H, W, C)."""
    return list(images.cpu().permute(0, 2, 3, 1).numpy())

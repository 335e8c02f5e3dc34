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
from torch import Tensor, nn
from torchmetrics import Metric

from cnnexp.augmentation.engine import Augmentation
from cnnexp.data.base import Facts
from cnnexp.data.module import PictureData
from cnnexp.errors import RunFailed
from cnnexp.tasks.means import LossMeans
from cnnexp.training.penalty import Penalty
from cnnexp.training.schedules import Moment, Schedule
from cnnexp.training.seeding import seed_step
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
    optimizer: Callable[[Sequence[nn.Parameter]], torch.optim.Optimizer]
    schedule: Schedule
    penalty: Penalty
    augmentation: Augmentation
    facts: Facts
    seed: int
    epochs: int
    monitor: str | None
    mode: str
    label_smoothing: float = 0.0
    channels_last: bool = False


@dataclass(frozen=True)
class StepOutput:
    """What a step found.

    Attributes:
        loss: mean over ``count`` items, a scalar. count: samples (an int, the same in every process), or valid pixels
            or positives (a tensor, which may differ between processes and may be 0).
        predictions, targets: what the metrics compare. parts: further losses by name, means over ``count`` too.
    """

    loss: Tensor
    count: int | Tensor
    predictions: Any = None
    targets: Any = None
    parts: Mapping[str, Tensor] = field(default_factory=dict)


class Task(pl.LightningModule):
    """A net with its loss, metrics and optimizer. A subclass says what a step is and which metrics it has."""

    pixel_scale: Tensor
    pixel_bias: Tensor

    uses_label_smoothing: ClassVar[bool] = False
    normalises: ClassVar[bool] = True
    loss_parts: ClassVar[tuple[str, ...]] = ()

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
        self._columns: list[Columns] = []
        self.means = nn.ModuleDict({_KEYS[stage]: LossMeans(self.loss_parts) for stage in STAGES})
        # apart from the losses: it is a mean over steps, whatever the number of items behind them
        self.penalties = LossMeans(()) if parts.penalty.active else None
        self.metrics = nn.ModuleDict({_KEYS[stage]: nn.ModuleDict(self.build_metrics(stage)) for stage in STAGES})
        for metric in self._all_metrics():
            metric.persistent(True)
        scale, bias = _normalisation(parts.facts, self.normalises)
        self.register_buffer("pixel_scale", scale, persistent=False)
        self.register_buffer("pixel_bias", bias, persistent=False)

    # --- what a subclass fills in -----------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def num_outputs(cls, facts: Facts) -> int:
        """The number of classes that the net of this task has for this data."""

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

    def draw_test(self, batch: Batch, folder: Path) -> None:
        """Pictures of the test in a folder: predictions.png, of a few samples; a subclass may have more to show."""
        predictions = self.predict(self.prepare(batch, train=False)["image"])
        images = [
            self.image(picture, prediction, {name: value[i : i + 1].cpu() for name, value in batch.items()})
            for i, (picture, prediction) in enumerate(zip(as_pictures(batch["image"]), predictions, strict=True))
        ]
        write_png(above(images), folder / "predictions.png")

    def reference(self, data: PictureData) -> dict[str, float]:
        """Scores of something simple on the same test, to compare with; most tasks have none."""
        return {}

    # --- the steps ---------------------------------------------------------------------------------------------------

    def forward(self, image: Tensor) -> Any:
        return self.net(image)

    def prepare(self, batch: Batch, train: bool) -> Batch:
        """Augment (in training) and turn uint8 pictures into normalised floats."""
        if train:
            batch = self.parts.augmentation(batch, self.current_epoch)
        image = torch.addcmul(self.pixel_bias, batch["image"].to(self.pixel_scale.dtype), self.pixel_scale)
        if self.parts.channels_last:
            image = image.contiguous(memory_format=torch.channels_last)
        return {**batch, "image": image}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        seed_step(self.parts.seed, self.current_epoch, batch_idx, self.global_rank, self.device)
        step = self.current_epoch * self.steps_per_epoch + batch_idx
        total = self.parts.epochs * self.steps_per_epoch
        factor = self.parts.schedule.factor(Moment(step, total, self.current_epoch))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = group["initial_lr"] * factor

    def _of(self, stage: Stage) -> tuple[LossMeans, Mapping[str, Any]]:
        means, metrics = self.means[_KEYS[stage]], self.metrics[_KEYS[stage]]
        assert isinstance(means, LossMeans) and isinstance(metrics, nn.ModuleDict)
        return means, metrics  # type: ignore[return-value]

    def _count(self, stage: Stage, output: StepOutput) -> None:
        means, metrics = self._of(stage)
        means.update(output.loss.detach(), output.count, output.parts)
        self.update_metrics(metrics, output)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        output = self.step(self.prepare(batch, train=True), "train")
        share = self._share(output.count)
        loss = output.loss if share is None else output.loss * share
        if self.penalties is not None:
            penalty = self.parts.penalty(self.net)
            self.penalties.update(penalty.detach(), 1, {})
            loss = loss + penalty
        self.batch_loss = loss.detach()
        self._count("train", output)
        return loss

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
        return count.clamp(min=1) * self.trainer.world_size / total.clamp(min=1)

    # --- the ends of epochs ------------------------------------------------------------------------------------------

    def on_train_epoch_start(self) -> None:
        self.results = {}

    def on_train_epoch_end(self) -> None:
        self.read("train")
        monitored = self.results.get(self.parts.monitor or "")
        if monitored is not None:
            self.parts.schedule.observe(monitored, self.parts.mode)

    def on_validation_epoch_end(self) -> None:
        self.read("val")

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
        if stage == "train" and self.penalties is not None:
            self.results["train/penalty"] = self.penalties.compute()["loss"]
            self.penalties.reset()
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
        optimizer = self.parts.optimizer([p for p in self.net.parameters() if p.requires_grad])
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        return optimizer

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["schedule"] = self.parts.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.parts.schedule.load_state_dict(checkpoint["schedule"])

    def _all_metrics(self) -> list[Metric]:
        return [module for module in self.modules() if isinstance(module, Metric)]


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


def _normalisation(facts: Facts, normalises: bool) -> tuple[Tensor, Tensor]:
    """Scale and bias (1, C, 1, 1) for (x / 255 - mean) / std, or x / 255 alone."""
    mean = torch.tensor(facts.mean if normalises else [0.0] * facts.channels, dtype=torch.float64)
    std = torch.tensor(facts.std if normalises else [1.0] * facts.channels, dtype=torch.float64)
    shape = (1, -1, 1, 1)
    return (1 / (255 * std)).float().view(shape), (-mean / std).float().view(shape)

"""A task and its learner as the LightningModule of a run: steps, the metrics of epochs, and what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import torch.distributed as distributed
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.errors import RunFailed
from cnnexp.fit.engine import LightningEngine
from cnnexp.losses.term import Term
from cnnexp.tasks.base import STAGES, Stage, StepOutput, Task
from cnnexp.tasks.means import LossMeans
from cnnexp.training.fused import fill_momentum
from cnnexp.training.learner import Learner
from cnnexp.training.seeding import seed_step

_KEYS: Mapping[Stage, str] = {"train": "of_train", "val": "of_val", "test": "of_test"}
"""Names of a stage's modules (``train`` itself is a method of every module)."""


class TaskModule(pl.LightningModule):
    """A task under way. Its state is that of the net, the loss, the metrics, the average and the schedule.

    Args:
        task: whose modules it holds under their own names. learner: what its optimizers do; None to evaluate only.
    """

    automatic_optimization = False  # the learner makes the steps: it may cut a batch into parts

    def __init__(self, task: Task, learner: Learner | None = None) -> None:
        super().__init__()
        object.__setattr__(self, "task", task)  # past torch's book of submodules: its parts are registered below
        self.task: Task
        self.net, self.loss, self.preparation = task.net, task.loss, task.preparation
        self.decided = task.decided
        self.learner = learner
        self.engine = LightningEngine(self)
        self.steps_per_epoch = 1
        """Training batches in an epoch: set before the fit, the schedule needs it."""
        self.results: dict[str, float] = {}
        """The metrics of the epoch so far, by their full names."""
        self.vectors: dict[str, list[float]] = {}
        """Metrics with a value for each class."""
        self.tables: dict[str, np.ndarray] = {}
        """Larger results of the test, such as the confusion matrix."""
        self.counts: dict[str, dict[str, int]] = {}
        """What else was counted in the test, by title and word."""
        self.kinds: dict[str, dict[str, float]] = {}
        """Metrics of the test for each kind of sample, by their full names."""
        self.remark: str | None = None
        """A sentence of the test on what went wrong."""
        self.predictions: Columns = {}
        """A row for each test sample (or box), once the test is over."""
        self.batch_loss: Tensor | None = None
        self._columns: list[Columns] = []
        self.means = nn.ModuleDict({_KEYS[stage]: LossMeans(task.term_names) for stage in STAGES})
        # apart from the losses: it is a mean over steps, whatever the number of items behind them
        self.penalties = LossMeans(("penalty",)) if self._penalised else None
        self.auxiliaries = LossMeans(task.learnt_apart) if task.learnt_apart else None
        self.average = None if learner is None else learner.average
        self.metrics = nn.ModuleDict({_KEYS[stage]: nn.ModuleDict(task.build_metrics(stage)) for stage in STAGES})
        for metric in self.metrics.modules():
            keep = getattr(metric, "persistent", None)
            if callable(keep):  # of torchmetrics: kept in checkpoints
                keep(True)

    @property
    def _penalised(self) -> bool:
        return self.learner is not None and self.learner.recipe.regularization.penalty.active

    @property
    def learning(self) -> Learner:
        """The learner of a module that is trained."""
        assert self.learner is not None, "this module only evaluates"
        return self.learner

    # --- the steps ---------------------------------------------------------------------------------------------------

    def forward(self, *arguments: Tensor) -> Any:
        return self.net(*arguments)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        seed_step(self.learning.recipe.seed, self.current_epoch, batch_idx, self.global_rank, self.device)
        self.learning.set_rates(self.current_epoch, batch_idx, self.steps_per_epoch)

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        prepared = self.task.prepare(batch, True, self.current_epoch)
        learnt = self.learning.learn(prepared, self.engine, self._count_training)
        if learnt.penalty is not None and self.penalties is not None:
            self.penalties.update([Term("penalty", learnt.penalty, 1)])
        self.batch_loss = learnt.loss

    def _count_training(self, output: Any) -> None:
        self._count("train", output)

    def _count(self, stage: Stage, output: StepOutput) -> None:
        means, metrics = self._of(stage)
        means.update([term for term in output.terms if term.judged])
        if self.auxiliaries is not None:
            self.auxiliaries.update([term for term in output.terms if not term.judged])
        self.task.update_metrics(metrics, output)

    def _of(self, stage: Stage) -> tuple[LossMeans, Mapping[str, Any]]:
        means, metrics = self.means[_KEYS[stage]], self.metrics[_KEYS[stage]]
        assert isinstance(means, LossMeans) and isinstance(metrics, nn.ModuleDict)
        return means, metrics  # type: ignore[return-value]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        prepared, output = self._evaluate(batch, "test")
        self._columns.append(self.task.rows(prepared, output))

    def _evaluate(self, batch: Batch, stage: Stage) -> tuple[Batch, StepOutput]:
        prepared = self.task.prepare(batch, False)
        output = self.task.step(prepared, stage)
        self._count(stage, output)
        return prepared, output

    # --- the ends of epochs ------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> TaskModule:
        """As for every module; what is frozen stays in evaluation mode."""
        super().train(mode)
        self.task.train(mode)
        if self.learner is not None:
            self.learner.recipe.transfer.hold(self.net)
        return self

    def on_train_start(self) -> None:
        for optimizer in self.learning.optimizers.values():  # a checkpoint's state is in them by now
            fill_momentum(optimizer)
        self._begin_epoch()  # a run that goes on in mid-epoch has no epoch start

    def on_train_epoch_start(self) -> None:
        self.results = {}
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        transfer = self.learning.recipe.transfer
        if transfer.freezes:
            transfer.begin_epoch(self.net, self.current_epoch)
            self.train()

    def on_train_epoch_end(self) -> None:
        self.read("train")
        recipe = self.learning.recipe
        monitored = self.results.get(recipe.monitor or "")
        if monitored is not None:
            recipe.schedule.observe(monitored, recipe.mode)

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
        readings = self.task.read_metrics(metrics, stage)
        losses = means.compute() if stage == "train" or self.task.evaluates_loss else {}
        names = {**losses, **readings.values}
        self.results.update({f"{stage}/{name}": float(value) for name, value in names.items()})
        self.vectors.update({f"{stage}/{name}": values for name, values in readings.vectors.items()})
        if stage == "test":
            self.tables.update(readings.tables)
            self.counts.update({title: dict(of_word) for title, of_word in readings.counts.items()})
            self.kinds.update({f"test/{name}": dict(of_kind) for name, of_kind in readings.kinds.items()})
            self.remark = readings.remark
        for metric in [means, *metrics.values()]:
            metric.reset()
        if stage == "train":
            self._read_apart()
            if not np.isfinite(self.results["train/loss"]):
                raise not_finite(self.current_epoch, None)

    def _read_apart(self) -> None:
        """What is learnt beside the loss: the penalty, and the terms that only training has."""
        if self.penalties is not None:
            self.results["train/penalty"] = self.penalties.compute()["loss"]
            self.penalties.reset()
        if self.auxiliaries is not None:
            found = self.auxiliaries.compute()
            loss = found.pop("loss")
            self.results |= {
                f"train/{name}": value for name, value in (found or {self.auxiliaries.names[0]: loss}).items()
            }
            self.auxiliaries.reset()

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

    # --- the optimizers, and what a checkpoint holds beside weights --------------------------------------------------

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        made = self.learning.make_optimizers()
        self.learning.optimizers = dict(zip(self.task.turns, made, strict=True))
        return made

    def on_fit_start(self) -> None:
        # a strategy may have moved them, or put others in their place
        self.learning.optimizers = dict(zip(self.task.turns, self.trainer.optimizers, strict=True))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["schedule"] = self.learning.recipe.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.learning.recipe.schedule.load_state_dict(checkpoint["schedule"])
        # between evaluations their metrics are empty: one that an earlier version did not have begins so too, and one
        # that is gone (of a judge, say) is forgotten
        evaluations = tuple(f"metrics.{_KEYS[stage]}." for stage in ("val", "test"))
        own, kept = self.state_dict(), checkpoint["state_dict"]
        for key in [key for key in {**own, **kept} if key.startswith(evaluations)]:
            if key in own:
                kept.setdefault(key, own[key])
            else:
                del kept[key]


def not_finite(epoch: int, step: int | None) -> RunFailed:
    """The one line for a loss that is no number."""
    where = f"epoch {epoch + 1}" + ("" if step is None else f", step {step}")
    return RunFailed(
        f"the loss is not finite any more (NaN or infinite) at {where}; try a lower optimizer.lr, "
        "regularization.gradient_clip_norm=1, or hardware.precision=fp32"
    )

"""Says before the first step how long a run will take and how much memory, measured on its own first batch."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytorch_lightning as pl
import torch
import torch.distributed as distributed
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from cnnexp.answers.base import Batch
from cnnexp.data.base import SplitName
from cnnexp.data.loading import Data
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.console import RunLog
from cnnexp.fit.evaluate import PARTIAL_BATCHES
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.base import Task

SAVE_EVERY_S = 60.0
LONGEST_S = 3.0
"""Timing goes on for so long at most, unless a single step takes longer."""
SHARE = 0.05
"""And for such a part of the run at most: nobody waits long to be told that the wait is short."""
WARM_UP_SHARE = 8
"""The step that warms up is made on this part of a batch."""


class Estimating(Callback):
    """Measures a training step, tells the person, and sets how many batches lie between two saves.

    Args:
        log: where it says so. data: gives the batch. checkpointing: told how often to save, if nobody else did.
        epochs: of the run. max_steps: where it will stop before its end.

    Attributes:
        partial_batches: of the validation and of the test of a run that stops before its end, so that the two take
            about as long as its steps; the same in all processes.
    """

    def __init__(
        self, log: RunLog, data: Data, checkpointing: Checkpointing, epochs: int, max_steps: int | None
    ) -> None:
        self._log = log
        self._data = data
        self._checkpointing = checkpointing
        self._epochs = epochs
        self._max_steps = max_steps
        self.partial_batches = PARTIAL_BATCHES

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, TaskModule)
        share = self._data.batch_size // trainer.world_size
        batch = self._data.split("train").batch(torch.from_numpy(self._data.train_positions()[:share]))
        with trainer.precision_plugin.forward_context():
            estimate = _of_rank_zero(measure(pl_module.task, batch, self._steps(pl_module)), trainer)
        if self._checkpointing.every_steps is None:
            self._checkpointing.every_steps = max(1, round(SAVE_EVERY_S / max(estimate.step_s, 1e-4)))
        there = max(_batches_of(split, trainer, self._data) for split in ("val", "test"))
        self.partial_batches = min(there, few_batches(estimate, self._steps(pl_module)))
        self._say(trainer, pl_module, estimate)
        # its work is done, and every callback costs some time at every step (a new list: Lightning walks the old one)
        trainer.callbacks = [callback for callback in trainer.callbacks if callback is not self]  # type: ignore[attr-defined]

    def _steps(self, task: TaskModule) -> int:
        """Those that are still to come."""
        total = self._epochs * task.steps_per_epoch
        return max(0, min(total, self._max_steps or total) - self._checkpointing.step)

    def _say(self, trainer: pl.Trainer, task: TaskModule, estimate: Estimate) -> None:
        steps = self._steps(task)
        batches = _batches_of("val", trainer, self._data)
        epochs: float = steps / task.steps_per_epoch
        stops = self._max_steps is not None and self._max_steps < self._epochs * task.steps_per_epoch
        if stops:  # whole epochs are validated whole, and the rest is scored on a few batches
            epochs, batches_at_end = epochs // 1, 2 * min(self.partial_batches, batches)
        else:
            batches_at_end = 0
        seconds = steps * estimate.step_s + (epochs * batches + batches_at_end) * estimate.evaluation_s
        where = "GPU memory" if task.device.type == "cuda" else "memory for the net and a batch"
        self._log.say(
            f"{steps:,} steps of {describe_step(estimate.step_s)}: about {describe_time(seconds)}; "
            f"{describe_bytes(estimate.memory_bytes)} of {where}"
            + (f"; scored on {few_in_words(self.partial_batches)} of each of validation and test" if stops else "")
        )


@dataclass(frozen=True)
class Estimate:
    """Seconds of one training step and of one validation batch; bytes held at the peak of a training step."""

    step_s: float
    evaluation_s: float
    memory_bytes: int


def few_batches(estimate: Estimate, steps: int) -> int:
    """Batches of each of validation and test that together take about as long as the steps: at least one, at most
    ``PARTIAL_BATCHES``."""
    both = 2 * max(estimate.evaluation_s, 1e-6)
    return max(1, min(PARTIAL_BATCHES, round(steps * estimate.step_s / both)))


def few_in_words(batches: int) -> str:
    """A number of batches, for people."""
    return "1 batch" if batches == 1 else f"{batches} batches"


def measure(task: Task, batch: Batch, steps: int) -> Estimate:
    """Time a few steps of the net on a batch, and put everything back as it was.

    No weight, statistic, gradient or metric is different afterwards.

    Args:
        steps: of the run; the timing takes a small part of what they will take.
    """
    kept = {name: value.detach().clone() for name, value in task.state_dict().items()}
    modes = [(module, module.training) for module in task.modules()]
    random_state = torch.get_rng_state()
    batch = {name: value.to(task.device) for name, value in batch.items()}
    few = {name: value[: max(2, len(value) // WARM_UP_SHARE)] for name, value in batch.items()}
    try:
        _train_step(task, few)  # a first step is slow: memory is asked for, kernels are chosen
        first, memory = _train_step(task, batch)
        best, spent = first, first
        longest = min(LONGEST_S, SHARE * steps * first)
        while spent < longest and first < LONGEST_S / 2:
            seconds, _ = _train_step(task, batch, count_memory=False)
            best, spent = min(best, seconds), spent + max(seconds, 0.05)
        evaluation = _evaluation(task, batch)
    finally:
        task.load_state_dict(kept)
        task.zero_grad(set_to_none=True)
        for module, training in modes:
            module.training = training
        torch.set_rng_state(random_state)
    weights = sum(p.numel() * p.element_size() for p in task.parameters())
    return Estimate(best, evaluation, memory + 3 * weights)


def describe_time(seconds: float) -> str:
    """A duration as people say it: 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def describe_step(seconds: float) -> str:
    """The time of a step: 3.5 ms, 120 ms, 2.4 s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def describe_bytes(count: float) -> str:
    """A size in MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _batches_of(split: SplitName, trainer: pl.Trainer, data: Data) -> int:
    share = -(-len(data.split(split)) // trainer.world_size)
    return -(-share // (data.batch_size // trainer.world_size))


def _of_rank_zero(estimate: Estimate, trainer: pl.Trainer) -> Estimate:
    """Rank 0's measurement in every process, so that all save after the same batch."""
    if trainer.world_size == 1:
        return estimate
    values = torch.tensor(
        [estimate.step_s, estimate.evaluation_s, float(estimate.memory_bytes)],
        dtype=torch.float64,
        device=trainer.strategy.root_device,
    )
    distributed.broadcast(values, src=0)
    step_s, evaluation_s, memory = values.tolist()
    return Estimate(step_s, evaluation_s, int(memory))


def _train_step(task: Task, batch: Batch, count_memory: bool = True) -> tuple[float, int]:
    """Seconds of a forward and backward pass, and bytes kept between the two."""
    held: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        held[storage.data_ptr()] = storage.nbytes()
        return tensor

    began = time.perf_counter()
    prepared = task.prepare(batch, train=True)
    for turn in task.turns:
        if count_memory:
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                output = task.learn(prepared, turn)
        else:
            output = task.learn(prepared, turn)
        output.learnt.backward()
    if task.device.type == "cuda":
        torch.cuda.synchronize(task.device)
    return time.perf_counter() - began, sum(held.values())


@torch.no_grad()
def _evaluation(task: Task, batch: Batch) -> float:
    task.eval()
    began = time.perf_counter()
    task.step(task.prepare(batch, train=False), "val")
    if task.device.type == "cuda":
        torch.cuda.synchronize(task.device)
    return time.perf_counter() - began

"""What probabilities are worth on a split: the task's own metrics, a count for each sample, and the time they took."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnexp.answers.base import Batch, Columns
from cnnexp.augmentation.motion import VOID
from cnnexp.averaging.voter import Voter, resized, weighted_mean
from cnnexp.tasks.base import Stage, Task
from cnnexp.tasks.means import LossMeans


@dataclass
class Score:
    """One voter, or several together, on a split of N samples.

    Attributes:
        metrics: by name, such as accuracy. outcomes: int64 (N, S), counts that the judging metric is made of, a row
            for each sample. rows: columns of the predictions file, but for maps. seconds: without decoding.
        fixed, broken: samples, or their pixels or parts, that the last voter has right and this one wrong, and the
            other way round.
    """

    metrics: dict[str, float]
    outcomes: np.ndarray
    rows: Columns
    seconds: float
    fixed: int
    broken: int


def score(
    voters: Sequence[Voter],
    batches: Iterable[Sequence[Batch]],
    stage: Stage,
    weights: Sequence[float] | None = None,
) -> list[Score]:
    """Let voters answer the same samples.

    Args:
        batches: for each step a batch for each voter: the same samples, at the size that the voter's net takes.
        weights: makes a further voter of them all, whose answer is the mean of theirs.

    Returns:
        A score for each voter and, with weights, the last for all together.
    """
    tallies = [_Tally(voter.task, stage) for voter in voters]
    if weights is not None:
        tallies.append(_Tally(voters[0].task, stage))
    for number, of_each in enumerate(batches):
        if number == 0:
            for voter, batch in zip(voters, of_each, strict=True):
                voter(batch)  # a first pass reserves memory and chooses kernels, which are no part of the cost
        given = zip(tallies, voters, of_each, strict=False)
        answers = [voter.common(tally.timed(voter, batch)) for tally, voter, batch in given]
        if weights is not None:
            with tallies[-1].clock:
                answers.append(weighted_mean(answers, weights))
        truth = voters[0].truth(of_each[0])
        for tally, voter, answer in zip(tallies, [*voters, voters[0]], answers, strict=False):
            tally.add(voter.own(answer), voter.own(answers[-1]), voter.own_truth(truth))
    scores = [tally.result() for tally in tallies]
    if weights is not None:
        scores[-1].seconds += sum(one.seconds for one in scores[:-1])
    return scores


@dataclass
class _Clock:
    device: torch.device
    seconds: float = 0.0
    _began: float = 0.0

    def __enter__(self) -> None:
        self._began = self._now()

    def __exit__(self, *error: object) -> None:
        self.seconds += self._now() - self._began

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


class _Tally:
    """Counts one voter's answers, with the loss and the metrics of its task."""

    def __init__(self, task: Task, stage: Stage) -> None:
        self._task = task
        self._stage = stage
        self._means = LossMeans(task.term_names)
        self._metrics = self._task.build_metrics(stage)
        self._index: list[np.ndarray] = []
        self._outcomes: list[np.ndarray] = []
        self._rows: list[Columns] = []
        self._fixed = self._broken = 0
        self.clock = _Clock(task.device)

    def timed(self, voter: Voter, batch: Batch) -> Tensor:
        with self.clock:
            return voter(batch)

    @torch.inference_mode()
    def add(self, answer: Tensor, last: Tensor, batch: Batch) -> None:
        """Count a batch: probabilities of this voter and of the last one, and the truth."""
        if answer.ndim == 4:
            truth = batch[self._task.answer.keys[0]]
            size = (truth.shape[-2], truth.shape[-1])
            answer, last = resized(answer, size), resized(last, size)
        smallest = torch.finfo(answer.dtype).tiny
        # the task takes logarithms of probabilities for logits: they are their own log-softmax
        output = self._task.judge(answer.clamp(min=smallest).log(), batch, self._stage)
        self._means.update(output.terms)
        self._task.update_metrics(self._metrics, output)
        self._index.append(batch["index"].cpu().numpy())
        self._outcomes.append(self._task.outcomes(output).cpu().numpy())
        rows = self._task.rows(batch, output)
        self._rows.append({name: values for name, values in rows.items() if values.ndim == 1})
        self._count_changes(answer, last, output.targets)

    def _count_changes(self, answer: Tensor, last: Tensor, target: Tensor) -> None:
        known = target != VOID if answer.ndim == 4 else torch.ones_like(target, dtype=torch.bool)
        right, after = answer.argmax(1) == target, last.argmax(1) == target
        self._fixed += int((~right & after & known).sum())
        self._broken += int((right & ~after & known).sum())

    def result(self) -> Score:
        metrics = {**self._means.compute(), **self._task.read_metrics(self._metrics, self._stage).values}
        rows = {name: np.concatenate([rows[name] for rows in self._rows]) for name in self._rows[0]}
        order = np.argsort(rows["index"], kind="stable")
        return Score(
            metrics={name: float(value) for name, value in metrics.items()},
            outcomes=np.concatenate(self._outcomes)[np.argsort(np.concatenate(self._index), kind="stable")],
            rows={name: values[order] for name, values in rows.items()},
            seconds=self.clock.seconds,
            fixed=self._fixed,
            broken=self._broken,
        )

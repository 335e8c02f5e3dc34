"""What every task is: a net with its loss and metrics, and what is made of its answers. Nothing here trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Answer, Batch, Columns
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.inputs.base import Preparation
from cnnexp.losses.term import Loss, Term
from cnnexp.models.auxiliary import weight_of
from cnnexp.tasks.heads import AUXILIARY, with_auxiliary
from cnnexp.tasks.output import Readings, StepOutput

Stage = Literal["train", "val", "test"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class Parts:
    """What a task is made of; everything is handed in.

    Attributes:
        target: the truth that is learnt, a word of ``facts.targets``, or None. seed: of the run.
        loss: None for nets that bring their own. judge: opens the one of what is made up, if any.
    """

    net: nn.Module
    facts: Facts
    preparation: Preparation
    target: str | None = None
    loss: Loss | None = None
    seed: int = 0
    judge: Callable[[], Any] | None = None


class Task(nn.Module, ABC):
    """A net with its loss. A subclass says what a step is, which metrics it has, and what is predicted."""

    normalises: ClassVar[bool] = True
    """Whether the mean is taken from samples; else values stay in [0, 1]."""
    takes_features: ClassVar[bool] = False
    """Whether ``step`` asks ``outputs`` for the net's answers, so that features may stand for samples."""
    hands: ClassVar[str | None] = None
    """The key of the truth that its loss is handed; None where nets bring their loss, or it is unsaid."""
    judged_by: ClassVar[str | None] = None
    """The metric that counts of samples add up to (``outcomes``); None where answers are no logits to be averaged."""
    turns: ClassVar[tuple[str, ...]] = ("",)
    """Names of the optimizers, in the order in which they make a step on each batch."""
    least_classes: ClassVar[int] = 1
    """With fewer the answer would be known without a net; tasks without a target ask for none."""
    first_named: ClassVar[int] = 0
    """Which of its net's outputs answers for the first class."""
    unclassed: ClassVar[int] = 0
    """How many of its net's outputs say where something is and not what; they come last."""
    on_frames: ClassVar[bool] = False
    """Whether it is asked about films too, so that pictures a second, one at a time, are worth knowing."""
    takes_terms: ClassVar[bool] = False
    """Whether its loss may have several terms (``Loss.terms``)."""
    one_process: ClassVar[bool] = False
    """Whether several processes would not come to what one does."""
    sized_by: ClassVar[str | None] = None
    """The task's key that says how many numbers its net answers; None where that is ``num_outputs``."""

    answer: Answer

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts, self.preparation = parts, parts.preparation
        self.net, self.loss = parts.net, parts.loss
        self.facts, self.target, self.auxiliary_weight = parts.facts, parts.target, weight_of(parts.net)
        self.tail: Any = None  # what follows the features of a frozen net, where batches hold those
        self.decided: nn.Module | None = None
        """Buffers that a validation decides and a test goes by, kept with the weights."""

    # --- what a subclass fills in ------------------------------------------------------------------------------------

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        """Outputs of the net for this data, with ``sized_by`` classes of the loss: the data's, if nothing is said."""
        return len(facts.names(target))

    @property
    def term_names(self) -> tuple[str, ...]:
        """Names of the terms of a step, less those that only training has."""
        return ("loss",) if self.loss is None else self.loss.term_names

    @property
    def learnt_apart(self) -> tuple[str, ...]:
        """Names of the terms that only training has."""
        return () if self.auxiliary_weight is None else (AUXILIARY,)

    @property
    def comparable(self) -> bool:
        """Whether training and validation have losses of one kind, so that the gap between them says something."""
        return len(self.turns) == 1

    @property
    def evaluates_loss(self) -> bool:
        """Whether evaluations have terms; else they have metrics alone."""
        return True

    @property
    def counts_in_advance(self) -> bool:
        """Whether the counts behind all terms are one, or ``counts`` knows them; else a batch cannot be cut."""
        return self.loss is None or self.loss.counts_in_advance

    def counts(self, batch: Batch) -> Mapping[str, int | Tensor]:
        """The count behind each term of a whole prepared batch, where terms of one step have different ones."""
        return {} if self.loss is None else self.loss.counts(batch)

    @abstractmethod
    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        """Terms and predictions for a prepared batch."""

    def learn(self, batch: Batch, turn: str) -> StepOutput:
        """What the optimizer of this name minimises on a prepared batch."""
        return self.step(batch, "train")

    def learning(self, turn: str) -> nn.Module:
        """The part of the net that the optimizer of this name changes."""
        return self.net

    @abstractmethod
    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        """The metrics of a stage, by names of their own: modules with ``compute`` and ``reset``."""

    @abstractmethod
    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        """Feed a step's output to the metrics of its stage."""

    @abstractmethod
    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        """What they come to at the end of an epoch."""

    @abstractmethod
    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        """Columns of the predictions file for one test batch; ``index`` is one of them."""

    @abstractmethod
    def predict(self, batch: Batch) -> list[Any]:
        """What the net says of each sample of a prepared batch, in the form of ``answer``."""

    def truth(self, batch: Batch) -> Batch:
        """A batch with the truth that ``answer`` is about, for tasks that learn something else than the data names."""
        return batch

    def see(self, data: Data) -> None:
        """Count what steps have to know of all training samples at once; called before the first one, and again."""

    def reference(self, data: Data) -> dict[str, float]:
        """Scores of something simple on the same test, to compare with; most tasks have none."""
        return {}

    def gallery(self, data: Data, predictions: Columns) -> dict[str, Any]:
        """Further pictures of a test by file name without suffix, from its predictions; most tasks have none."""
        return {}

    def judge(self, answer: Any, batch: Batch, stage: Stage) -> StepOutput:
        """The step's output for answers that were made elsewhere: with ``judged_by``, or an answer that ``merges``."""
        raise NotImplementedError

    def outcomes(self, output: StepOutput) -> Tensor:
        """For each sample of a step the counts that ``judged_by`` is made of, int64 (B, S)."""
        raise NotImplementedError

    @staticmethod
    def score_of(sums: np.ndarray) -> np.ndarray:
        """The metric ``judged_by`` of sums of ``outcomes``, (..., S) → (...)."""
        raise NotImplementedError

    # --- what all share ----------------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where the net is."""
        return next((one.device for one in [*self.net.parameters(), *self.buffers()]), torch.device("cpu"))

    def forward(self, *arguments: Tensor) -> Any:
        return self.net(*arguments)

    def prepare(self, batch: Batch, train: bool, epoch: int = 0) -> Batch:
        """A stored batch → what the net takes, in training augmented with the draws of an epoch; features stay."""
        return batch if "features" in batch else self.preparation(batch, train, epoch)

    def outputs(self, batch: Batch) -> Any:
        """The net's answers to a prepared batch, of samples or of features; with auxiliary heads' in training."""
        return self.tail(batch["features"]) if "features" in batch else self.net(*self.facts.input.arguments(batch))

    def with_heads(self, answer: Sequence[Term], heads: Sequence[Term]) -> list[Term]:
        """The terms of the net's answer, and the one of its auxiliary heads, as ``heads.py`` has it."""
        return with_auxiliary(answer, heads, self.auxiliary_weight)

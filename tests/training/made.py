"""Tasks whose learning is out of the common: terms over different counts, and parts that learn in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.label import Label
from cnnexp.augmentation.motion import VOID
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.losses.term import Loss, Term, at_least_one
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from tests.tasks import tiny

RARE = 2
"""The class whose samples are counted in a term of their own."""


class _Measuring(Task):
    """Without metrics."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = Label(tiny.CLASSES)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return {}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        return None

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        return Readings({})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        return {"index": batch["index"].numpy()}

    def predict(self, batch: Batch) -> list[np.ndarray]:
        return list(self.outputs(batch).numpy())


class PixelsAndPicture(nn.Module):
    """Logits (B, 3, H, W) of the pixels, and their means (B, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.net = tiny.pixel_net()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        pixels = self.net(x)
        return pixels, pixels.mean((2, 3))


class Several(_Measuring):
    """Cross entropies over samples (``label``), pixels that are not void (``pixel``) and a rare class (``rare``)."""

    @property
    def term_names(self) -> tuple[str, ...]:
        return ("label", "pixel", "rare")

    def counts(self, batch: Batch) -> Mapping[str, int | Tensor]:
        counts = (len(batch["label"]), (batch["mask"] != VOID).sum(), (batch["label"] == RARE).sum())
        return dict(zip(self.term_names, counts, strict=True))

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        pixels, picture = self.outputs(batch)
        counts, rare = Several.counts(self, batch), batch["label"] == RARE
        sums = {
            "label": functional.cross_entropy(picture, batch["label"], reduction="sum"),
            "pixel": functional.cross_entropy(pixels, batch["mask"].long(), ignore_index=VOID, reduction="sum"),
            "rare": functional.cross_entropy(picture[rare], batch["label"][rare], reduction="sum"),
        }
        return StepOutput([Term(name, one / at_least_one(counts[name]), counts[name]) for name, one in sums.items()])


class Unforeseen(Several):
    """Of the same terms nobody knows the counts before the forward pass."""

    @property
    def counts_in_advance(self) -> bool:
        return False

    def counts(self, batch: Batch) -> Mapping[str, int | Tensor]:
        return {}


class Halves(nn.Module):
    """Two nets; the answer is the sum of theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = tiny.linear_net(), tiny.linear_net()
        nn.init.normal_(self.second[1].weight, std=0.1)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        return self.first(x) + self.second(x)


class InTurn(_Measuring):
    """The first half learns alone, the second one what both together leave; the gradients of that reach both."""

    turns: ClassVar[tuple[str, ...]] = ("first", "second")

    @property
    def term_names(self) -> tuple[str, ...]:
        return self.turns

    def learning(self, turn: str) -> nn.Module:
        return self.net.get_submodule(turn)

    def learn(self, batch: Batch, turn: str) -> StepOutput:
        return StepOutput([self._term(batch, turn)])

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        return StepOutput([self._term(batch, turn) for turn in self.turns])

    def _term(self, batch: Batch, turn: str) -> Term:
        (image,) = self.facts.input.arguments(batch)
        answer = self.net(image) if turn == "second" else self.net.first(image)  # type: ignore[operator]
        return Term(turn, functional.cross_entropy(answer, batch["label"]), len(answer))


class Scaled(Loss):
    """Cross entropy of logits times a factor for each class, which is learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(len(tiny.CLASSES)))
        self.entropy = CrossEntropy()

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        return self.entropy(answer * self.factor, truth, train)

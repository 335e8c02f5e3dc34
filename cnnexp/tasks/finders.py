"""How tasks speak with nets that find objects and bring a loss of their own.

A net says ``loss_terms``, their names, and ``counts_in_advance``, whether all are means over one count. It answers
``losses(*arguments, boxes, classes)`` with a (mean, count) for each, and ``detect(*arguments)`` with what it finds in
each picture: boxes, scores and labels, and masks where it draws outlines. One that can say both of one pass answers
``judged(*arguments, boxes, classes)`` with the two; of others an evaluation knows no losses.

Why something was found is asked of ``every_box(x)``: all boxes that the net weighs, (B, N, 4) in pixels, and a logit of
each class for each of them, (B, N, K), before any is left out; or, where a second stage looks into proposed boxes, of
``backbone``, ``sized`` and ``roi_heads``, as torchvision's R-CNNs have them (``visualize/place_scores.py``).

What a net ``takes``, keys of a prepared batch, ``losses`` and ``judged`` are handed by name; among them may be
``draws``, int64 (B,), a number for each picture from which a net draws: a function of (seed, epoch, index of the
sample), in evaluations of (seed, index).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch
from cnnexp.answers.boxes import learnable
from cnnexp.draws import keys
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Stage, StepOutput, Task

_DRAWS = 0xDE7
"""Keeps the draws of nets apart from others of the same seed."""


class Finder(Task):
    """A task whose net finds objects."""

    on_frames: ClassVar[bool] = True

    @property
    def term_names(self) -> tuple[str, ...]:
        return tuple(self.net.loss_terms)  # type: ignore[arg-type]

    @property
    def evaluates_loss(self) -> bool:
        return hasattr(self.net, "judged")

    @property
    def counts_in_advance(self) -> bool:
        return bool(getattr(self.net, "counts_in_advance", False))

    def prepare(self, batch: Batch, train: bool, epoch: int = 0) -> Batch:
        return with_draws(self.net, super().prepare(batch, train, epoch), self.parts.seed, train, epoch)

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        return asked(self.net, self.facts.input.arguments(batch), batch, stage, self.true)

    @abstractmethod
    def true(self, batch: Batch) -> list[dict[str, Tensor]]:
        """The objects of each picture, as the metrics take them."""

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.predictions, output.targets)


def taken(net: nn.Module) -> tuple[str, ...]:
    """The keys of a batch that the net is handed."""
    return tuple(getattr(net, "takes", ()))


def with_draws(net: nn.Module, prepared: Batch, seed: int, train: bool, epoch: int) -> Batch:
    """A prepared batch with ``draws``, where the net takes them; epochs are counted from 0."""
    if "draws" not in taken(net):
        return prepared
    index = prepared["index"]
    drawn = keys(_DRAWS, seed, epoch + 1 if train else 0, index.cpu().numpy())
    return {**prepared, "draws": torch.from_numpy(drawn).to(index.device)}


def asked(net: Any, arguments: Sequence[Tensor], batch: Batch, stage: Stage, truth: Any) -> StepOutput:
    """The terms of a step, and in an evaluation what was found beside the truth."""
    boxes, more = learnable(batch), {key: batch[key] for key in taken(net)}
    if stage == "train":
        return StepOutput(terms(net.losses(*arguments, *boxes, **more)), [], [])
    if hasattr(net, "judged"):
        losses, found = net.judged(*arguments, *boxes, **more)
    else:
        losses, found = {}, net.detect(*arguments)
    return StepOutput(terms(losses), found, truth(batch))


def terms(losses: Mapping[str, tuple[Tensor, int | Tensor]]) -> list[Term]:
    return [Term(name, mean, count) for name, (mean, count) in losses.items()]

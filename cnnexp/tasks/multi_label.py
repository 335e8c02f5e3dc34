"""None, one or several classes for each sample."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.labels import THERE_FROM, Labels
from cnnexp.models.auxiliary import split_answer
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.means import LabelHits


class MultiLabel(Task):
    """A sigmoid for each class, over logits (B, K).

    Mean average precision over the classes (``map``; classes of which the samples have none are left out), the mean of
    the classes' F1 (``f1``), the part of the labels that are right (``accuracy``) and of the samples of which all are
    (``exact``); the last three from a probability of 0.5 on.
    """

    hands: ClassVar[str | None] = "labels"
    takes_features: ClassVar[bool] = True
    takes_terms: ClassVar[bool] = True
    answer: Labels

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = Labels(parts.facts.names(parts.target))

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        train = stage == "train"
        logits, others = split_answer(self.outputs(batch))
        shown = self.answer.shown(batch)
        truth = {"labels": shown}
        heads = [term for one in others for term in self.loss.terms(one, truth, train)]
        terms = self.with_heads(self.loss.terms(logits, truth, train), heads)
        return StepOutput(terms, logits.detach(), shown)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        from torchmetrics.classification import MultilabelAveragePrecision

        metrics: dict[str, nn.Module] = {"hits": LabelHits(len(self.answer.names))}
        if stage != "train":
            metrics["map"] = MultilabelAveragePrecision(len(self.answer.names), average="none")
        return metrics

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        probability, shown = output.predictions.float().sigmoid(), output.targets.bool()
        metrics["hits"].update(probability >= THERE_FROM, shown)
        if "map" in metrics:
            metrics["map"].update(probability, shown.long())

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        hits = metrics["hits"].compute()
        if "map" not in metrics:
            return Readings(hits.values())
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "No positive samples")  # such classes are NaN here
            found = metrics["map"].compute()
        precision = found.double().cpu().where(hits.shown > 0, torch.nan)
        values = {"map": float(precision.nanmean().nan_to_num()), **hits.values()}
        return Readings(values, {"map": precision.tolist()})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        there, shown = output.predictions.sigmoid() >= THERE_FROM, output.targets.bool()
        return {
            "index": batch["index"].cpu().numpy(),
            "targets": np.array([self.answer.words(one) for one in shown.cpu().numpy()]),
            "predictions": np.array([self.answer.words(one) for one in there.cpu().numpy()]),
            "label_accuracy": (there == shown).float().mean(1).cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[np.ndarray]:
        """Probabilities (K,) of each sample."""
        return list(self.outputs(batch).float().sigmoid().cpu().numpy())

"""One or several numbers for each sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.value import PAIRS, Value
from cnnexp.losses.term import Term
from cnnexp.models.auxiliary import split_answer
from cnnexp.statistics.concordance import concordance
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.means import Errors


class Regression(Task):
    """A number of the net for each of K numbers, learnt standardised, judged in their own units.

    ``mse``, ``rmse``, ``mae``: over samples, then the mean of the K. ``r2``: 1 - Σ(true - predicted)² / Σ(true - mean)²
    of the split at hand, the mean of the K. ``spearman``: the correlation of ranks, and ``concordance``: the part of
    pairs in their true order, means of the K (validation and test). With several numbers each has its own too.
    """

    hands: ClassVar[str | None] = "value"
    takes_features: ClassVar[bool] = True
    takes_terms: ClassVar[bool] = True
    answer: Value

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        answer = parts.facts.targets[parts.target or "value"]
        assert isinstance(answer, Value)
        self.answer = answer

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        given, others = split_answer(self.outputs(batch))
        truth = {"value": self.answer.standardised(batch["value"])}
        heads = [term for one in others for term in self._terms(one, truth, stage)]
        terms = self.with_heads(self._terms(given, truth, stage), heads)
        return StepOutput(terms, self.answer.in_units(given.detach().float()), batch["value"])

    def _terms(self, given: Tensor, truth: Batch, stage: Stage) -> list[Term]:
        assert self.loss is not None
        return self.loss.terms(given, truth, stage == "train")

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        metrics: dict[str, nn.Module] = {"errors": Errors(len(self.answer.names))}
        if stage != "train":
            from torchmetrics import CatMetric

            metrics[PAIRS] = CatMetric(nan_strategy="disable")
        return metrics

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        # counted without units: sums of squares of large numbers would lose what lies between them
        metrics["errors"].update(*(self.answer.standardised(one) for one in (output.predictions, output.targets)))
        if PAIRS in metrics:
            metrics[PAIRS].update(torch.cat([output.targets, output.predictions], 1))

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        std = torch.tensor(self.answer.std or [1.0] * len(self.answer.names), dtype=torch.float64)
        errors = metrics["errors"].compute()
        each = {
            "r2": errors.r2,
            "rmse": errors.squared.sqrt() * std,
            "mae": errors.absolute * std,
            "mse": errors.squared * std**2,
        }
        tables = {}
        if PAIRS in metrics:
            pairs = metrics[PAIRS].compute().cpu().reshape(-1, 2 * len(std))
            each["spearman"] = _rank_correlation(pairs)
            columns = pairs.double().numpy().T
            ordered = [concordance(true, said) for true, said in zip(*np.split(columns, 2), strict=True)]
            each["concordance"] = torch.tensor(ordered, dtype=torch.float64)
            tables = {PAIRS: pairs.numpy()}
        vectors = {name: values.tolist() for name, values in each.items()} if len(std) > 1 else {}
        return Readings({name: float(values.mean()) for name, values in each.items()}, vectors, tables)

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        true, said = (one.cpu().numpy() for one in (output.targets, output.predictions))
        columns = {"index": batch["index"].cpu().numpy()}
        for place, name in enumerate(self.answer.names):
            columns |= {f"{name}_true": true[:, place], f"{name}_predicted": said[:, place]}
        error = self.answer.standardised(output.predictions) - self.answer.standardised(output.targets)
        return columns | {"error": error.square().mean(1).sqrt().cpu().numpy()}

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[np.ndarray]:
        """The numbers (K,) of each sample, in their units."""
        return list(self.answer.in_units(self.outputs(batch).float()).cpu().numpy())


def _rank_correlation(pairs: Tensor) -> Tensor:
    """Spearman's ρ of K true and K predicted numbers, (N, 2K) → (K,); NaN where all are equal."""
    from scipy.stats import rankdata

    ranks = torch.from_numpy(rankdata(pairs.numpy(), axis=0))
    centred = ranks - ranks.mean(0)
    true, said = centred.chunk(2, 1)
    return (true * said).sum(0) / (true.square().sum(0) * said.square().sum(0)).sqrt()

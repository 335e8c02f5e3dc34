"""Embeddings: samples of one identity lie near each other, whether a net has met the identity before or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.identity import Identity
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.losses.term import at_least_single
from cnnexp.models.auxiliary import split_answer
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.pair_sheets import drawn
from cnnexp.tasks.pixel_rows import rows_of_pixels
from cnnexp.tasks.verification import EMBEDDINGS, Decided, Embedded, choose, counted, packed, scores, told, unpacked

KNOWN = "the test has identities that were trained on, so its scores say less of others"


class MetricLearning(Task):
    """The last layer answers an embedding, which is brought to length 1; two are as similar as their cosine.

    Validation and test are over pairs of samples: ``auc`` under the ROC curve, ``equal_error``, ``accuracy`` at the
    threshold that the last validation chose (as if there were as many pairs of one identity as of two),
    ``false_accepts`` and ``false_rejects`` at it, and ``recall_at_1``, how often the nearest other sample is of the
    same identity. Beside them ``pixels_auc`` and ``pixels_recall_at_1``, the same of the samples themselves.

    Args:
        embedding: numbers in an embedding, at least 2. false_accepts: part of the pairs of two identities that the
            threshold may accept in the validation; None for the threshold with the best accuracy there.
    """

    hands: ClassVar[str | None] = "identity"
    least_classes: ClassVar[int] = 2
    sized_by: ClassVar[str | None] = "embedding"

    answer: Identity
    decided: Decided

    def __init__(self, parts: Parts, *, embedding: int, false_accepts: float | None) -> None:
        super().__init__(parts)
        if embedding < 2:
            raise InputError(f"task.embedding={embedding}: of one number all directions are two; take at least 2")
        answer = parts.facts.targets[parts.target or ""]
        assert isinstance(answer, Identity)
        self.answer, self.false_accepts = answer, false_accepts
        self.decided = Decided()
        self.register_buffer("rows_trained", torch.tensor(answer.rows), persistent=False)

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        """Identities that are trained on, for losses that have a direction for each."""
        trained = getattr(facts.targets[target or ""], "trained", None)
        return len(facts.names(target) if trained is None else trained)

    @property
    def evaluates_loss(self) -> bool:
        return False

    @property
    def comparable(self) -> bool:
        return False

    def embedded(self, answer: Tensor) -> Tensor:
        """What the last layer says, (B, d), at length 1."""
        if answer.ndim != 2:
            raise InputError(
                f"model: answers {tuple(answer.shape[1:])} for each {self.facts.input.noun}, and an embedding is one "
                "row of numbers; take a net that has one answer for a whole one"
            )
        return functional.normalize(at_least_single(answer), dim=1)

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        answer, others = split_answer(self.outputs(batch))
        embedding = self.embedded(answer)
        if stage != "train":
            return StepOutput([], embedding.detach(), (batch["index"], batch["label"]))
        assert self.loss is not None
        rows: Any = self.rows_trained
        truth = {"identity": rows.to(embedding.device)[batch["label"]], "sample": batch["index"]}
        heads = [term for one in others for term in self.loss.terms(self.embedded(one), truth, True)]
        return StepOutput(self.with_heads(self.loss.terms(embedding, truth, True), heads), embedding.detach())

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        from torchmetrics import CatMetric

        return {EMBEDDINGS: CatMetric(nan_strategy="disable")}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        if metrics:
            index, label = output.targets
            metrics[EMBEDDINGS].update(packed(index, label, output.predictions))

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        if not metrics:
            return Readings({})
        found = unpacked(metrics[EMBEDDINGS].compute())
        pairs = told(found)
        if pairs is None:
            return Readings({})
        if stage == "val":
            self.decided.keep(choose(*pairs, self.false_accepts))
        values = scores(found, *pairs, self.decided.threshold)
        counts = counted(pairs[0], found.identity, self.answer.rows)
        known = counts["identities of the test"]["trained on"]
        return Readings(values, counts=counts, remark=KNOWN if known else None)

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        index, label = output.targets
        return {
            "index": index.cpu().numpy(),
            "target": label.cpu().numpy(),
            "embedding": output.predictions.float().cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[NDArray[np.float32]]:
        """The embedding of each sample, float32 (d,)."""
        answer, _ = split_answer(self.outputs(batch))
        return list(self.embedded(answer).float().cpu().numpy())

    def reference(self, data: Data) -> dict[str, float]:
        found = Embedded(*rows_of_pixels(self, data, "test"))
        pairs = told(found)
        if pairs is None:
            return {}
        values = scores(found, *pairs, None)
        return {f"pixels_{name}": values[name] for name in ("auc", "recall_at_1")}

    def gallery(self, data: Data, predictions: Columns) -> dict[str, Any]:
        return drawn(self, data, predictions)

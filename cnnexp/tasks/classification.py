"""One class for each sample, or for each part of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.models.auxiliary import split_answer
from cnnexp.statistics.concordance import concordance
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.means import Confusion, Hits

if TYPE_CHECKING:
    from cnnexp.data.loading import Data

TOP, AUC = 5, "auc"
_AT_ONCE = 256


class Classification(Task):
    """Logits (B, K), or (B, K, T) for T parts; accuracy, top-5 (with more than five classes), the confusion matrix.

    ``auc`` of two classes: the area under the ROC curve (validation and test).

    Where the data has n < K classes, ``accuracy_of_n`` and ``top5_of_n`` are what would be if the net had to choose
    among those alone; the others stay over all K.
    """

    hands: ClassVar[str | None] = "label"
    least_classes: ClassVar[int] = 2
    judged_by: ClassVar[str | None] = "accuracy"
    takes_features: ClassVar[bool] = True
    takes_terms: ClassVar[bool] = True

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = parts.facts.targets[parts.target or "label"]

    def see(self, data: Data) -> None:
        """Let a net that keeps something of all training samples have them, with their labels."""
        remember = getattr(self.net, "remember", None)
        if remember is not None:
            remember(self._training_samples(data))

    def _training_samples(self, data: Data) -> Iterator[tuple[Tensor, Tensor]]:
        split = data.split("train")
        for part in torch.from_numpy(data.train_positions()).split(_AT_ONCE):
            batch = self.preparation(split.batch(part), False, 0)
            (given,) = self.facts.input.arguments(batch)
            yield given, batch["label"]

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        return self.judge(self.outputs(batch), batch, stage)

    def judge(self, answer: Any, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        train = stage == "train"
        logits, others = split_answer(answer)
        heads = [term for one in others for term in self.loss.terms(one, batch, train)]
        terms = self.with_heads(self.loss.terms(logits, batch, train), heads)
        return StepOutput(terms, logits.detach(), batch["label"])

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        classes = len(self.answer.names)
        metrics: dict[str, nn.Module] = {"confusion": Confusion(classes)}
        if stage != "train" and classes > TOP:
            metrics["top5"] = Hits(TOP)
        if stage != "train" and classes == 2:
            from torchmetrics import CatMetric

            metrics[AUC] = CatMetric(nan_strategy="disable")
        for name, k in self._among_shown.items():
            if stage != "train":
                metrics[name] = Hits(k)
        return metrics

    @property
    def _among_shown(self) -> dict[str, int]:
        """Names of the metrics over the data's classes alone, and among how many best answers the truth has to be."""
        if self.facts.shown is None:
            return {}
        count = len(self.facts.shown)
        return {f"accuracy_of_{count}": 1} | ({f"top5_of_{count}": TOP} if count > TOP else {})

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        metrics["confusion"].update(output.predictions.argmax(1), output.targets)
        if "top5" in metrics:
            metrics["top5"].update(output.predictions, output.targets)
        if AUC in metrics:
            score = output.predictions[:, 1] - output.predictions[:, 0]
            metrics[AUC].update(torch.stack([output.targets.flatten().to(score), score.flatten()], 1))
        among = [metrics[name] for name in self._among_shown if name in metrics]
        if among:
            others = torch.ones(len(self.answer.names), dtype=torch.bool, device=output.predictions.device)
            others[list(self.facts.shown or ())] = False
            scores = output.predictions.masked_fill(others.view(-1, *[1] * (output.predictions.ndim - 2)), -torch.inf)
            for one in among:
                one.update(scores, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        confusion = metrics["confusion"].compute().double()
        correct, count = confusion.diagonal(), confusion.sum(1)
        values = {"accuracy": float(correct.sum() / count.sum().clamp(min=1))}
        if "top5" in metrics:
            values["top5"] = metrics["top5"].compute()
        if AUC in metrics:
            label, score = metrics[AUC].compute().double().cpu().reshape(-1, 2).numpy().T
            values[AUC] = concordance(label, score)
        values |= {name: metrics[name].compute() for name in self._among_shown if name in metrics}
        return Readings(values, {"accuracy": (correct / count).tolist()}, {"confusion": confusion.long().numpy()})

    def outcomes(self, output: StepOutput) -> Tensor:
        right = (output.predictions.argmax(1) == output.targets).view(len(output.targets), -1)
        return torch.stack([right, torch.ones_like(right)], 1).long().sum(2)

    @staticmethod
    def score_of(sums: np.ndarray) -> np.ndarray:
        return sums[..., 0] / sums[..., 1]

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        probability, prediction = output.predictions.softmax(1).max(1)
        index, parts = batch["index"].cpu().numpy(), output.targets[0].numel()
        columns = {"index": index.repeat(parts)}
        if output.targets.ndim > 1:
            columns["part"] = np.tile(np.arange(parts), len(index))
        return columns | {
            "target": output.targets.flatten().cpu().numpy(),
            "prediction": prediction.flatten().cpu().numpy(),
            "probability": probability.float().flatten().cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[np.ndarray]:
        """Probabilities (K,) of each sample, or (K, T) of its parts."""
        return list(self.outputs(batch).float().softmax(1).cpu().numpy())

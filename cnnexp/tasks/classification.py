"""One class for each picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.data.module import PictureData
from cnnexp.models.auxiliary import split_answer
from cnnexp.tasks.base import Batch, Columns, Stage, StepOutput, Task, as_pictures
from cnnexp.tasks.means import Confusion, Hits
from cnnexp.visualize.confusion import draw_confusion
from cnnexp.visualize.grid import draw_grid, grid_image


class Classification(Task):
    """Cross entropy over logits (B, K); accuracy, top-5 (with more than five classes), the confusion matrix."""

    uses_label_smoothing: ClassVar[bool] = True
    uses_class_weights: ClassVar[bool] = True
    uses_mixed_labels: ClassVar[bool] = True
    judged_by: ClassVar[str | None] = "accuracy"
    takes_features: ClassVar[bool] = True

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        logits, others = split_answer(self.outputs(batch))
        loss, count = self._loss(logits, batch, stage)
        auxiliary = self.of_heads([self._loss(one, batch, stage)[0] for one in others])
        return StepOutput(loss, count, logits.detach(), batch["label"], auxiliary=auxiliary)

    def _loss(self, logits: Tensor, batch: Batch, stage: Stage) -> tuple[Tensor, int | Tensor]:
        """The mean cross entropy, and what it is a mean over."""
        smoothing = self.parts.regularization.label_smoothing if stage == "train" else 0.0
        if "mix" in batch:
            return self._mixed_loss(logits, batch, smoothing)
        label = batch["label"]
        loss = functional.cross_entropy(logits, label, self.class_weights, label_smoothing=smoothing)
        return loss, self.count_of(label)

    def _mixed_loss(self, logits: Tensor, batch: Batch, smoothing: float) -> tuple[Tensor, int | Tensor]:
        """The loss against the own and the mixed label, each by its share (mixup and cutmix)."""
        own, other = (
            functional.cross_entropy(logits, label, self.class_weights, label_smoothing=smoothing, reduction="none")
            for label in (batch["label"], batch["mixed_label"])
        )
        losses = torch.lerp(other, own, batch["mix"].to(own.dtype))
        if self.class_weights is None:
            return losses.mean(), len(losses)
        weights = torch.lerp(
            self.class_weights[batch["mixed_label"]], self.class_weights[batch["label"]], batch["mix"].to(losses.dtype)
        )
        return losses.sum() / weights.sum(), weights.sum()

    def count_of(self, label: Tensor) -> int | Tensor:
        """What the loss is a mean over: the samples, or the sum of their classes' weights."""
        return len(label) if self.class_weights is None else self.class_weights[label].sum()

    def class_counts(self, data: PictureData) -> list[int]:
        labels = data.split("train").labels_for_strata()
        assert labels is not None
        taking_part = labels[torch.from_numpy(data.train_positions())]
        return torch.bincount(taking_part, minlength=len(self.parts.facts.classes)).tolist()

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        classes = len(self.parts.facts.classes)
        metrics: dict[str, nn.Module] = {"confusion": Confusion(classes)}
        if stage != "train" and classes > 5:
            metrics["top5"] = Hits(5)
        return metrics

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        metrics["confusion"].update(output.predictions.argmax(1), output.targets)
        if "top5" in metrics:
            metrics["top5"].update(output.predictions, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> dict[str, float]:
        confusion = metrics["confusion"].compute().double()
        correct, total = confusion.diagonal(), confusion.sum(1)
        values = {"accuracy": float(correct.sum() / total.sum().clamp(min=1))}
        if "top5" in metrics:
            values["top5"] = metrics["top5"].compute()
        self.vectors[f"{stage}/accuracy"] = (correct / total).tolist()
        if stage == "test":
            self.tables["confusion"] = confusion.long().numpy()
        return values

    def outcomes(self, output: StepOutput) -> Tensor:
        right = output.predictions.argmax(1) == output.targets
        return torch.stack([right, torch.ones_like(right)], 1).long()

    @staticmethod
    def score_of(sums: np.ndarray) -> np.ndarray:
        return sums[..., 0] / sums[..., 1]

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        probability, prediction = output.predictions.softmax(1).max(1)
        return {
            "index": batch["index"].cpu().numpy(),
            "target": output.targets.cpu().numpy(),
            "prediction": prediction.cpu().numpy(),
            "probability": probability.float().cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, image: Tensor) -> list[np.ndarray]:
        """Probabilities (K,) of each picture."""
        return list(self.net(image).float().softmax(1).cpu().numpy())

    def answer(self, prediction: np.ndarray, picture: np.ndarray) -> dict[str, Any]:
        best = np.argsort(-prediction)[:5]
        top = [{"label": self.parts.facts.classes[i], "probability": round(float(prediction[i]), 6)} for i in best]
        return {**top[0], "top": top}

    def image(self, picture: np.ndarray, prediction: np.ndarray, truth: Batch | None = None) -> Image.Image:
        classes, best = self.parts.facts.classes, int(prediction.argmax())
        wrong = truth is not None and int(truth["label"][0]) != best
        true = f", is {classes[int(truth['label'][0])]}" if wrong and truth is not None else ""
        return grid_image([picture], [f"{classes[best]} {prediction[best]:.2f}{true}"], marked=[0] if wrong else [])

    def draw_test(self, batch: Batch, folder: Path) -> None:
        facts, batch = self.parts.facts, self.normalisation.centre(batch)
        draw_confusion(self.tables["confusion"], facts.classes, folder / "confusion.png", title=facts.name)
        predictions = self.predict(self.prepare(batch, train=False)["image"])
        best = [int(one.argmax()) for one in predictions]
        wrong = [i for i, one in enumerate(best) if one != int(batch["label"][i])]
        captions = [
            facts.classes[one] + (f" not {facts.classes[int(batch['label'][i])]}" if i in wrong else "")
            for i, one in enumerate(best)
        ]
        draw_grid(as_pictures(batch["image"]), captions, folder / "predictions.png", columns=10, marked=wrong)

"""None, one or several classes for each picture."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics.classification import MultilabelAveragePrecision

from cnnexp.models.auxiliary import split_answer
from cnnexp.tasks.base import Batch, Columns, Stage, StepOutput, Task, as_pictures
from cnnexp.tasks.means import LabelHits
from cnnexp.visualize.grid import draw_grid, grid_image

THERE_FROM = 0.5
"""The probability from which a class counts as being there."""
NOTHING = "nothing"


class MultiLabel(Task):
    """A sigmoid for each class: binary cross entropy over logits (B, K), the mean over pictures and classes.

    Mean average precision over the classes (``map``; classes of which the pictures have none are left out), the mean of
    the classes' F1 (``f1``), the part of the labels that are right (``accuracy``) and of the pictures of which all are
    (``exact``); the last three from a probability of 0.5 on.
    """

    takes_features: ClassVar[bool] = True

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        logits, others = split_answer(self.outputs(batch))
        shown = self._shown(batch)
        loss = functional.binary_cross_entropy_with_logits(logits, shown)
        heads = self.of_heads([functional.binary_cross_entropy_with_logits(one, shown) for one in others])
        return StepOutput(loss, len(shown), logits.detach(), shown, auxiliary=heads)

    def _shown(self, batch: Batch) -> Tensor:
        """Which classes are in which picture, floats 0 or 1 of (B, K): those of its boxes, or its one label."""
        classes = len(self.parts.facts.classes)
        if "classes" not in batch:
            return functional.one_hot(batch["label"], classes).float()
        there = batch["classes"].new_zeros(len(batch["classes"]), classes + 1)
        # what fills up the rows of boxes, NO_CLASS = -1, falls into a column of its own, the last
        return there.scatter(1, batch["classes"] % (classes + 1), 1)[:, :classes].float()

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        metrics: dict[str, nn.Module] = {"hits": LabelHits(len(self.parts.facts.classes))}
        if stage != "train":
            metrics["map"] = MultilabelAveragePrecision(len(self.parts.facts.classes), average="none")
        return metrics

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        probability, shown = output.predictions.float().sigmoid(), output.targets.bool()
        metrics["hits"].update(probability >= THERE_FROM, shown)
        if "map" in metrics:
            metrics["map"].update(probability, shown.long())

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> dict[str, float]:
        hits = metrics["hits"].compute()
        if "map" not in metrics:
            return hits.values()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "No positive samples")  # such classes are NaN here
            found = metrics["map"].compute()
        precision = found.double().cpu().where(hits.shown > 0, torch.nan)
        self.vectors[f"{stage}/map"] = precision.tolist()
        return {"map": float(precision.nanmean().nan_to_num()), **hits.values()}

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        there, shown = output.predictions.sigmoid() >= THERE_FROM, output.targets.bool()
        return {
            "index": batch["index"].cpu().numpy(),
            "targets": np.array([self._names(one) for one in shown.cpu().numpy()]),
            "predictions": np.array([self._names(one) for one in there.cpu().numpy()]),
            "label_accuracy": (there == shown).float().mean(1).cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, image: Tensor) -> list[np.ndarray]:
        """Probabilities (K,) of each picture."""
        return list(self.net(image).float().sigmoid().cpu().numpy())

    def answer(self, prediction: np.ndarray, picture: np.ndarray) -> dict[str, Any]:
        order = np.argsort(-prediction, kind="stable")
        named = [{"label": self.parts.facts.classes[i], "probability": round(float(prediction[i]), 6)} for i in order]
        return {"labels": [one for one in named if one["probability"] >= THERE_FROM], "all": named}

    def image(self, picture: np.ndarray, prediction: np.ndarray, truth: Batch | None = None) -> Image.Image:
        there = prediction >= THERE_FROM
        true = there if truth is None else self._shown(truth)[0].bool().numpy()
        return grid_image([picture], [self._caption(there, true)], marked=[] if (there == true).all() else [0])

    def draw_test(self, batch: Batch, folder: Path) -> None:
        batch = self.normalisation.centre(batch)
        found = np.stack(self.predict(self.prepare(batch, train=False)["image"])) >= THERE_FROM
        shown = self._shown(batch).bool().cpu().numpy()
        captions = [self._caption(*pair) for pair in zip(found, shown, strict=True)]
        wrong = np.flatnonzero((found != shown).any(1)).tolist()
        draw_grid(as_pictures(batch["image"]), captions, folder / "predictions.png", columns=10, marked=wrong)

    def _caption(self, there: np.ndarray, true: np.ndarray) -> str:
        found = self._names(there)
        return found if (there == true).all() else f"{found} not {self._names(true)}"

    def _names(self, there: np.ndarray) -> str:
        return " + ".join(self.parts.facts.classes[i] for i in np.flatnonzero(there)) or NOTHING

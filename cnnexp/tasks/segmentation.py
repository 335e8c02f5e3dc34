"""One class for each pixel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.data.base import VOID, Facts
from cnnexp.data.module import PictureData
from cnnexp.tasks.base import Batch, Columns, Stage, StepOutput, Task, at_least_one
from cnnexp.tasks.means import Confusion
from cnnexp.visualize.masks import masks_image


class Segmentation(Task):
    """Cross entropy over the pixels that are not void; pixel accuracy, mean IoU, Dice.

    Mean IoU and Dice come from the confusion matrix of all pixels of the split, over the classes that occur in target
    or prediction. ``dice`` leaves the background out, where the data set names its first class so.
    """

    uses_class_weights: ClassVar[bool] = True
    judged_by: ClassVar[str | None] = "miou"

    @classmethod
    def num_outputs(cls, facts: Facts) -> int:
        return len(facts.mask_classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.parts.facts.mask_classes

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        logits, mask = self.net(batch["image"]), batch["mask"].long()
        valid = mask != VOID
        count = valid.sum() if self.class_weights is None else self.class_weights[mask[valid]].sum()
        total = functional.cross_entropy(logits, mask, self.class_weights, ignore_index=VOID, reduction="sum")
        return StepOutput(total / at_least_one(count), count, logits.detach().argmax(1), mask)

    def class_counts(self, data: PictureData) -> list[int]:
        split, classes = data.split("train"), len(self.parts.facts.mask_classes)
        counts = torch.zeros(256, dtype=torch.int64)
        for positions in torch.from_numpy(data.train_positions()).split(256):
            counts += torch.bincount(split.batch(positions)["mask"].flatten(), minlength=256)
        return counts[:classes].tolist()

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        classes = len(self.parts.facts.mask_classes)
        return {"confusion": Confusion(classes, void=VOID)}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        metrics["confusion"].update(output.predictions, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> dict[str, float]:
        confusion = metrics["confusion"].compute().double()
        hit, target, predicted = _margins(confusion)
        iou, dice = hit / (target + predicted - hit), 2 * hit / (target + predicted)
        self.vectors[f"{stage}/iou"] = iou.tolist()
        self.vectors[f"{stage}/dice"] = dice.tolist()
        if stage == "test":
            self.tables["confusion"] = confusion.long().numpy()
        first = 1 if self.parts.facts.mask_classes[0] == "background" else 0
        return {
            "pixel_accuracy": float(hit.sum() / target.sum().clamp(min=1)),
            "miou": float(iou.nanmean()),
            "dice": float(dice[first:].nanmean()),
        }

    def outcomes(self, output: StepOutput) -> Tensor:
        """A confusion matrix of each picture."""
        classes = len(self.parts.facts.mask_classes)
        sample = torch.arange(len(output.targets), device=output.targets.device)[:, None, None]
        cell = (sample * classes + output.targets) * classes + output.predictions
        counts = torch.bincount(cell[output.targets != VOID], minlength=len(output.targets) * classes**2)
        return counts.view(len(output.targets), classes**2)

    @staticmethod
    def score_of(sums: np.ndarray) -> np.ndarray:
        classes = math.isqrt(sums.shape[-1])
        hit, target, predicted = _margins(torch.from_numpy(sums).unflatten(-1, (classes, classes)))
        return (hit / (target + predicted - hit)).nanmean(-1).numpy()

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        valid = output.targets != VOID
        right = ((output.predictions == output.targets) & valid).flatten(1).sum(1)
        pixels = valid.flatten(1).sum(1)
        return {
            "index": batch["index"].cpu().numpy(),
            "pixels": pixels.cpu().numpy(),
            "pixel_accuracy": (right / pixels.clamp(min=1)).cpu().numpy(),
            "mask": output.predictions.to(torch.uint8).cpu().numpy(),
        }

    @torch.no_grad()
    def predict(self, image: Tensor) -> list[np.ndarray]:
        """Class of each pixel, uint8 (H, W), of each picture."""
        return list(self.net(image).argmax(1).to(torch.uint8).cpu().numpy())

    def answer(self, prediction: np.ndarray, picture: np.ndarray) -> dict[str, Any]:
        parts = np.bincount(prediction.ravel(), minlength=len(self.parts.facts.mask_classes)) / prediction.size
        shares = zip(self.parts.facts.mask_classes, parts, strict=True)
        return {"area": {name: round(float(part), 6) for name, part in shares if part}}

    def image(self, picture: np.ndarray, prediction: np.ndarray, truth: Batch | None = None) -> Image.Image:
        names = self.parts.facts.mask_classes
        true = None if truth is None else truth["mask"][0].numpy()
        background = 0 if names[0] == "background" else None
        return masks_image(picture, sized(prediction, picture), names, truth=true, background=background)


def _margins(confusion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of each class that are right, that are of it and that were called it, (..., K) of (..., K, K)."""
    return confusion.diagonal(dim1=-2, dim2=-1), confusion.sum(-1), confusion.sum(-2)


def sized(mask: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A mask (h, w) at a picture's size (H, W), each pixel the nearest one."""
    height, width = picture.shape[:2]
    if mask.shape == (height, width):
        return mask
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))

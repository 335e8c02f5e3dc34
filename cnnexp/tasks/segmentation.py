"""One class for each pixel, or each voxel of a volume."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.mask import Mask
from cnnexp.augmentation.motion import VOID
from cnnexp.errors import InputError
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.boundaries import BoundaryScores
from cnnexp.tasks.finders import with_draws
from cnnexp.tasks.means import Confusion
from cnnexp.tasks.tiles import in_tiles, is_larger, sight_of


class Segmentation(Task):
    """Logits (B, K, H, W), or (B, K, D, H, W) of volumes; pixel accuracy, mean IoU, Dice, over what is not void.

    Mean IoU and Dice come from the confusion matrix of all pixels of the split, over the classes that occur in target
    or prediction. ``dice`` leaves the background out, where the data set names a class so. The test of pictures has
    ``boundary_f1`` beside them (``boundaries.py``), which takes longer than all others together.

    A net that learns from windows answers ``drawn(x, mask, draws)`` with their logits (N, K, 1, 1) and the classes
    (N, 1, 1) of their middles, of pictures and masks with 255 for void; evaluations ask it for whole masks. Training
    has no scores then: windows do not show the classes as often as masks do, so they could not be compared.

    Args:
        boundary_tolerance: pixels by which a boundary may be missed, 0 or more; None for 0.75 % of the diagonal.

    Raises:
        InputError: a net whose answer is smaller than the mask; a loss of whole masks for a net of windows.
    """

    hands: ClassVar[str | None] = "mask"
    takes_terms: ClassVar[bool] = True
    least_classes: ClassVar[int] = 2
    judged_by: ClassVar[str | None] = "miou"
    answer: Mask

    def __init__(self, parts: Parts, *, boundary_tolerance: float | None = None) -> None:
        super().__init__(parts)
        self.boundary_tolerance = boundary_tolerance
        answer = parts.facts.targets[parts.target or "mask"]
        assert isinstance(answer, Mask)
        self.answer, self.draws = answer, hasattr(parts.net, "drawn")
        if getattr(parts.net, "shrinks_px", 0):
            raise InputError(
                "model.borders=none: the answer would be smaller than the masks; take mirrored to learn them"
            )
        if self.draws and parts.loss is not None and parts.loss.of_whole_masks:
            raise InputError(
                "loss: is of whole masks, and this net learns from windows, one pixel of each; take "
                "loss=pixel_cross_entropy or loss=pixel_focal"
            )

    @property
    def comparable(self) -> bool:
        """Windows are drawn from all classes alike, masks are as they are."""
        return not self.draws

    def prepare(self, batch: Batch, train: bool, epoch: int = 0) -> Batch:
        return with_draws(self.net, super().prepare(batch, train, epoch), self.parts.seed, train, epoch)

    def learn(self, batch: Batch, turn: str) -> StepOutput:
        if not self.draws:
            return super().learn(batch, turn)
        (x,) = self.facts.input.arguments(batch)
        logits, classes = self.net.drawn(x, batch["mask"].long(), batch["draws"])  # type: ignore[operator]
        return self.judge(logits, {"mask": classes}, "train")

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        return self.judge(self.outputs(batch), batch, stage)

    def judge(self, answer: Any, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        terms = self.loss.terms(answer, batch, stage == "train")
        return StepOutput(terms, answer.detach().argmax(1), batch["mask"].long())

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if self.draws and stage == "train":
            return {}
        metrics: dict[str, nn.Module] = {"confusion": Confusion(len(self.answer.names), void=VOID)}
        if stage == "test" and len(self.facts.input.shape) == len("CHW"):
            metrics["boundary_f1"] = BoundaryScores(self.boundary_tolerance)
        return metrics

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.predictions, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        if not metrics:
            return Readings({})
        confusion = metrics["confusion"].compute().double()
        hit, target, predicted = _margins(confusion)
        iou, dice = hit / (target + predicted - hit), 2 * hit / (target + predicted)
        values = {
            "pixel_accuracy": float(hit.sum() / target.sum().clamp(min=1)),
            "miou": float(iou.nanmean()),
            "dice": float(dice[self.answer.objects].nanmean()),
        }
        if "boundary_f1" in metrics:
            values["boundary_f1"] = metrics["boundary_f1"].compute()
        vectors = {"iou": iou.tolist(), "dice": dice.tolist()}
        return Readings(values, vectors, {"confusion": confusion.long().numpy()})

    def outcomes(self, output: StepOutput) -> Tensor:
        """A confusion matrix of each sample."""
        classes = len(self.answer.names)
        sample = torch.arange(len(output.targets), device=output.targets.device)
        sample = sample.view(-1, *[1] * (output.targets.ndim - 1))
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
    def predict(self, batch: Batch) -> list[Any]:
        """The class of each pixel, uint8 (H, W), or voxel of each sample; what is larger than samples are is tiled."""
        size = self.facts.input.example(1)[0].shape[2:]
        x = None if "features" in batch else self.facts.input.arguments(batch)[0]
        if x is not None and is_larger(x, size):
            sight = sight_of(self.net, len(size))
            said = in_tiles(self.net, x, sight, size=size, said=lambda logits: logits.softmax(1))
            return self.answer.said(said.argmax(1), batch)
        return self.answer.said(self.outputs(batch).argmax(1), batch)


def _margins(confusion: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of each class that are right, that are of it and that were called it, (..., K) of (..., K, K)."""
    return confusion.diagonal(dim1=-2, dim2=-1), confusion.sum(-1), confusion.sum(-2)

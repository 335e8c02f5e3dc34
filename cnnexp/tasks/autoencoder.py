"""Pictures through a bottleneck and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.picture import PictureAnswer
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.inputs.base import Picture
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task


class Autoencoder(Task):
    """Mean squared error between picture and reconstruction, pixels in [0, 1].

    Where training pictures get noise or holes, the reconstruction is held against the picture without them, moved and
    coloured alike: it learns to restore (Vincent et al. 2008, "Extracting and composing robust features with denoising
    autoencoders", section 2.3). Validation and test have neither.

    ``psnr`` is 10 log10(1 / mse) in decibels, of the mean squared error of the whole split.
    """

    hands: ClassVar[str | None] = "picture"
    normalises: ClassVar[bool] = False

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = PictureAnswer()
        parts.preparation.keep_clean()

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        return facts.input.shape[0]

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        (picture,) = self.facts.input.arguments(batch)
        picture = batch.get("clean", picture)
        reconstruction = self.outputs(batch)
        term = self.loss(reconstruction, {"picture": picture}, stage == "train")
        return StepOutput([term], reconstruction.detach(), picture)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        from torchmetrics import MeanSquaredError
        from torchmetrics.image import PeakSignalNoiseRatio

        return {"mse": MeanSquaredError(), "psnr": PeakSignalNoiseRatio(data_range=1.0)}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.predictions.contiguous(), output.targets.contiguous())

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        return Readings({name: float(metric.compute()) for name, metric in metrics.items()})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        error = (output.predictions - output.targets).square().flatten(1).mean(1)
        return {"index": batch["index"].cpu().numpy(), "mse": error.float().cpu().numpy()}

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[Picture]:
        """The reconstruction of each picture, uint8 (H, W, C)."""
        pixels: Tensor = self.outputs(batch).float().clamp(0, 1).mul(255).round().to(torch.uint8)
        return list(pixels.permute(0, 2, 3, 1).cpu().numpy())

    def reference(self, data: Data) -> dict[str, float]:
        """The mean squared error of PCA with as many components as the bottleneck has numbers."""
        from cnnexp.training.pca import pca_error

        components = getattr(self.net, "bottleneck", None)
        if not isinstance(components, int):
            return {}
        error = pca_error(data.split("train"), data.train_positions(), data.split("test"), components, self._pixels)
        return {} if error is None else {"pca_mse": error}

    def _pixels(self, batch: Batch) -> Tensor:
        """Stored pictures as the net sees them."""
        (picture,) = self.facts.input.arguments(self.preparation.stored(batch))
        return picture

"""Pictures through a bottleneck and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics import MeanSquaredError
from torchmetrics.image import PeakSignalNoiseRatio

from cnnexp.data.base import Facts
from cnnexp.data.module import PictureData
from cnnexp.data.pictures import fit_pictures
from cnnexp.tasks.base import Batch, Columns, Stage, StepOutput, Task, as_pictures
from cnnexp.training.pca import pca_error
from cnnexp.visualize.reconstructions import draw_reconstructions, reconstructions_image, squared_error


class Autoencoder(Task):
    """Mean squared error between picture and reconstruction, pixels in [0, 1].

    ``psnr`` is 10 log10(1 / mse) in decibels, of the mean squared error of the whole split.
    """

    normalises: ClassVar[bool] = False

    @classmethod
    def num_outputs(cls, facts: Facts) -> int:
        return facts.channels

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        image = batch["image"]
        reconstruction = self.net(image)
        loss = functional.mse_loss(reconstruction, image)
        return StepOutput(loss, len(image), reconstruction.detach(), image)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return {"mse": MeanSquaredError(), "psnr": PeakSignalNoiseRatio(data_range=1.0)} if stage != "train" else {}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.predictions.contiguous(), output.targets.contiguous())

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> dict[str, float]:
        return {name: float(metric.compute()) for name, metric in metrics.items()}

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        error = (output.predictions - output.targets).square().flatten(1).mean(1)
        return {"index": batch["index"].cpu().numpy(), "mse": error.float().cpu().numpy()}

    @torch.no_grad()
    def predict(self, image: Tensor) -> list[np.ndarray]:
        """The reconstruction of each picture, uint8 (H, W, C)."""
        return as_pictures(self.net(image).float().clamp(0, 1).mul(255).round().to(torch.uint8))

    def answer(self, prediction: np.ndarray, picture: np.ndarray) -> dict[str, Any]:
        error = squared_error(resized(picture, prediction), prediction)
        return {"mse": round(error, 6), "psnr": round(10 * float(np.log10(1 / max(error, 1e-12))), 2)}

    def image(self, picture: np.ndarray, prediction: np.ndarray, truth: Batch | None = None) -> Image.Image:
        return reconstructions_image([resized(picture, prediction)], [prediction])

    def draw_test(self, batch: Batch, folder: Path) -> None:
        batch = self.normalisation.centre(batch)
        predictions = self.predict(self.prepare(batch, train=False)["image"])
        draw_reconstructions(as_pictures(batch["image"]), predictions, folder / "reconstructions.png")

    def reference(self, data: PictureData) -> dict[str, float]:
        """The mean squared error of PCA with as many components as the bottleneck has numbers."""
        components = getattr(self.net, "bottleneck", None)
        if not isinstance(components, int) or self.parts.facts.decode_size is not None:
            return {}
        error = pca_error(data.split("train"), data.train_positions(), data.split("test"), components)
        return {} if error is None else {"pca_mse": error}


def resized(picture: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A picture at the size and in the channels of another, as the data set brings its own to the net."""
    size, channels = (like.shape[0], like.shape[1]), like.shape[2]
    tensor = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return as_pictures(fit_pictures(tensor, size, channels))[0]

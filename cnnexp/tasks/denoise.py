"""Noise taken from pictures."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from cnnexp.augmentation.sensor_noise import Level, NoiseKind, SensorNoise
from cnnexp.tasks.base import Parts
from cnnexp.tasks.restoration import Crop, Restoration

MEDIAN_PX = 3


class Noisy(SensorNoise):
    """Noise as a degradation: pictures of any size have it."""

    def fitted(self, picture: Tensor) -> Tensor:
        return picture


class Denoise(Restoration):
    """Pictures with noise, held against those without.

    In training the noise is another one in every epoch; in validation and test it belongs to the picture, so that the
    scores of all runs are about the same noisy pictures.

    Args:
        noise_kind: gaussian, or poisson: photons are counted.
        noise: standard deviation of gaussian noise, black 0 and white 1; [low, high] draws one for each sample.
        peak: photons that a white pixel counts on average, for poisson; [low, high] draws one for each sample.
        clip: whether noisy values are cut to [0, 1], as a file has them.
        crop: side of the training crops in pixels; auto is 64, or as large as the pictures are.
    """

    usual_crop_px: ClassVar[int] = 64

    def __init__(
        self, parts: Parts, *, noise_kind: NoiseKind, noise: Level, peak: Level, clip: bool, crop: Crop
    ) -> None:
        level = peak if noise_kind == "poisson" else noise
        super().__init__(parts, Noisy(noise_kind, level, clip, parts.seed), crop)

    def simple(self, given: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
        return {"noisy": given, "median": median(given)}


def median(picture: Tensor) -> Tensor:
    """The median of each 3x3 window of pictures (B, C, H, W), channels apart; edges are mirrored."""
    from scipy.ndimage import median_filter

    found: np.ndarray = median_filter(picture.cpu().numpy(), size=(1, 1, MEDIAN_PX, MEDIAN_PX), mode="reflect")
    return torch.from_numpy(found).to(picture)

"""Noise as a camera has it, a function of (seed, epoch, index of the sample): what a denoiser is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.noise import gaussian
from cnnexp.draws import fold, unit

NoiseKind = Literal["gaussian", "poisson"]
Level = float | tuple[float, float]

_KEY = 0xD01  # keeps these draws apart from those of the augmentation
_FIXED_KEY = 0xD02  # of evaluations, the same in every run


@dataclass(frozen=True)
class SensorNoise:
    """Gaussian noise of a standard deviation, or photons counted.

    Args:
        kind: ``gaussian`` adds a normal number to each value; ``poisson`` draws the count of photons of which a white
            pixel has ``peak`` on average: y = Poisson(peak x) / peak.
        level: the standard deviation of the one, the peak of the other; a pair is drawn from, evenly, by sample.
        clip: whether values are cut to [0, 1]. seed: of the run.
    """

    kind: NoiseKind
    level: Level
    clip: bool
    seed: int

    def __call__(self, picture: Tensor, index: Tensor, epoch: int | None) -> Tensor:
        """Pictures (B, C, H, W) in [0, 1] with noise.

        Args:
            index: int64 (B,), of the samples in their split. epoch: None for an evaluation, whose noise is the same in
                every run.
        """
        begun = fold(np.zeros((), np.uint64), *((_FIXED_KEY,) if epoch is None else (_KEY, self.seed, epoch)))
        state = fold(begun, index.cpu().numpy())
        levels = self._levels(unit(fold(state, 0)))
        keys = (fold(state, 1) >> np.uint64(33)).astype(np.int64)
        add = self._counted if self.kind == "poisson" else self._added
        noisy = add(picture, levels, keys)
        return noisy.clamp(0, 1) if self.clip else noisy

    def _levels(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = self.level if isinstance(self.level, tuple) else (self.level, self.level)
        return low + (high - low) * u

    @staticmethod
    def _added(picture: Tensor, levels: NDArray[np.float64], keys: NDArray[np.int64]) -> Tensor:
        numbers = gaussian(torch.from_numpy(keys.astype(np.int32)).to(picture.device), picture[0].numel())
        sigma = torch.from_numpy(levels).to(picture)
        return picture + sigma[:, None, None, None] * numbers.view(picture.shape).to(picture.dtype)

    @staticmethod
    def _counted(picture: Tensor, levels: NDArray[np.float64], keys: NDArray[np.int64]) -> Tensor:
        """By a generator of its own for each sample, on the processor: the same in any batch and on any device."""
        counts = [
            torch.poisson(one.float() * peak, generator=torch.Generator().manual_seed(key)) / peak
            for one, peak, key in zip(picture.cpu(), levels.tolist(), keys.tolist(), strict=True)
        ]
        return torch.stack(counts).to(picture)

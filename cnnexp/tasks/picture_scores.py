"""How near one picture is to another: PSNR and SSIM of each, and their means over a split."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from cnnexp.tasks.means import Sums

NAMES = ("psnr", "ssim")
WINDOW_PX = 11
_SIGMA_PX = 1.5
_LEAST_ERROR = 1e-10
"""Of two equal pictures, whose PSNR is 100 dB then and not infinite."""


def scores(answer: Tensor, truth: Tensor) -> Tensor:
    """PSNR in decibels and SSIM of each picture, float64 (B, 2); the answers are cut to [0, 1] first."""
    answer = answer.double().clamp(0, 1)
    return torch.stack([psnr(answer, truth), ssim(answer, truth)], 1)


def psnr(answer: Tensor, truth: Tensor) -> Tensor:
    """10 log10(1 / mean squared error) over the pixels and channels of each picture (B, C, H, W) in [0, 1]: (B,)."""
    error = (answer.double() - truth.double()).square().flatten(1).mean(1)
    return -10 * error.clamp(min=_LEAST_ERROR).log10()


def ssim(answer: Tensor, truth: Tensor) -> Tensor:
    """The structural similarity of pictures (B, C, H, W) in [0, 1], float64 (B,).

    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity", equation 13 with
    K = (0.01, 0.03), weights of a Gaussian of 1.5 pixels on 11x11, and the variances as means (no sample covariance).
    The mean is over the windows that lie inside the picture, and over the channels.
    """
    x, y = (one.double().flatten(0, 1)[:, None] for one in (answer, truth))
    near = torch.arange(WINDOW_PX, dtype=torch.float64, device=x.device) - WINDOW_PX // 2
    weights = (-0.5 * (near / _SIGMA_PX).square()).exp()
    weights = weights / weights.sum()
    maps = torch.cat([x, y, x * x, y * y, x * y], 1).flatten(0, 1)[:, None]
    means = conv2d(conv2d(maps, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    mean_x, mean_y, xx, yy, xy = means.view(len(x), 5, *means.shape[-2:]).unbind(1)
    first, second = 0.01**2, 0.03**2
    alike = (2 * mean_x * mean_y + first) * (2 * (xy - mean_x * mean_y) + second)
    apart = (mean_x**2 + mean_y**2 + first) * (xx - mean_x**2 + yy - mean_y**2 + second)
    return (alike / apart).flatten(1).mean(1).view(len(answer), -1).mean(1)


class PictureScores(Sums):
    """The means of the scores of single pictures."""

    def __init__(self) -> None:
        super().__init__(len(NAMES) + 1, torch.float64)

    @torch.no_grad()
    def update(self, of_each: Tensor) -> None:
        """Add a batch's ``scores``, (B, 2)."""
        self._on(of_each.device).add_(torch.cat([of_each.sum(0), of_each.new_tensor([len(of_each)])]))

    def compute(self) -> dict[str, float]:
        """By name, over all pictures of all processes."""
        total = self.total()
        return dict(zip(NAMES, (total[:-1] / total[-1].clamp(min=1)).tolist(), strict=True))

"""Mixup and cutmix of each sample with its neighbour in the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.holes import Rectangles, outside
from cnnexp.augmentation.lanes import Numbers

LANES = 6


class Mix(NamedTuple):
    """Whom each sample was mixed with.

    Attributes:
        partner: int64 (B,), a place in the batch. own: (B,), the weight of the own label, and 1 minus it that of the
            partner's.
    """

    partner: Tensor
    own: Tensor


@dataclass(frozen=True)
class Share:
    """How one kind of mixing draws a sample's own share.

    Args:
        alpha: of the symmetric Beta distribution; 0 switches it off.
        probability: that a sample is mixed so.
    """

    alpha: float
    probability: float

    @property
    def active(self) -> bool:
        return bool(self.alpha and self.probability)

    def own(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        """The own share, in [0.5, 1]: the larger of b and 1 - b for b from Beta(alpha, alpha).

        Devroye 1996, "Random variate generation in one line of code": a symmetric Beta from two uniform numbers.
        """
        with np.errstate(divide="ignore", over="ignore"):
            spread = np.expm1(-np.log1p(-u) / self.alpha) * np.cos(2 * np.pi * v) ** 2
            return 0.5 + 0.5 / np.sqrt(1 + 1 / spread)


class Mixup(Share):
    """A picture and its label, blended with its partner's (Zhang et al. 2017, "mixup")."""

    lanes: ClassVar[int] = LANES


class Cutmix(Share):
    """A rectangle of the partner in a picture, the labels shared by area (Yun et al. 2019, "CutMix")."""

    lanes: ClassVar[int] = LANES


@dataclass(frozen=True)
class Mixing:
    """Mixup (Zhang 2017) and cutmix (Yun 2019), one or none of them for each sample.

    A sample's partner is its neighbour: the first with the second, the third with the fourth. So the shares of a batch
    that several processes take are mixed as in one process, where each share is even. The last of an odd batch stays
    as it is. A sample's own share is at least a half, so that its own label is the one that metrics count.
    """

    mixup: Share
    cutmix: Share

    @property
    def active(self) -> bool:
        return self.mixup.active or self.cutmix.active

    def mix(self, image: Tensor, u: Numbers) -> tuple[Tensor, Mix]:
        """Finished pictures (B, C, H, W) → the same blended with their partners, and by how much."""
        count, (height, width) = len(image), image.shape[-2:]
        own, rectangles = self.shares(u, height, width)
        paired = np.arange(count) ^ 1 < count
        own, rectangles = np.where(paired, own, 1.0), rectangles * paired[:, None]
        areas = (rectangles[:, 2:] - rectangles[:, :2]).prod(1) / (height * width)
        partner = torch.from_numpy(np.where(paired, np.arange(count) ^ 1, np.arange(count))).to(image.device)
        weight = torch.from_numpy(own).to(image)[:, None, None, None]
        if rectangles.any():
            weight = weight * outside(rectangles, image)
        other = image.index_select(0, partner)
        mixed = torch.lerp(other, image, weight)
        return mixed, Mix(partner, torch.from_numpy(own - areas).to(image))

    def shares(self, u: Numbers, height: int, width: int) -> tuple[NDArray[np.float64], Rectangles]:
        """Of each sample the own share where it is blended (else 1), and the rectangle that the partner fills."""
        first, second = self._probabilities()
        blended, pasted = u[:, 0] < first, (u[:, 0] >= first) & (u[:, 0] < first + second)
        own = np.where(blended, self.mixup.own(u[:, 1], u[:, 2]), 1.0) if first else np.ones(len(u))
        if not second:
            return own, np.zeros((len(u), 4), np.int64)
        side = np.sqrt(1 - self.cutmix.own(u[:, 1], u[:, 2]))[:, None] * (width, height)
        centre = np.floor(u[:, 3:5] * (width, height))
        edges = np.concatenate([np.rint(centre - side / 2), np.rint(centre + side / 2)], 1).astype(np.int64)
        return own, edges.clip(0, (width, height, width, height)) * pasted[:, None]

    def _probabilities(self) -> tuple[float, float]:
        first, second = (share.probability if share.active else 0.0 for share in (self.mixup, self.cutmix))
        both = max(1.0, first + second)
        return first / both, second / both

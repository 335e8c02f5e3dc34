"""Pixels taken away, a function of (seed, epoch, index of the sample): what a denoising autoencoder is given."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cnnexp.augmentation.noise import random_bits, sample_keys

_KEY = 0xD03  # keeps these draws apart from those of noise


@dataclass(frozen=True)
class Masking:
    """A fixed part of the pixels is black, in all channels; which ones is drawn anew in every epoch.

    Source: Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders", section 2.3,
    where a fixed number of randomly chosen components are forced to 0.

    Args:
        part: of the pixels, in (0, 1); their number is rounded. seed: of the run.
    """

    part: float
    seed: int

    def fitted(self, picture: Tensor) -> Tensor:
        """Pictures of any size are masked as they are."""
        return picture

    def __call__(self, picture: Tensor, index: Tensor, epoch: int | None) -> Tensor:
        """Pictures (B, C, H, W) with holes.

        Args:
            index: int64 (B,), of the samples in their split. epoch: None for an evaluation, whose holes are the same in
                every run.
        """
        pixels = picture.shape[-2] * picture.shape[-1]
        bits = random_bits(sample_keys(_KEY, self.seed, epoch, index), pixels)
        rank = bits.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
        kept = rank >= round(self.part * pixels)
        return picture * kept.view(len(picture), 1, *picture.shape[-2:]).to(picture)

"""Pixels taken away: how many, in all channels, and the same again for the same sample."""

from __future__ import annotations

import torch

from cnnexp.augmentation.masking import Masking

WHITE, INDEX = torch.ones(6, 3, 10, 7), torch.arange(6)


def test_a_fixed_number_of_pixels_is_black_in_all_channels() -> None:
    masked = Masking(0.3, seed=0)(WHITE, INDEX, 0)
    assert ((masked == 0) | (masked == 1)).all()
    assert (masked == masked[:, :1]).all()
    assert (masked[:, 0] == 0).flatten(1).sum(1).tolist() == [21] * 6


def test_every_pixel_is_as_likely() -> None:
    masked = Masking(0.5, seed=0)(torch.ones(4000, 1, 4, 4), torch.arange(4000), 0)
    assert (masked.mean((0, 1)) - 0.5).abs().max() < 0.04  # five deviations of 4,000 tosses


def test_holes_belong_to_the_sample_the_epoch_and_the_seed() -> None:
    whole = Masking(0.5, seed=1)(WHITE, INDEX, 2)
    assert torch.equal(whole[2:4], Masking(0.5, seed=1)(WHITE[2:4], INDEX[2:4], 2))
    for other in (Masking(0.5, seed=2)(WHITE, INDEX, 2), Masking(0.5, seed=1)(WHITE, INDEX, 3)):
        assert not torch.equal(whole, other)
    fixed = Masking(0.5, seed=1)(WHITE, INDEX, None)
    assert torch.equal(fixed, Masking(0.5, seed=7)(WHITE, INDEX, None)) and not torch.equal(fixed, whole)

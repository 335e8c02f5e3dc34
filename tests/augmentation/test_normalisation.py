"""Stored pictures → normalised and back, and the cut around the centre."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms import functional

from cnnexp.augmentation.normalisation import Normalisation, fused
from tests.augmentation.made import pictures

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize(("mean", "std"), [(MEAN, STD), ((0.0,) * 3, (1.0,) * 3), ((0.99,) * 3, (0.004,) * 3)])
def test_undone_it_is_every_stored_value_again(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    image = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(2, 3, 16, 16).contiguous()
    made = Normalisation(mean, std, (16, 16))
    assert torch.equal(made.undone(made(image)), image)


def test_what_is_darker_than_black_is_shown_black() -> None:
    made = Normalisation(MEAN, STD, (1, 2))
    image = made(torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 3, 1, 2))
    beyond = image + torch.tensor([-5.0, 5.0])
    assert made.undone(beyond)[0, :, 0].tolist() == [[0, 255]] * 3


def test_a_picture_is_normalised_in_place_only_when_it_is_the_net_s_own() -> None:
    made = Normalisation(MEAN, STD, (6, 6))
    stored = pictures(6, 6)["image"]
    kept = stored.clone()
    made(stored)
    assert torch.equal(stored, kept)
    own = stored.float()
    assert made.finish(own).data_ptr() == own.data_ptr()
    before = stored.float()
    fused(before, None, made.scale, made.bias)
    assert torch.equal(before, kept.float())


@pytest.mark.parametrize("last", [False, True])
def test_in_either_order_of_memory_it_is_torchvisions(last: bool) -> None:
    image = pictures(5, 7)["image"]
    made = Normalisation(MEAN, STD, (5, 7), channels_last=last)
    result = made(image)
    expected = functional.normalize(image / 255, list(MEAN), list(STD))
    assert torch.allclose(result, expected, atol=1e-5)
    assert torch.allclose(fused(image, None, made.scale, made.bias), expected, atol=1e-5)
    assert result.is_contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def test_a_checkpoint_holds_nothing_of_it() -> None:
    """The configuration says it; weights of a net that was trained elsewhere have no such tensors."""
    assert not Normalisation(MEAN, STD, (5, 7)).state_dict()


@pytest.mark.parametrize("stored", [(9, 13), (8, 12), (9, 12), (6, 13), (7, 9)])
def test_the_cut_is_torchvisions_and_the_way_says_where_it_was(stored: tuple[int, int]) -> None:
    image = pictures(*stored)["image"]
    cut, motion = Normalisation(MEAN, STD, (6, 8), stored).centre(image)
    assert torch.equal(cut, functional.center_crop(image, [6, 8]))
    assert motion is not None and motion.cut is not None
    top, left = motion.cut
    # of the output's first pixel, from the centres of both pictures
    source = np.array([-3.5, -2.5]) + motion.way.offset[0] + (np.array(stored[::-1]) - 1) / 2
    assert source.tolist() == [left, top]
    assert torch.equal(cut, image[..., top : top + 6, left : left + 8])


@pytest.mark.parametrize("size", [(6, 8), (5, 8), (30, 30), (13, 9)])
def test_pictures_of_any_other_size_are_not_cut(size: tuple[int, int]) -> None:
    image = pictures(*size)["image"]
    cut, motion = Normalisation(MEAN, STD, (6, 8), (9, 13)).centre(image)
    assert cut is image and motion is None

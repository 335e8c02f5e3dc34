"""Shares and rectangles by hand, and how the two kinds of mixing divide the samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.augmentation.mixing import LANES, Mixing, Share

OFF = Share(0.0, 1.0)


def numbers(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array([(*row, *(0.0,) * (LANES - len(row))) for row in rows])


def test_an_own_share_by_hand() -> None:
    """Of Beta(1, 1), which is uniform: with v = 0 it is a half and half the root of u."""
    own = Share(1.0, 1.0).own(np.array([0.0, 0.25, 0.81]), np.zeros(3))
    assert own == pytest.approx([0.5, 0.75, 0.95])


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e3])
def test_no_draw_makes_a_share_that_is_no_number(alpha: float) -> None:
    last = np.nextafter(1.0, 0.0)
    u, v = (one.ravel() for one in np.meshgrid([0.0, 1e-300, 0.5, last], [0.0, 0.25, 0.5, last]))
    own = Share(alpha, 1.0).own(u, v)
    assert ((own >= 0.5) & (own <= 1)).all()


def test_a_pasted_rectangle_by_hand() -> None:
    """An own share of 3/4 leaves a rectangle of half of each side, around the centre drawn."""
    u = numbers((0.0, 0.25, 0.0, 0.25, 0.5), (0.0, 0.25, 0.0, 0.0, 0.0), (0.0, 0.25, 0.0, 0.99, 0.99))
    own, rectangles = Mixing(OFF, Share(1.0, 1.0)).shares(u, 20, 40)
    assert (own == 1).all(), "nothing is blended"
    assert rectangles.tolist() == [[0, 5, 20, 15], [0, 0, 10, 5], [29, 14, 40, 20]]


def test_the_label_s_share_is_what_can_be_seen_of_a_picture() -> None:
    u = numbers((0.0, 0.25, 0.0, 0.25, 0.5), (0.0, 0.25, 0.0, 0.0, 0.0))
    image = torch.stack([torch.zeros(1, 20, 40), torch.ones(1, 20, 40)])
    mixed, mix = Mixing(OFF, Share(1.0, 1.0)).mix(image, u)
    assert mix.partner.tolist() == [1, 0]
    assert mix.own.tolist() == pytest.approx([1 - 200 / 800, 1 - 50 / 800]), "less is pasted at the corner"
    assert mixed.sum((1, 2, 3)).tolist() == [200, 750]
    assert (image[0] == 0).all() and (image[1] == 1).all(), "the pictures given are kept"


@pytest.mark.parametrize(
    ("mixup", "cutmix", "blended", "pasted"),
    [
        (Share(1.0, 0.2), Share(1.0, 0.3), 0.2, 0.3),
        (Share(1.0, 1.0), Share(1.0, 0.5), 2 / 3, 1 / 3),
        (OFF, Share(1.0, 0.5), 0.0, 0.5),
        (Share(1.0, 0.5), OFF, 0.5, 0.0),
    ],
)
def test_each_sample_is_mixed_in_one_way_or_none(mixup: Share, cutmix: Share, blended: float, pasted: float) -> None:
    first = (np.arange(300) + 0.5) / 300
    u = np.tile(numbers((0.0, 0.5, 0.1, 0.5, 0.5)), (300, 1))
    u[:, 0] = first
    own, rectangles = Mixing(mixup, cutmix).shares(u, 16, 16)
    assert np.array_equal(own < 1, first < blended)
    assert np.array_equal(rectangles.any(1), (first >= blended) & (first < blended + pasted))


def test_half_precision_stays_half_precision() -> None:
    u = np.random.default_rng(0).random((4, LANES))
    for mixing in (Mixing(Share(1.0, 1.0), OFF), Mixing(OFF, Share(1.0, 1.0))):
        mixed, mix = mixing.mix(torch.rand(4, 3, 6, 6).bfloat16(), u)
        assert mixed.dtype == mix.own.dtype == torch.bfloat16

"""Masks cut into objects, and the mask that is learnt of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.tasks.cutting import Cut, Cutting, components, flooded, grown, mask_to_learn, watershed

TWO = np.array(
    [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [1, 0, 0, 1, 1, 1],
    ],
    bool,
)


def discs(*middles: tuple[float, float], radius: float = 8, size: int = 40) -> np.ndarray:
    down, across = np.mgrid[:size, :size]
    return np.logical_or.reduce([(down - y) ** 2 + (across - x) ** 2 <= radius**2 for y, x in middles])


def test_pixels_that_touch_by_their_sides_are_one_object() -> None:
    found = components(TWO)
    assert sorted(np.bincount(found.ravel()).tolist()) == [1, 4, 5, 14]
    assert found[0, 1] != found[2, 3], "corners do not hang together"


def test_a_watershed_divides_what_has_two_middles() -> None:
    """Two discs that overlap: the line between them stands in the middle, and each keeps its own side."""
    mask = discs((20, 13), (20, 25))
    assert components(mask).max() == 1
    found = watershed(mask, apart=5)
    assert set(np.unique(found)) == {0, 1, 2} and (found > 0).tolist() == mask.tolist()
    left, right = found[20, 13], found[20, 25]
    assert (found[:, :18][mask[:, :18]] == left).all() and (found[:, 21:][mask[:, 21:]] == right).all()
    assert watershed(discs((20, 20)), apart=5).max() == 1


def test_middles_that_are_near_are_one_and_small_parts_stay() -> None:
    mask = discs((20, 17), (20, 21))
    assert watershed(mask, apart=5).max() == 1
    mask[2, 2] = mask[37, 3] = True
    assert set(np.unique(watershed(mask, apart=5))) == {0, 1, 2, 3}
    beside = discs((20, 20), radius=5)
    beside[20, 27] = True  # nearer to the disc's middle than two middles may be
    assert watershed(beside, apart=9).max() == 2
    assert watershed(np.zeros((5, 5), bool), apart=3).max() == 0


@pytest.mark.parametrize("seed", range(3))
def test_water_rises_as_in_scikit_image(seed: int) -> None:
    from skimage.segmentation import watershed as theirs

    draw = np.random.default_rng(seed)
    height, inside = draw.random((30, 41)), draw.random((30, 41)) < 0.8
    middles = np.where(inside & (draw.random((30, 41)) < 0.01), np.arange(30 * 41).reshape(30, 41), 0)
    assert (flooded(height, middles, inside) == theirs(height, middles, mask=inside)).all()


def test_objects_grow_over_the_border_between_them_and_no_farther() -> None:
    labels = np.array([[1, 1, 0, 0, 0, 0, 2]], np.int32)
    between = np.array([[0, 0, 1, 1, 0, 1, 0]], bool)
    assert grown(labels, between, 1).tolist() == [[1, 1, 1, 0, 0, 2, 2]]
    assert grown(labels, between, 2).tolist() == [[1, 1, 1, 1, 0, 2, 2]]
    assert grown(np.zeros((1, 7), np.int32), between, 2).max() == 0


@pytest.mark.parametrize("cut", ["components", "watershed"])
def test_the_score_is_the_mean_probability_of_the_class_inside(cut: Cut) -> None:
    probabilities = np.zeros((4, 6, 8), np.float32)
    probabilities[0] = 1.0
    probabilities[:, 1:3, 1:4] = np.array([0.1, 0.3, 0.6, 0.0])[:, None, None]
    probabilities[:, 1, 1] = [0.1, 0.8, 0.1, 0.0]  # says otherwise, and the object is one all the same
    probabilities[:, 4:6, 6:8] = np.array([0.1, 0.9, 0.0, 0.0])[:, None, None]
    found = Cutting(cut, border=0, smallest=2, apart=3)(probabilities)
    order = found["scores"].argsort()
    assert found["labels"][order].tolist() == [1, 0]
    assert found["scores"][order].tolist() == pytest.approx([(5 * 0.6 + 0.1) / 6, 0.9])
    assert found["boxes"][order].tolist() == [[1, 1, 4, 3], [6, 4, 8, 6]]
    assert [int(mask.sum()) for mask in found["masks"][order]] == [6, 4]
    assert len(Cutting(cut, border=0, smallest=5, apart=3)(probabilities)["scores"]) == 1


def test_nothing_found_has_the_shapes_of_something() -> None:
    probabilities = np.zeros((3, 5, 7), np.float32)
    probabilities[0] = 1.0
    found = Cutting("components", 1, 1, 3)(probabilities)
    assert {name: tuple(one.shape) for name, one in found.items()} == {
        "boxes": (0, 4),
        "scores": (0,),
        "labels": (0,),
        "masks": (0, 5, 7),
    }


def test_the_mask_that_is_learnt() -> None:
    """Objects of classes 0 and 1 and one that is ignored; the first two touch, so a border runs between them."""
    numbers = torch.tensor([[[1, 1, 2, 2, 0, 0, 3], [1, 1, 2, 2, 0, 0, 3]]], dtype=torch.int16)
    batch = {"instances": numbers, "classes": torch.tensor([[0, 1, 1, NO_CLASS]])}
    assert mask_to_learn(batch, 2, border=0)[0, 0].tolist() == [1, 1, 2, 2, 0, 0, 2]
    assert mask_to_learn(batch, 2, border=1)[0, 0].tolist() == [1, 3, 3, 2, 0, 0, 2]
    batch["ignored"] = torch.tensor([[False, False, True, False]])
    assert mask_to_learn(batch, 2, border=1)[0, 0].tolist() == [1, 3, 3, 2, 0, 0, 255]
    gap = {"instances": numbers[:, :, [0, 4, 2]], "classes": torch.tensor([[0, 1]])}
    assert mask_to_learn(gap, 2, border=1)[0, 0].tolist() == [1, 0, 2]
    assert mask_to_learn(gap, 2, border=2)[0, 0].tolist() == [3, 0, 3], "never a pixel of the background"
    nothing = {"instances": numbers * 0, "classes": torch.empty(1, 0, dtype=torch.int64)}
    assert not mask_to_learn(nothing, 2, border=1).any()

"""Volumes as pictures: which slice is where, to scale, and masks in the same places."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.volumes import laid_out, seen_through, volume_picture, volumes_image

GAP = 3


def test_a_row_for_each_axis_with_three_slices_and_the_largest_value() -> None:
    rng = np.random.default_rng(0)
    volume = rng.integers(0, 255, (8, 12, 16), dtype=np.uint8)
    picture = volume_picture(volume[None], (0, 0, 0))
    assert picture.shape == (12 + GAP + 8 + GAP + 8, 4 * 16 + 3 * GAP, 1)
    panels = [picture[:12, (16 + GAP) * i : (16 + GAP) * i + 16, 0] for i in range(4)]
    for panel, slice_ in zip(panels, (volume[2], volume[4], volume[6], volume.max(0)), strict=True):
        assert np.array_equal(panel, slice_)
    across = picture[15:23, :16, 0]
    assert np.array_equal(across, volume[::-1, 3]), "the last slice on top"
    last = picture[26:, 3 * (12 + GAP) : 3 * (12 + GAP) + 12, 0]
    assert np.array_equal(last, volume.max(2)[::-1])
    assert (picture[:12, 16 : 16 + GAP] == 255).all()


def test_thick_slices_are_drawn_to_scale() -> None:
    volume = np.zeros((1, 4, 6, 6), np.uint8)
    volume[0, 3] = 200
    picture = volume_picture(volume, (2.5, 1.0, 1.0))
    assert picture.shape[0] == 6 + GAP + 10 + GAP + 10
    assert (picture[6 + GAP : 6 + GAP + 10, 0, 0] == 200).sum() in (2, 3), "a slice of four is a quarter of ten rows"
    assert picture[6 + GAP, 0, 0] == 200


def test_what_is_seen_of_a_mask_is_the_first_class_on_the_way() -> None:
    mask = np.zeros((4, 1, 3), np.uint8)
    mask[1:, 0, 0], mask[2, 0, 1] = (2, 1, 1), 1
    assert seen_through(0)(mask, 0).tolist() == [[2, 1, 0]]


def test_colours_lie_over_classes_and_the_truth_is_outlined() -> None:
    volume = np.full((1, 8, 8, 8), 100, np.uint8)
    truth, said = np.zeros((8, 8, 8), np.uint8), np.zeros((8, 8, 8), np.uint8)
    truth[:, 2:6, 2:6], said[:, 4:8, 4:8] = 1, 1
    places = [laid_out(one, (0, 0, 0), seen_through(0), 0) for one in (said, truth)]
    image = volumes_image(volume_picture(volume, (0, 0, 0)), places[0], ("a", "b"), truth=places[1], background=0)
    pixels = np.asarray(image).reshape(-1, 3)
    coloured = (pixels.max(1).astype(int) - pixels.min(1) > 20).sum()
    assert coloured > 0
    alone = volumes_image(volume_picture(volume, (0, 0, 0)), places[0], ("a", "b"), background=0)
    assert alone.width < image.width
    with pytest.raises(ValueError, match="alike"):
        volumes_image(volume_picture(volume, (0, 0, 0)), places[0][1:], ("a", "b"))

"""Errors and captions of restored pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnnexp.visualize.restored import error, legend, psnr, restored_row

TRUE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def test_an_error_is_the_largest_of_the_channels_four_times() -> None:
    answer = np.zeros((1, 3, 3), np.uint8)
    true = np.array([[[0, 10, 3], [0, 0, 0], [200, 0, 0]]], np.uint8)
    assert error(answer, true).tolist() == [[40, 0, 255]]


def test_psnr_is_of_numbers_from_0_to_1() -> None:
    assert psnr(np.full((2, 2, 1), 51, np.uint8), np.zeros((2, 2, 1), np.uint8)) == pytest.approx(20 * np.log10(5))
    assert psnr(TRUE, TRUE) == pytest.approx(100)


def test_the_row_shows_before_after_truth_and_error() -> None:
    small = np.asarray(Image.fromarray(TRUE).resize((30, 20), Image.Resampling.BICUBIC))
    answer = np.where(TRUE > 128, TRUE, 0).astype(np.uint8)
    row = np.asarray(restored_row(small, answer, TRUE))
    factor, gap = 4, 8
    cells = [row[-40 * factor :: factor, place * (60 * factor + gap) :: factor][:40, :60] for place in range(4)]
    before = np.asarray(Image.fromarray(small).resize((60, 40), Image.Resampling.BICUBIC))
    for cell, expected in zip(cells, (before, answer, TRUE, error(answer, TRUE)[..., None]), strict=True):
        assert np.array_equal(cell, np.broadcast_to(expected, (40, 60, 3)))


def test_grey_pictures_are_drawn_too() -> None:
    grey = TRUE[..., :1]
    assert restored_row(grey, grey, grey).width == 4 * 60 * 4 + 3 * 8
    assert legend("; a note").width > legend().width

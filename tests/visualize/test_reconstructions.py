from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.reconstructions import reconstructions_image, squared_error

ORIGINALS = [np.full((28, 28, 1), 40 + place, np.uint8) for place in range(12)]
REBUILT = [np.full((28, 28, 1), 140 + place, np.uint8) for place in range(12)]


def test_each_original_stands_over_its_reconstruction() -> None:
    pixels = np.asarray(reconstructions_image(ORIGINALS, REBUILT, columns=5))[..., 0]
    for original, rebuilt in zip(range(40, 52), range(140, 152), strict=True):
        (top, left), (low, same) = (np.argwhere(_square(pixels, tone))[0] for tone in (original, rebuilt))
        assert left == same
        assert low - top == 84 + 4


def _square(pixels: np.ndarray, tone: int) -> np.ndarray:
    """Where an 84 × 84 square of one tone begins: every 28 × 28 picture, three times as large."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels == tone, (1, 84))[..., 0, :].all(axis=-1)
    return np.lib.stride_tricks.sliding_window_view(windows, (84, 1))[..., 0].all(axis=-1)


def test_the_error_under_a_pair_is_that_of_the_scale_zero_to_one() -> None:
    assert squared_error(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)) == 1.0
    assert squared_error(np.array([[10]], np.uint8), np.array([[0]], np.uint8)) == pytest.approx((10 / 255) ** 2)


@pytest.mark.parametrize(
    ("originals", "rebuilt", "message"),
    [
        ([], [], "not pairs"),
        (ORIGINALS[:2], REBUILT[:1], "not pairs"),
        (ORIGINALS[:1], [np.zeros((14, 14, 1), np.uint8)], "one size"),
    ],
)
def test_what_is_not_in_pairs_is_refused(originals: list[np.ndarray], rebuilt: list[np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reconstructions_image(originals, rebuilt)

"""Sounds as pictures: loud below and above where they are, seconds and hertz beside them."""

from __future__ import annotations

import numpy as np

from cnnexp.visualize.sounds import BANDS_PX, WAVE_PX, features_picture, sound_picture

CENTRES = np.geomspace(100, 3800, 20)


def bands(row: int, first: int, last: int) -> np.ndarray:
    """A tone in one band, from a frame to another, 60 dB above what surrounds it."""
    values = np.full((20, 50), -60.0)
    values[row, first:last] = 0
    return values


def test_a_tone_is_bright_where_it_sounds() -> None:
    sound = np.zeros(4000)
    sound[:2000] = np.sin(np.arange(2000))
    picture = sound_picture(sound, bands(15, 0, 25), CENTRES, 8000)
    assert picture.dtype == np.uint8 and picture.shape == (163, 240, 3)
    inside = picture[43 : 43 + BANDS_PX, 34:234].astype(int).sum(2)
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    assert abs(row - BANDS_PX * (1 - 15.5 / 20)) <= 3 and column < 100
    wave = (picture[3 : 3 + WAVE_PX, 34:234].max(2) < 128).sum(0)
    assert wave[:95].min() > 20 and wave[105:].max() <= 2, "black where there is sound, a line where there is none"


def test_axes_are_drawn_and_silence_is_a_picture_too() -> None:
    picture = sound_picture(np.zeros(4000), np.full((20, 50), -100.0), CENTRES, 8000)
    assert (picture[43:147, :30].min(2) < 200).any() and (picture[148:].min(2) < 200).any()


def test_features_are_white_at_the_mean_red_above_and_blue_below() -> None:
    picture = features_picture(np.array([[0.0, 3.0, -3.0]])).astype(int)
    assert picture[0, 0].min() > 240
    assert picture[0, 1, 0] > picture[0, 1, 2] + 50 and picture[0, 2, 2] > picture[0, 2, 0] + 50

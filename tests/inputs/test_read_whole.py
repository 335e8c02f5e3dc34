"""A file at its own size, where nets are trained at another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cnnexp.inputs.pictures import Pictures


def test_a_picture_is_read_at_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    pixels = np.random.default_rng(0).integers(0, 256, (5, 9, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    given = Pictures(channels=3, image_size=(4, 4))
    assert given.read(path)["image"].shape == (1, 3, 4, 4)
    assert np.array_equal(given.read_whole(path)["image"][0].permute(1, 2, 0).numpy(), pixels)


def test_16_bits_and_grey_come_down_to_8_bits_and_the_channels_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.array([[0, 65535], [256 * 128, 65535]], np.uint16)).save(path)
    (read,) = Pictures(channels=3, image_size=(4, 4)).read_whole(path)["image"]
    assert read.shape == (3, 2, 2)
    assert read[0].tolist() == read[2].tolist() == [[0, 255], [128, 255]]

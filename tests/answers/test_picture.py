"""Reconstructions beside pictures of another size than the net's."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.answers.picture import PictureAnswer, resized

ANSWER = PictureAnswer()


def test_an_answer_is_the_error_at_the_size_of_the_net() -> None:
    picture = np.full((4, 4, 1), 51, np.uint8)
    row = ANSWER.as_json(np.full((4, 4, 1), 102, np.uint8), picture)
    assert row == {"mse": pytest.approx(0.04), "psnr": pytest.approx(10 * np.log10(25), abs=0.01)}
    assert [line.split()[0] for line in ANSWER.lines(row)] == ["mse", "psnr"]
    larger = np.full((16, 20, 3), 51, np.uint8)
    assert ANSWER.as_json(np.full((4, 4, 1), 102, np.uint8), larger)["mse"] == pytest.approx(0.04, abs=1e-3)
    assert ANSWER.as_json(picture, picture)["mse"] == 0.0


def test_pictures_are_brought_to_the_size_and_channels_of_the_net() -> None:
    net_size = np.zeros((5, 7, 3), np.uint8)
    assert resized(np.full((12, 9, 1), 80, np.uint8), net_size).shape == (5, 7, 3)
    assert (resized(np.full((12, 9, 1), 80, np.uint8), net_size) == 80).all()
    image = ANSWER.image(np.full((12, 9, 1), 80, np.uint8), net_size)
    assert image.height > image.width / 2 and min(image.size) > 10

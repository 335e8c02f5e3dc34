"""A restored picture told and drawn, alone and beside the truth."""

from __future__ import annotations

import numpy as np
import torch

from cnnexp.answers.restored import Restored
from cnnexp.inputs.degraded import GIVEN, given_in

SMALL, LARGE = np.full((6, 9, 3), 40, np.uint8), np.full((12, 18, 3), 90, np.uint8)


def test_it_says_its_size_and_how_to_have_it() -> None:
    row = Restored().as_json(LARGE, SMALL)
    assert row == {"given": [6, 9], "restored": [12, 18]}
    assert Restored().lines(row) == ["restored: 12×18 pixels from 6×9; --out DIR writes it"]
    assert Restored().lines({**row, "given": [12, 18], "drawn": "x.png"}) == ["restored: 12×18 pixels"]


def test_it_is_drawn_as_it_is_pixel_by_pixel() -> None:
    answer = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    assert np.array_equal(np.asarray(Restored().image(SMALL, answer)), answer)
    grey = answer[..., :1]
    assert np.array_equal(np.asarray(Restored().image(SMALL, grey))[..., :1], grey)


def test_beside_the_truth_there_are_four_pictures() -> None:
    truth = {GIVEN: torch.full((1, 3, 6, 9), 0.2)}
    drawn = Restored().image(LARGE, LARGE, truth)
    assert drawn.width > 4 * 200 and given_in(truth)[0].shape == (6, 9, 3)
    assert set(Restored().sheets([LARGE], [LARGE], truth)) == {"predictions"}


def test_the_worst_and_the_best_are_worth_showing() -> None:
    rows = {"index": np.array([0, 1, 2, 3, 4]), "psnr": np.array([30.0, 20.0, 40.0, 25.0, 35.0])}
    assert Restored().worth_showing(rows, 4) == [1, 3, 4, 2]
    assert Restored().worth_showing(rows, 3) == [1, 3, 2]
    assert Restored().worth_showing(rows, 9) == [1, 3, 0, 4, 2]

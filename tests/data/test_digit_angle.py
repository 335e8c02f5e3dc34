from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.data.digit_angle import MOST_DEGREES, DigitAngle
from cnnexp.data.mnist5k import digits_of
from tests.data.tiny import all_of, make_data_set, measured, read_conf


def test_facts() -> None:
    made = make_data_set("digit_angle")
    for split, count in (("train", 4000), ("val", 500), ("test", 500)):
        batch = all_of(made.load(split))
        assert batch["image"].shape == (count, 1, 28, 28) and batch["image"].dtype == torch.uint8
        assert batch["value"].shape == (count, 1) and batch["value"].dtype == torch.float32
        assert batch["value"].abs().max() <= MOST_DEGREES
        # evenly drawn from ±45: the standard deviation is 90 / √12
        assert abs(float(batch["value"].mean())) < 3 and float(batch["value"].std()) == pytest.approx(25.98, abs=1.0)
    mean, std = measured(all_of(made.load("train"))["image"])
    stated = read_conf("digit_angle")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-5) and std == pytest.approx(stated["std"], abs=6e-5)


def test_a_digit_is_turned_by_its_angle_counter_clockwise() -> None:
    """Of digits 1, the axis of the ink turns by the angle that is stated: measured by second moments."""
    digits, labels, _ = digits_of("val")
    batch = all_of(DigitAngle(image_size=(28, 28), channels=1).load("val"))
    ones = np.flatnonzero(labels == 1)
    before = np.array([axis_degrees(digits[place]) for place in ones])
    after = np.array([axis_degrees(batch["image"][place, 0].numpy()) for place in ones])
    turned = (after - before + 90) % 180 - 90
    assert np.median(np.abs(turned - batch["value"][ones, 0].numpy())) < 1.0


def axis_degrees(picture: np.ndarray) -> float:
    """The direction of the longest spread of the ink, counter-clockwise from the x axis."""
    y, x = np.nonzero(picture > 60)
    covariance = np.cov(np.stack([x, -y]))
    direction = np.linalg.eigh(covariance)[1][:, 1]
    return float(np.degrees(np.arctan2(direction[1], direction[0])))

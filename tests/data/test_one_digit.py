from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.data.digit_scenes import compose
from cnnexp.data.mnist5k import digits_of
from tests.data.tiny import all_of, make_data_set, measured, read_conf


def test_facts() -> None:
    made = make_data_set("one_digit")
    for split, count in (("train", 4000), ("val", 500), ("test", 500)):
        batch = all_of(made.load(split))  # type: ignore[arg-type]
        assert batch["image"].shape == (count, 1, 32, 32) and batch["boxes"].shape == (count, 1, 4)
        assert torch.equal(batch["classes"][:, 0], batch["label"])
        assert batch["label"].unique().tolist() == list(range(10))
        assert made.load(split).labels_for_strata() is not None  # type: ignore[arg-type]
    train = all_of(made.load("train"))
    mean, std = measured(train["image"])
    stated = read_conf("one_digit")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-5) and std == pytest.approx(stated["std"], abs=6e-5)
    middle = (train["boxes"][:, 0, :2] + train["boxes"][:, 0, 2:]) / 2
    assert middle.mean(0).tolist() == pytest.approx([16, 16], abs=0.5) and (middle.std(0) > 6).all()


def test_boxes_are_tight_around_all_ink() -> None:
    batch = all_of(make_data_set("one_digit", image_size=[64, 64]).load("val"))
    for image, box in zip(batch["image"][:100, 0].numpy(), batch["boxes"][:100, 0].int().tolist(), strict=True):
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        assert box == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def test_a_picture_is_the_first_digit_of_a_scene() -> None:
    alone, scenes = (compose(0, "test", np.arange(80), most) for most in (1, 5))
    assert (alone.boxes[:, 0] == scenes.boxes[:, 0]).all() and (alone.sources[:, 0] == scenes.sources[:, 0]).all()
    assert (alone.pictures == np.where(scenes.instances == 1, scenes.pictures, 0)).all()
    assert set(alone.sources[:, 0].tolist()) <= set(digits_of("test")[2].tolist())

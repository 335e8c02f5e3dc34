"""Predicted against true numbers, drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cnnexp.visualize.predicted import draw_predicted


def test_a_panel_for_each_number(tmp_path: Path) -> None:
    pairs = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    two = drawn(draw_predicted(pairs, ["width", "age"], tmp_path / "two.png", title="of_two $x"))
    one = drawn(draw_predicted(pairs[:, ::2], ["width"], tmp_path / "one.png"))
    assert two.shape[1] > 1.8 * one.shape[1] and two.shape[0] == one.shape[0]
    ink = one.astype(int)
    assert ((ink[..., 2] - ink[..., 0]) > 40).sum() > 200, "points in blue"


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))

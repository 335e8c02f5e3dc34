"""Precision over recall: what the legend says, with few classes and with many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnexp.visualize import precision_recall


def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, curves: Any, names: list[str]) -> Any:
    """The axes, as they are before they become a picture."""
    kept = []
    monkeypatch.setattr(precision_recall, "figure_image", kept.append)
    monkeypatch.setattr(precision_recall, "write_png", lambda image, path: path)
    precision_recall.draw_precision_recall(curves, names, tmp_path / "x.png", title="cells")
    return kept[0].axes[0]


def legend(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_area_stands_behind_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Found up to a recall of one half, always right: 51 of 101 recalls. A class without objects has no curve."""
    half = (np.linspace(0, 1, 101) <= 0.5).astype(float)
    curves = np.stack([np.ones(101), half, np.full(101, np.nan)], 1)
    axes = drawn(monkeypatch, tmp_path, curves, ["a$b$", "bee", "none"])
    assert legend(axes) == ["a$b$: 1.000", "bee: 0.505", "mean of 2: 0.752"]
    assert axes.get_title() == "cells: at IoU 0.50"
    assert np.array_equal(axes.lines[1].get_ydata(), half)


def test_of_many_classes_the_weakest_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    curves = np.tile(np.linspace(0.01, 0.8, 80), (101, 1))
    axes = drawn(monkeypatch, tmp_path, curves, [f"class {i}" for i in range(80)])
    assert len(axes.lines) == 81 and len(legend(axes)) == 13
    assert legend(axes)[0] == "class 0: 0.010"


def test_nothing_there_is_an_empty_picture(tmp_path: Path) -> None:
    path = precision_recall.draw_precision_recall(np.full((101, 2), np.nan), ["a", "b"], tmp_path / "x.png")
    assert path.stat().st_size > 1000

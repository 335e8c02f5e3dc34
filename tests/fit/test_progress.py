from __future__ import annotations

import io

import pytest
from rich.console import Console

from cnnexp.fit import progress
from cnnexp.fit.progress import ProgressBars
from cnnexp.tasks.classification import Classification
from tests.tasks import tiny


def shown(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    """All that two epochs draw, with a line after the first."""
    monkeypatch.setattr(progress, "REDRAW_S", 0.0)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=100, color_system=None)
    bars = ProgressBars(console, epochs=2, monitor="val/accuracy")

    class Lines(ProgressBars):
        def on_train_epoch_end(self, trainer: object, pl_module: object) -> None:
            bars.line(1, {"train/loss": 0.5, "val/accuracy": 0.25, "val/loss": 0.125, "train/accuracy": 9.0})

    made = tiny.module(Classification, tiny.linear_net())
    tiny.fit(made, callbacks=[bars, Lines(Console(quiet=True), 2, None)])
    assert made.steps_per_epoch == 3
    return screen.getvalue()


def test_a_terminal_shows_how_far_the_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(True, monkeypatch)
    assert "epoch 2/2" in text and "6/6" in text and "loss " in text
    assert "epoch 1/2  train/loss 0.5000  val/loss 0.1250  val/accuracy 0.2500  0 s" in text
    assert "train/accuracy" not in text


def test_elsewhere_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(False, monkeypatch) == ""

from __future__ import annotations

import io

import pytest
from pytorch_lightning.callbacks import Callback
from rich.console import Console

from cnnexp.fit import progress
from cnnexp.fit.evaluate import evaluate
from cnnexp.fit.module import TaskModule
from cnnexp.fit.progress import EvaluationBars, ProgressBars, evaluation_bars
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


@pytest.mark.parametrize(("terminal", "bars"), [(True, 1), (False, 0)])
def test_an_evaluation_has_bars_of_its_own_on_a_terminal(terminal: bool, bars: int) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=80, color_system=None)
    module = TaskModule(tiny.task(Classification, tiny.linear_net()))
    watching = evaluation_bars(console)
    assert len(watching) == bars
    config = {"hardware": dict(tiny.HARDWARE)}
    evaluate(module, tiny.picture_data(val=20, test=50), config, ["val", "test"], callbacks=watching)
    text = screen.getvalue()
    assert ("validation" in text and "0/3" in text and "test" in text and "0/7" in text) == terminal
    assert terminal or text == ""


def test_the_validation_of_a_training_stands_below_its_bar_and_goes_when_it_is_over() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    bars = ProgressBars(console, epochs=2, monitor=None)
    below = EvaluationBars(console, bars)
    seen: list[list[tuple[str, float | None]]] = []

    class Watching(Callback):
        def on_validation_batch_end(self, *arguments: object, **named: object) -> None:
            assert bars.shown is not None
            seen.append([(task.description, task.total) for task in bars.shown.tasks])

        def on_validation_end(self, *arguments: object) -> None:
            assert bars.shown is not None and len(bars.shown.tasks) == 1

    tiny.fit(tiny.module(Classification, tiny.linear_net()), callbacks=[bars, below, Watching()])
    assert seen and all(len(tasks) == 2 and tasks[1][0] == "validation" for tasks in seen)
    assert bars.shown is None

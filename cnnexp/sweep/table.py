"""A sweep while it runs: on a terminal a table that is drawn again and again, elsewhere a line for each trial's end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cnnexp.report.notation import duration_figure, metric_figure
from cnnexp.report.plain_text import printable
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.study import Study
from cnnexp.sweep.trial import TrialFolder

REDRAW_S = 1.0
MOST_RUNNING = 12
MOST_FAILED = 3
STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


def best_of(trials: Sequence[FrozenTrial], mode: str) -> FrozenTrial | None:
    """The finished trial with the best score; of equal ones the first."""
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    if not finished:
        return None
    sign = -1 if mode == "max" else 1
    return min(finished, key=lambda trial: (sign * (trial.value or 0.0), trial.number))


def settings_text(point: Mapping[str, str]) -> str:
    """``model=resnet20 optimizer.lr=0.01``."""
    return printable(" ".join(f"{key}={text}" for key, text in point.items()))


class Progress:
    """Shows how a sweep stands. Call it with all trials as often as they are looked at.

    Args:
        console: a terminal has the table, anything else lines.
    """

    def __init__(self, plan: Plan, folder: Path, study: Study, console: Console) -> None:
        self._plan = plan
        self._folder = folder
        self._study = study
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._told: set[int] | None = None
        self._drawn = 0.0

    def __call__(self, trials: Sequence[FrozenTrial]) -> None:
        self._tell(trials)
        if self._live is None or time.monotonic() - self._drawn < REDRAW_S:
            return
        self._drawn = time.monotonic()
        if not self._live.is_started:
            self._live.start()
        self._live.update(self._table(trials), refresh=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        """Take the table away."""
        if self._live is not None and self._live.is_started:
            self._live.stop()

    def _tell(self, trials: Sequence[FrozenTrial]) -> None:
        """A line for each trial that has ended since the last call; none for those of before the first."""
        ended = {trial.number for trial in trials if trial.state.is_finished()}
        if self._told is not None and not self._console.is_terminal:
            for number in sorted(ended - self._told):
                self._console.print(self._line(trials[number]), soft_wrap=True, markup=False, highlight=False)
        self._told = ended

    def _line(self, trial: FrozenTrial) -> str:
        head = f"trial {trial.number} {STATES[trial.state]}"
        after = f" after epoch {trial.last_step}" if trial.state == TrialState.PRUNED and trial.last_step else ""
        score = f": {self._plan.monitor} {self._score(trial.value)}" if trial.value is not None else ""
        error = f": {printable(trial.user_attrs['error'])}" if "error" in trial.user_attrs else ""
        return f"{head}{after}{score}{error}  {settings_text(self._study.point(trial))}"

    def _score(self, value: float | None) -> str:
        return metric_figure(self._plan.monitor, value)

    def _table(self, trials: Sequence[FrozenTrial]) -> RenderableType:
        rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
        rows.add_column("trial", justify="right", no_wrap=True)
        rows.add_column("settings", ratio=1)
        rows.add_column("epoch", justify="right", no_wrap=True)
        rows.add_column(self._plan.monitor, justify="right", no_wrap=True)
        running = [trial for trial in trials if trial.state == TrialState.RUNNING]
        for trial in running[:MOST_RUNNING]:
            epoch, value = self._latest(trial)
            rows.add_row(str(trial.number), settings_text(self._study.point(trial)), epoch, value)
        parts: list[RenderableType] = [Text(f"{counts(trials)}{self._time_left(trials)}"), rows]
        best = best_of(trials, self._plan.mode)
        if best is not None:
            parts.append(Text(f"best: {self._line(best).replace(' finished', '')}"))
        failed = [trial for trial in trials if trial.state == TrialState.FAIL]
        parts += [Text(self._line(trial), style="red") for trial in failed[-MOST_FAILED:]]
        return Group(*parts)

    def _latest(self, trial: FrozenTrial) -> tuple[str, str]:
        curve: list[tuple[int, float]] = []
        parts, folder = len(self._plan.parts), self._study.folder(trial, self._folder)
        for part in range(parts):
            curve = TrialFolder(folder, trial.number, part, parts).curve(self._plan.monitor) or curve
        return (str(curve[-1][0]), self._score(curve[-1][1])) if curve else ("", "")

    def _time_left(self, trials: Sequence[FrozenTrial]) -> str:
        seconds = time_left_s(trials, self._plan.settings.workers, self._share_done)
        return "" if seconds is None else f"; about {duration_figure(seconds)} left"

    def _share_done(self, trial: FrozenTrial) -> float:
        parts = len(self._plan.parts)
        try:
            steps = TrialFolder(self._study.folder(trial, self._folder), trial.number).epochs if parts == 1 else parts
        except OSError:  # on another machine, or not frozen yet
            return 0.0
        return (trial.last_step or 0) / steps


def counts(trials: Sequence[FrozenTrial]) -> str:
    """``3 of 20 finished, 2 running, 1 pruned, 1 failed``."""
    found = {name: sum(trial.state == state for trial in trials) for state, name in STATES.items()}
    rest = [f"{found[name]} {name}" for name in ("running", "pruned", "failed") if found[name]]
    return ", ".join([f"{found['finished']} of {len(trials)} finished", *rest])


def time_left_s(
    trials: Sequence[FrozenTrial], workers: int, share_done: Callable[[FrozenTrial], float]
) -> float | None:
    """Seconds until the last trial ends, by the mean of those that have; None before the first.

    A trial that takes longer than the mean (others were pruned, say) will take as long as its share that is done says.
    """
    spans = [
        (trial.datetime_complete - trial.datetime_start).total_seconds()
        for trial in trials
        if trial.datetime_complete and trial.datetime_start
    ]
    if not spans:
        return None
    mean = sum(spans) / len(spans)
    now = datetime.now()
    running = [0.0]
    for trial in trials:
        if trial.state == TrialState.RUNNING and trial.datetime_start:
            since, share = (now - trial.datetime_start).total_seconds(), share_done(trial)
            running.append(since * (1 - share) / share if since > mean and share else max(0.0, mean - since))
    waiting = sum(trial.state == TrialState.WAITING for trial in trials)
    return max((waiting * mean + sum(running)) / workers, *running)


def as_row(trial: FrozenTrial, point: Mapping[str, str]) -> dict[str, Any]:
    """A trial for trials.csv."""
    return {
        "trial": trial.number,
        "state": STATES[trial.state],
        "score": trial.value,
        "steps": trial.last_step,
        **point,
        "error": trial.user_attrs.get("error"),
    }

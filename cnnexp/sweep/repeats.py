"""What the runs of one candidate say together: repeated over seeds, or the folds of a cross-validation."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.report.notation import metric_figure
from cnnexp.report.plain_text import printable
from cnnexp.runs.read import Record
from cnnexp.statistics.means import CONFIDENCE, Estimate, estimate

FOLD = "data.split.fold"


@dataclass(frozen=True)
class Repeats:
    """The runs of a candidate, each with its value of the key that is averaged over.

    Attributes:
        monitor: the metric of validation that the sweep goes by; the best of a run counts.
    """

    key: str
    monitor: str
    values: tuple[str, ...]
    runs: tuple[Record, ...]
    best: tuple[float, ...]

    @property
    def scores(self) -> dict[str, list[float]]:
        """The monitored metric, and every metric of the test that all runs have, for each run."""
        tested = [name for name in self.runs[0].metrics if name.startswith("test/")]
        of_all = [name for name in tested if all(name in run.metrics for run in self.runs)]
        return {self.monitor: list(self.best), **{name: [run.metrics[name] for run in self.runs] for name in of_all}}

    def as_record(self) -> dict[str, Any]:
        """For summary.json: each run's scores, their means with 95 % intervals, and what the folds say together."""
        scores, matrix = self.scores, self.confusion
        runs = [
            {"value": value, **{name: one[place] for name, one in scores.items()}}
            for place, value in enumerate(self.values)
        ]
        means = {name: vars(estimate(one)) for name, one in scores.items()}
        pooled = None if matrix is None else {**vars(share(matrix)), "confusion": matrix.tolist()}
        return {"key": self.key, "runs": runs, "means": means, "pooled": pooled}

    def lines(self) -> list[str]:
        """A table for the terminal, with the mean below."""
        shown = [name for name in self.scores if not name.endswith("loss")]
        head = [self.key, *shown]
        body = [
            [value, *(metric_figure(name, self.scores[name][place]) for name in shown)]
            for place, value in enumerate(self.values)
        ]
        found = {name: estimate(self.scores[name]) for name in shown}
        mean = ["mean", *(metric_figure(name, found[name].mean) for name in shown)]
        reach = ["±", *(_reach(name, found[name]) for name in shown)]
        rows = [[printable(cell) for cell in row] for row in (head, *body, mean, reach)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        told = f"± is the half of the 95 % interval of the mean (Student's t, {len(self.runs)} runs)"
        return [*lines, told, *self._pooled_lines()]

    def _pooled_lines(self) -> list[str]:
        matrix = self.confusion
        if matrix is None:
            return []
        one = share(matrix)
        return [
            f"all folds together: {one.right:,} of {one.count:,} right, {one.accuracy:.4f} "
            f"(95 % interval {one.low:.4f} to {one.high:.4f}, Wilson)"
        ]

    @property
    def names(self) -> list[str]:
        """Names of the classes."""
        return [str(name) for name in self.runs[0].config["data"]["classes"]]

    @property
    def confusion(self) -> NDArray[np.int64] | None:
        """Counts (K, K), rows true, of the test predictions of all folds, in which each sample is once.

        None where it is no cross-validation, or not of classes.
        """
        if self.key != FOLD:
            return None
        names = {name: place for place, name in enumerate(self.names)}
        matrix = np.zeros((len(names), len(names)), np.int64)
        for run in self.runs:
            pairs = _predictions(run.folder / "predictions.csv")
            if pairs is None:
                return None
            for true, said in pairs:
                matrix[names[true], names[said]] += 1
        return matrix


@dataclass(frozen=True)
class Share:
    """How many were right of all, with the 95 % interval of Wilson 1927."""

    right: int
    count: int
    accuracy: float
    low: float
    high: float


def share(matrix: NDArray[np.int64]) -> Share:
    """The accuracy that a confusion matrix (K, K) tells of."""
    from scipy.stats import binomtest

    right, count = int(matrix.trace()), int(matrix.sum())
    interval = binomtest(right, count).proportion_ci(CONFIDENCE, method="wilson")
    return Share(right, count, right / count, float(interval.low), float(interval.high))


def draw_pooled(repeats: Repeats, path: Path, title: str) -> Path | None:
    """The confusion matrix over all folds as a PNG, where there is one."""
    matrix = repeats.confusion
    if matrix is None:
        return None
    from cnnexp.visualize.confusion import draw_confusion

    return draw_confusion(matrix, repeats.names, path, title=title)


def _predictions(path: Path) -> list[tuple[str, str]] | None:
    """True and predicted class of each test sample; None where the predictions are of another kind."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not {"target", "prediction", "probability"} <= set(rows.fieldnames or ()):
                return None
            return [(row["target"], row["prediction"]) for row in rows]
    except OSError:
        return None


def _reach(name: str, one: Estimate) -> str:
    return "" if one.high is None else metric_figure(name, one.high - one.mean)

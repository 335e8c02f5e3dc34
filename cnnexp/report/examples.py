"""Two runs on the same test pictures, picture by picture: whether one net is better, or only luckier."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.runs.read import read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cnnexp.runs.read import Record

_SCORES = {"mse": "mse", "pixel_accuracy": "pixel accuracy", "nats": "nats a word"}
"""Columns of predictions.csv that are a score of one picture."""


@dataclass(frozen=True)
class Examples:
    """The scores of two runs on the same pictures.

    Attributes:
        name: of the score. first, second: (N,), one for each picture; 0 or 1 where ``counts``.
    """

    name: str
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    counts: bool


@dataclass(frozen=True)
class Paired:
    """The mean score of the first net less that of the second, over the pictures of the test.

    Attributes:
        method: of the p-value. low, high: the 95 % interval by the paired bootstrap.
        only_first, only_second: pictures that one net alone got right; None where pictures have no right and wrong.
    """

    name: str
    method: str
    n: int
    value: float
    low: float
    high: float
    p: float
    only_first: int | None
    only_second: int | None


def same_pictures(first: Record, second: Record) -> Examples | str:
    """What two runs' predictions.csv have in common, or why they cannot be compared."""
    tables = []
    for record in (first, second):
        try:
            tables.append(read_rows(record.folder / "predictions.csv"))
        except FileNotFoundError:
            return f"{record.id} has no predictions.csv"
        except (OSError, ValueError, csv.Error) as error:
            return f"{record.id}: predictions.csv cannot be read ({error})"
    return _matched(*tables)


def _matched(first: Sequence[Mapping[str, str]], second: Sequence[Mapping[str, str]]) -> Examples | str:
    if not first or not second:
        return "there are no predictions"
    if "score" in first[0] or "score" in second[0]:
        return "boxes are judged together, not picture by picture; compare seeds"
    keys = [key for key in ("index", "file", "target") if key in first[0] and key in second[0]]
    if [[row[key] for key in keys] for row in first] != [[row[key] for key in keys] for row in second]:
        return "they were tested on different pictures"
    try:
        return _scores(first, second)
    except (KeyError, ValueError):
        return "their predictions are of different kinds"


def _scores(first: Sequence[Mapping[str, str]], second: Sequence[Mapping[str, str]]) -> Examples:
    import numpy as np

    if "prediction" in first[0]:
        right, right_too = (
            np.array([row["prediction"] == row["target"] for row in rows], float) for rows in (first, second)
        )
        return Examples("accuracy", right, right_too, counts=True)
    column = next(name for name in [*_SCORES, ""] if name in first[0] or not name)
    values, others = (np.array([float(row[column]) for row in rows]) for rows in (first, second))
    return Examples(_SCORES[column], values, others, counts=False)


def paired_test(examples: Examples) -> Paired:
    """McNemar's exact test for right and wrong, a permutation of signs for other scores; a bootstrap for the interval.

    The draws are the same each time. It judges these two nets on pictures like these; whether their settings differ is
    for seeds to say.
    """
    import numpy as np

    from cnnexp.statistics.samples import mcnemar, mean_gain, permuted_signs

    differences = examples.first - examples.second
    gain, n = mean_gain(differences), len(differences)
    interval = gain.value, gain.low, gain.high
    if examples.counts:
        only_first, only_second = int(np.sum(differences > 0)), int(np.sum(differences < 0))
        p = mcnemar(only_first, only_second)
        return Paired(examples.name, "McNemar's exact test", n, *interval, p, only_first, only_second)
    return Paired(examples.name, "permutation test", n, *interval, permuted_signs(differences), None, None)


def predictions_of(folder: Path) -> list[dict[str, str]]:
    """The rows of a run's predictions.csv; none where it cannot be read."""
    try:
        return read_rows(folder / "predictions.csv")
    except (OSError, ValueError, csv.Error):
        return []

"""The test pictures that a net got most wrong, from its predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST = 24
MOST_DRAWN = 12
"""Of pictures that show masks or reconstructions, which are larger."""


_SCORES = (
    ("iou", "IoU", False),
    ("psnr", "PSNR in dB", False),
    ("pixel_accuracy", "pixel accuracy", False),
    ("mse", "mean squared error", True),
    ("error", "error in standard deviations", True),
)
"""Columns with a score of each sample, what it is called, and whether more of it is worse."""


@dataclass(frozen=True)
class Mistake:
    """A picture by its place in the test split.

    Attributes:
        said: what the net made of it, in words. name: of the picture's file.
    """

    index: int
    said: str
    name: str


@dataclass(frozen=True)
class Mistakes:
    """The worst first.

    Attributes:
        title: of the list. note: a word on it, or why there is none. drawn: the answer must be drawn to be understood.
    """

    title: str
    mistakes: tuple[Mistake, ...]
    note: str
    drawn: bool = False


def worst_mistakes(rows: Sequence[Mapping[str, str]], noun: str = "picture") -> Mistakes:
    """The wrong classes of which the net was surest, or the samples with the worst scores of their own.

    Args:
        rows: of predictions.csv. noun: what a sample is called.
    """
    columns = set(rows[0]) if rows else set()
    if "iou" not in columns and {"target", "prediction", "probability"} <= columns:
        return _surest_wrong(rows, noun)
    for column, name, falls in _SCORES:
        if column in columns:
            return _worst_scores(rows, column, name, falls, noun)
    return Mistakes("Worst mistakes", (), f"the predictions hold no score of single {noun}s, so none is the worst")


def _surest_wrong(rows: Sequence[Mapping[str, str]], noun: str) -> Mistakes:
    wrong = [(row, _number(row["probability"])) for row in rows if row["prediction"] != row["target"]]
    wrong.sort(key=lambda pair: -pair[1])
    found = [
        Mistake(_index(row), f"{row['prediction']} ({probability:.2f}), is {row['target']}", row.get("file", ""))
        for row, probability in wrong[:MOST]
    ]
    note = f"{len(wrong):,} of {len(rows):,} test {noun}s are wrong; first those of which the net was surest"
    return Mistakes("Worst mistakes", tuple(found), note)


def _worst_scores(rows: Sequence[Mapping[str, str]], column: str, name: str, falls: bool, noun: str) -> Mistakes:
    ordered = sorted(rows, key=lambda row: _number(row[column]), reverse=falls)[:MOST_DRAWN]
    found = [Mistake(_index(row), f"{name} {_number(row[column]):.4g}", row.get("file", "")) for row in ordered]
    end = "highest" if falls else "lowest"
    return Mistakes(f"Worst {noun}s", tuple(found), f"those with the {end} {name} of {len(rows):,}", drawn=True)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(number) else number  # NaN has no place in an order, and would shuffle the others


def _index(row: Mapping[str, str]) -> int:
    text = row.get("index", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1

"""Whether a run learnt its training pictures by heart, or too little: the gap to validation, and one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cnnexp.report.notation import metric_figure
from cnnexp.report.scores import higher_is_better

Row = Mapping[str, float | None]

FEWEST_EPOCHS = 3
RISE = 0.1
"""A validation loss that ends so much (of itself) above its best one, and above training's, is overfitting."""
SCORE_GAP = 0.1
"""So is a score between 0 and 1 that is so much better in training than in validation."""
STILL_FALLING = 0.03
"""A training loss that fell by more than this part in the last epoch, without a gap, is underfitting."""
LEARNT = 0.99
"""A score between 0 and 1 of so much in validation is none, however the losses still move."""


def gaps(rows: Sequence[Row], score: str | None) -> dict[str, float]:
    """Validation minus training at the last epoch that has both: of the loss and of the score, by name."""
    found = {}
    for name in dict.fromkeys(["loss", *([score] if score else [])]):
        pairs = _pairs(rows, name)
        if pairs:
            found[name] = pairs[-1][1] - pairs[-1][0]
    return found


def verdict(rows: Sequence[Row], score: str | None) -> str | None:
    """One plain sentence where a run overfits or underfits; None where nothing is to be said.

    Args:
        rows: one for each epoch, with ``train/loss``, ``val/loss`` and the score of both. score: its last word.
    """
    losses = _pairs(rows, "loss")
    if len(losses) < FEWEST_EPOCHS:
        return None
    return _overfits(losses) or _scores_apart(rows, score) or _underfits(losses, rows, score)


def _overfits(losses: Sequence[tuple[float, float]]) -> str | None:
    validation = [value for _, value in losses]
    best = min(range(len(validation)), key=validation.__getitem__)
    (train_then, lowest), (train_now, last) = losses[best], losses[-1]
    if last <= lowest * (1 + RISE) or train_now >= train_then or last <= train_now:
        return None
    return (
        f"overfits: since epoch {best + 1} the validation loss rose from {metric_figure('loss', lowest)} to "
        f"{metric_figure('loss', last)} while the training loss fell to {metric_figure('loss', train_now)}; "
        "augmentation, regularization, more data or early_stopping.patience help"
    )


def _scores_apart(rows: Sequence[Row], score: str | None) -> str | None:
    pairs = _pairs(rows, score) if score and score != "loss" else []
    if not pairs or not _is_part(pairs) or not higher_is_better(score or ""):
        return None
    train, validation = pairs[-1]
    if train - validation < SCORE_GAP:
        return None
    return (
        f"overfits: {str(score).replace('_', ' ')} is {train:.3f} in training and {validation:.3f} in validation; "
        "augmentation, regularization or more data help"
    )


def _underfits(losses: Sequence[tuple[float, float]], rows: Sequence[Row], score: str | None) -> str | None:
    (before, _), (train, validation) = losses[-2:]
    fell = (before - train) / abs(before) if before else 0.0
    if fell < STILL_FALLING or validation > train * (1 + RISE) or _is_learnt(rows, score):
        return None
    return (
        f"underfits: the training loss still fell by {fell:.0%} in the last epoch, and validation is as good as "
        "training; more epochs, a higher optimizer.lr or a larger net help"
    )


def _is_learnt(rows: Sequence[Row], score: str | None) -> bool:
    pairs = _pairs(rows, score) if score and score != "loss" else []
    return bool(pairs) and _is_part(pairs) and higher_is_better(score or "") and pairs[-1][1] >= LEARNT


def _is_part(pairs: Sequence[tuple[float, float]]) -> bool:
    return all(0 <= value <= 1 for pair in pairs for value in pair)


def _pairs(rows: Sequence[Row], name: str) -> list[tuple[float, float]]:
    """Training and validation of every epoch that has both."""
    pairs = [(row.get(f"train/{name}"), row.get(f"val/{name}")) for row in rows]
    return [(a, b) for a, b in pairs if a is not None and b is not None and math.isfinite(a) and math.isfinite(b)]

"""The gap between training and validation, and what is said of it."""

from __future__ import annotations

import pytest

from cnnexp.report.fitting import gaps, verdict


def rows(train: list[float], validation: list[float], **scores: list[float]) -> list[dict[str, float | None]]:
    found: list[dict[str, float | None]] = []
    for place, (one, other) in enumerate(zip(train, validation, strict=True)):
        row: dict[str, float | None] = {"train/loss": one, "val/loss": other}
        row |= {name.replace("_", "/", 1): values[place] for name, values in scores.items()}
        found.append(row)
    return found


def test_gaps_are_validation_minus_training_at_the_end() -> None:
    found = gaps(rows([1.0, 0.5], [1.1, 0.9], train_accuracy=[0.5, 0.95], val_accuracy=[0.5, 0.75]), "accuracy")
    assert found == pytest.approx({"loss": 0.4, "accuracy": -0.2})


def test_an_epoch_without_validation_is_left_out() -> None:
    later = [*rows([1.0], [1.25]), {"train/loss": 0.1, "val/loss": None}]
    assert gaps(later, None) == {"loss": 0.25}
    assert gaps([], "accuracy") == {}


def test_a_rising_validation_loss_is_overfitting_and_names_the_epoch() -> None:
    said = verdict(rows([1.0, 0.6, 0.4, 0.2], [1.0, 0.7, 0.8, 0.9]), None)
    assert said is not None and said.startswith("overfits: since epoch 2 the validation loss rose from 0.7")


def test_a_score_far_better_in_training_is_overfitting() -> None:
    apart = dict(train_accuracy=[0.5, 0.8, 0.99], val_accuracy=[0.5, 0.7, 0.75])
    said = verdict(rows([1.0, 0.5, 0.1], [1.0, 0.8, 0.8], **apart), "accuracy")
    assert said is not None and said.startswith("overfits: accuracy is 0.990 in training and 0.750 in validation")


def test_a_loss_that_still_falls_is_underfitting() -> None:
    said = verdict(rows([2.0, 1.7, 1.4], [2.0, 1.7, 1.4]), None)
    assert said is not None and said.startswith("underfits: the training loss still fell by 18%")


@pytest.mark.parametrize(
    "train,validation",
    [
        ([1.0, 0.5, 0.495], [1.0, 0.55, 0.54]),  # it has settled
        ([1.0, 0.5], [1.0, 0.9]),  # too short to tell
        ([1.0, 0.5, 0.3], [1.0, 0.55, 0.5]),  # some gap, still getting better
        ([0.5, 0.6, 0.7], [0.5, 0.8, 0.9]),  # both rise: something else is wrong
        ([1.0, 0.008, 0.0048, 0.0047], [1.0, 0.0037, 0.0042, 0.0042]),  # validation is still below training
    ],
)
def test_nothing_is_said_of_an_ordinary_run(train: list[float], validation: list[float]) -> None:
    assert verdict(rows(train, validation), None) is None


def test_what_is_learnt_does_not_underfit() -> None:
    losses = rows([2.0, 0.1, 0.01], [2.0, 0.1, 0.01], train_accuracy=[0.2, 0.9, 1.0], val_accuracy=[0.2, 0.9, 1.0])
    assert verdict(losses, "accuracy") is None
    assert (verdict(losses, "loss") or "").startswith("underfits")

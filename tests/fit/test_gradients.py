"""Gradient norms while a net trains, against gradients that are computed once more by hand."""

from __future__ import annotations

import copy
import csv
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn import functional

from cnnexp.fit.data_module import DataModule
from cnnexp.fit.gradients import GradientNorms
from cnnexp.fit.loop import go_directly
from cnnexp.fit.module import TaskModule
from cnnexp.runs.metrics import MetricsFile
from cnnexp.tasks.classification import Classification
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization
from tests.tasks import tiny
from tests.training.made import Halves, InTurn

STEPS = 3
NAMES = ("layer/1", "layer/3", "total")


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 3))


def fitted(
    recording: GradientNorms | None, own: nn.Module, direct: bool = True, checkpoint: Path | None = None, **changes: Any
) -> TaskModule:
    """Two epochs of three batches."""
    made = tiny.module(Classification, own, **changes)
    made.steps_per_epoch = STEPS
    trainer = tiny.trainer([recording] if recording else [])
    if direct:
        go_directly(trainer, pytest.fail)
    trainer.fit(made, datamodule=DataModule(tiny.picture_data()), ckpt_path=checkpoint, weights_only=True)
    return made


def written(path: Path) -> list[dict[str, float]]:
    with path.open() as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def by_hand(l2: float = 0.0) -> list[list[float]]:
    """Plain SGD at lr 0.1, written out: for each step the norms of both layers' weights and of everything."""
    own, data, found = net(), tiny.picture_data(), []
    for epoch in range(2):
        loader = data.train_loader()
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            image = (batch["image"].float() / 255 - 0.4) / 0.2
            loss = functional.cross_entropy(own(image), batch["label"])
            loss = loss + l2 * sum(weight.square().sum() for weight in (own[1].weight, own[3].weight))
            gradients = torch.autograd.grad(loss, list(own.parameters()))
            whole = torch.cat([one.flatten() for one in gradients]).norm()
            found.append([float(gradients[0].norm()), float(gradients[2].norm()), float(whole)])
            with torch.no_grad():
                for weight, gradient in zip(own.parameters(), gradients, strict=True):
                    weight -= 0.1 * gradient
    return found


def means(rows: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("direct", [True, False])
def test_an_epochs_row_has_the_means_over_its_steps(tmp_path: Path, direct: bool) -> None:
    path = tmp_path / "gradients.csv"
    fitted(GradientNorms(MetricsFile(path), None), net(), direct)
    rows, expected = written(path), by_hand()
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 3), (2, 6)]
    for row, steps in zip(rows, (expected[:3], expected[3:]), strict=True):
        assert [row[name] for name in NAMES] == pytest.approx(means(steps), rel=1e-4)
        assert set(row) == {"epoch", "step", *NAMES}


def test_rows_for_so_many_steps(tmp_path: Path) -> None:
    path = tmp_path / "gradients.csv"
    recording = GradientNorms(MetricsFile(path), 4)
    fitted(recording, net())
    expected = by_hand()
    assert [row["step"] for row in written(path)] == [4]
    recording.close()  # the two that are left
    assert [(row["epoch"], row["step"]) for row in written(path)] == [(2, 4), (2, 6)]
    for row, steps in zip(written(path), (expected[:4], expected[4:]), strict=True):
        assert [row[name] for name in NAMES] == pytest.approx(means(steps), rel=1e-4)


def test_the_penalty_counts_and_clipping_does_not(tmp_path: Path) -> None:
    """The first step is the same with and without clipping; the part of the steps that were clipped is told."""
    path = tmp_path / "gradients.csv"
    clipped = Regularization(Penalty(0.0, 0.05), gradient_clip_norm=0.01)
    fitted(GradientNorms(MetricsFile(path), 1), net(), regularization=clipped)
    row = written(path)[0]
    assert [row[name] for name in NAMES] == pytest.approx(by_hand(l2=0.05)[0], rel=1e-4)
    assert [row["clipped"] for row in written(path)] == [1] * 6
    loose = tmp_path / "loose.csv"
    fitted(
        GradientNorms(MetricsFile(loose), None),
        net(),
        regularization=Regularization(gradient_clip_norm=1e6, penalty=Penalty(0, 0)),
    )
    assert [row["clipped"] for row in written(loose)] == [0, 0]


def test_what_is_frozen_has_no_norm(tmp_path: Path) -> None:
    own = net()
    own[1].requires_grad_(False)
    path = tmp_path / "gradients.csv"
    fitted(GradientNorms(MetricsFile(path), None), own)
    rows = written(path)
    assert all("layer/1" not in row for row in rows)
    assert rows[0]["layer/3"] == pytest.approx(means(by_hand()[:1])[1], rel=0.5)
    assert path.read_text().startswith("epoch,step,layer/1,layer/3,total")


def test_a_gradient_that_overflowed_does_not_count(tmp_path: Path) -> None:
    path, own = tmp_path / "gradients.csv", net()
    recording = GradientNorms(MetricsFile(path), None)
    made = tiny.module(Classification, own)
    recording.setup(tiny.trainer(), made, "fit")
    seen = made.learning.gradients_seen
    assert seen is not None
    for size in (3.0, math.inf, 5.0):
        for weight in own.parameters():
            weight.grad = torch.zeros_like(weight)
        own[1].weight.grad[0, 0] = size
        seen()
    recording.close()
    (row,) = written(path)
    assert (row["layer/1"], row["layer/3"], row["total"]) == (4, 0, 4)


def test_watching_changes_nothing_and_ends_with_the_fit(tmp_path: Path) -> None:
    watched = fitted(GradientNorms(MetricsFile(tmp_path / "gradients.csv"), None), net())
    alone = fitted(None, net())
    assert watched.learning.gradients_seen is None and alone.learning.gradients_seen is None
    for one, other in zip(watched.net.parameters(), alone.net.parameters(), strict=True):
        assert torch.equal(one, other)


def test_parts_that_learn_in_turn_have_the_norms_of_their_own_turns(tmp_path: Path) -> None:
    """The first step, by hand: ``total`` and ``clipped`` are means over both turns."""
    path, own = tmp_path / "gradients.csv", Halves()
    other, batch = copy.deepcopy(own), next(iter(tiny.picture_data().train_loader()))
    image, norms = (batch["image"].float() / 255 - 0.4) / 0.2, []
    for part, answer in ((other.first, other.first), (other.second, other)):
        loss = functional.cross_entropy(answer(image), batch["label"])
        gradients = torch.autograd.grad(loss, list(part.parameters()))
        norms.append([float(gradients[0].norm()), float(torch.cat([one.flatten() for one in gradients]).norm())])
        with torch.no_grad():
            for weight, gradient in zip(part.parameters(), gradients, strict=True):
                weight -= 0.1 * gradient * min(1.0, 1.0 / norms[-1][1])
    assert norms[0][1] > 1.0
    made = tiny.module(
        InTurn,
        own,
        optimizers={turn: partial(torch.optim.SGD, lr=0.1) for turn in InTurn.turns},
        regularization=Regularization(Penalty(0.0, 0.0), gradient_clip_norm=1.0),
    )
    tiny.fit(made, callbacks=[GradientNorms(MetricsFile(path), 1)])
    row = written(path)[0]
    assert [row["layer/first.1"], row["layer/second.1"]] == pytest.approx([one[0] for one in norms], rel=1e-4)
    assert row["total"] == pytest.approx((norms[0][1] + norms[1][1]) / 2, rel=1e-4)
    assert row["clipped"] == sum(one[1] > 1.0 for one in norms) / 2


class Saving(pl.Callback):
    def __init__(self, step: int, path: Path) -> None:
        self.step, self.path, self.done = step, path, 0

    def on_train_batch_end(self, trainer: pl.Trainer, *rest: Any) -> None:
        self.done += 1
        if self.done == self.step:
            trainer.save_checkpoint(self.path)


@pytest.mark.parametrize(("every", "step"), [(None, 2), (None, 4), (4, 2), (4, 5)])
def test_a_run_that_goes_on_has_the_same_rows(tmp_path: Path, every: int | None, step: int) -> None:
    whole, path = tmp_path / "whole.csv", tmp_path / "middle.ckpt"
    made = tiny.module(Classification, net())
    made.steps_per_epoch = STEPS
    recording = GradientNorms(MetricsFile(whole), every)
    trainer = tiny.trainer([recording, Saving(step, path)])
    trainer.fit(made, datamodule=DataModule(tiny.picture_data()))
    recording.close()
    expected = whole.read_text()
    again = GradientNorms(MetricsFile(whole), every)
    again.rewind(step, STEPS)
    kept = whole.read_text()
    assert len(kept) < len(expected) and all(line in expected for line in kept.splitlines()[1:])
    fitted(again, net(), checkpoint=path)
    again.close()
    assert whole.read_text() == expected

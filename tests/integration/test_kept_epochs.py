"""The weights of every epoch, of a run that is killed and goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cnnexp.runs.checkpoints import BEST, kept_epochs
from tests.integration.conftest import CommandLine

WORDS = (
    "train", "model=lenet5", "data.fraction=0.05", "epochs=3", "batch_size=32", "checkpoint.keep=epochs",
    "checkpoint.every_steps=2", "hardware.threads=1",
)  # fmt: skip


@pytest.mark.integration
def test_they_are_those_of_one_that_was_not(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    done = cnnexp(*WORDS)
    assert done.status == 0, done.err
    whole = weights(only_run())
    best = torch.load(only_run() / BEST, weights_only=True)
    assert list(whole) == [1, 2, 3]
    assert same(whole[best["epoch"]], best["net"])
    assert not same(whole[1], whole[2])
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*WORDS, kill="batch:9").status == -9
    assert len(kept_epochs(only_run())) < 3
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    gone_on = weights(only_run())
    assert list(gone_on) == [1, 2, 3] and all(same(gone_on[epoch], whole[epoch]) for epoch in whole)
    done = cnnexp("resume", only_run().name, "epochs=4")
    assert done.status == 0, done.err
    (longer,) = (run for run in (tmp_path / "outputs").iterdir() if len(kept_epochs(run)) == 4)
    assert all(same(weights(longer)[epoch], whole[epoch]) for epoch in whole), "those of the run before come along"


def weights(run: Path) -> dict[int, dict[str, torch.Tensor]]:
    return {epoch: torch.load(run / name, weights_only=True)["net"] for epoch, name in kept_epochs(run).items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())

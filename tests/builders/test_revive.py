"""A loss with weights of its own comes back with the net's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cnnexp.builders.revive import put_beside
from cnnexp.errors import InputError
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.stopping import StopSignal
from cnnexp.runs.checkpoints import BEST
from cnnexp.tasks.classification import Classification
from tests.tasks import tiny
from tests.training.made import Scaled


def saved(folder: Path, loss: Any) -> Path:
    """The best checkpoint of a task with this loss."""
    (folder / BEST).parent.mkdir()
    keeping = Checkpointing(
        folder, monitor=None, mode="max", every_steps=None, max_steps=None, patience=None, min_delta=0.0,
        signal=StopSignal(),
    )  # fmt: skip
    module = tiny.module(Classification, tiny.linear_net(), loss=loss)
    keeping._save_weights(SimpleNamespace(is_global_zero=True), module, BEST, None)  # type: ignore[arg-type]
    return folder / BEST


def test_its_weights_are_kept_and_put_back(tmp_path: Path) -> None:
    loss = Scaled()
    with torch.no_grad():
        loss.factor.copy_(torch.tensor([1.0, 2.0, 3.0]))
    fresh = tiny.task(Classification, tiny.linear_net(), loss=Scaled())
    put_beside(fresh, saved(tmp_path, loss))
    assert isinstance(fresh.loss, Scaled)
    assert fresh.loss.factor.tolist() == [1.0, 2.0, 3.0]


def test_weights_of_another_loss_are_refused(tmp_path: Path) -> None:
    fresh = tiny.task(Classification, tiny.linear_net(), loss=Scaled())
    with pytest.raises(InputError, match="weights of another loss"):
        put_beside(fresh, saved(tmp_path, None))

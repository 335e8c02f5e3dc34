"""A run that is killed and resumed ends as one that was never killed, to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration.conftest import CommandLine, command_line

# 12 batches an epoch, saved after the 5th and 10th; dropout and shifts use random numbers, the plateau has a state
RUN = (
    "train",
    "model=lenet5",
    "data=mnist5k",
    "data.fraction=0.1",
    "batch_size=32",
    "epochs=4",
    "regularization.dropout=0.3",
    "scheduler=plateau",
    "scheduler.patience=0",
    "scheduler.min_delta=0.2",
    "early_stopping.patience=3",
    "checkpoint.every_steps=5",
    "log_every_steps=3",
    "logger.gradients=true",
    "hardware.threads=1",
)
STEPS = 12
TIMES = ("images_per_second", "frames_per_second")
"""What a summary says of how long things took."""


def outcome(run: Path) -> dict[str, Any]:
    """Everything that must be the same."""
    checkpoints = {
        name: torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True) for name in ("best", "last")
    }
    summary = json.loads((run / "summary.json").read_text())
    gradients = run / "gradients.csv"
    return {
        "best": checkpoints["best"]["net"],
        "last": checkpoints["last"]["state_dict"],
        "optimizer": checkpoints["last"]["optimizer_states"][0]["state"],
        "schedule": checkpoints["last"]["schedule"],
        "metrics.csv": (run / "metrics.csv").read_text(),
        "gradients.csv": gradients.read_text() if gradients.exists() else None,
        "predictions.csv": (run / "predictions.csv").read_text(),
        "summary": {key: value for key, value in summary.items() if key not in TIMES},
    }


def differences(one: Any, other: Any, name: str = "") -> list[str]:
    """Names of all leaves in which two outcomes differ."""
    if isinstance(one, dict):
        keys = one.keys() | other.keys()
        return [d for key in keys for d in differences(one.get(key), other.get(key), f"{name}/{key}")]
    same = torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    return [] if same else [name]


@pytest.fixture(scope="session")
def undisturbed(server: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcome of the run that nobody killed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done = command_line(server, folder)(*RUN)
    assert done.status == 0, done.err
    (run,) = (folder / "outputs").iterdir()
    return outcome(run)


KILLS = {
    "before the first checkpoint": ["batch:3"],
    "in mid-epoch": [f"batch:{STEPS + 9}"],
    "right after a save": [f"after_batch:{STEPS + 5}"],
    "on the last batch of an epoch": [f"batch:{2 * STEPS}"],
    "after the last batch of an epoch": [f"after_batch:{2 * STEPS}"],
    "in validation": ["validation:3"],
    "at the epoch's end, before it is saved": ["epoch_end:2"],
    "at the epoch's end, after it is saved": ["saved:2"],
    "after the last epoch": ["saved:4"],
    "in the test": ["test:2"],
    "twice": [f"batch:{STEPS + 8}", "batch:7"],
    "twice in one epoch, and once before the first save": ["batch:4", f"batch:{STEPS + 3}", "batch:3"],
}


AT_EACH_KIND_OF_PLACE = {
    "before the first checkpoint", "right after a save", "at the epoch's end, before it is saved", "in the test",
    "twice",
}  # fmt: skip
"""The others are for the slow tests."""


def kills_of(name: str) -> Any:
    return pytest.param(KILLS[name], id=name, marks=[] if name in AT_EACH_KIND_OF_PLACE else [pytest.mark.slow])


def test_the_places_are_named() -> None:
    assert set(KILLS) > AT_EACH_KIND_OF_PLACE


@pytest.mark.parametrize("kills", [kills_of(name) for name in KILLS])
def test_killed_and_resumed(
    kills: Sequence[str],
    undisturbed: dict[str, Any],
    cnnexp: CommandLine,
    only_run: Callable[[], Path],
) -> None:
    words: Sequence[str] = RUN
    for kill in kills:
        done = cnnexp(*words, kill=kill)
        assert done.status == -9, done.err
        words = ("resume", "last")
    status = json.loads(cnnexp("compare", "--json").out)[0]["status"]
    assert status == "crashed"
    done = cnnexp(*words)
    assert done.status == 0, done.err
    assert differences(outcome(only_run()), undisturbed) == []


def test_the_same_command_gives_the_same_weights(
    undisturbed: dict[str, Any], cnnexp: CommandLine, only_run: Any
) -> None:
    done = cnnexp(*RUN)
    assert done.status == 0, done.err
    assert differences(outcome(only_run()), undisturbed) == []


def test_another_seed_gives_other_weights(undisturbed: dict[str, Any], cnnexp: CommandLine, only_run: Any) -> None:
    assert cnnexp(*RUN, "seed=1").status == 0
    assert "/best/conv1.weight" in differences(outcome(only_run()), undisturbed)

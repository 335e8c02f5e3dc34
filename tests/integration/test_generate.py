"""``cnnexp generate``: the same sheet for the same seed, and a line for a run whose net makes no pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.integration.conftest import CommandLine, copy_run

pytestmark = pytest.mark.integration

SMALL = ("data=mnist5k", "data.fraction=0.02", "epochs=1", "batch_size=16", "hardware.threads=1")


@pytest.mark.parametrize(
    "net", [("model=vae", "model.hidden=[20]"), ("model=dcgan", "model.width=4", "task.judge=null")]
)
def test_a_seed_makes_one_sheet(
    net: tuple[str, ...], cnnexp: CommandLine, here: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    done = cnnexp("train", *net, *SMALL)
    assert done.status == 0, done.err

    def sheet(name: str, seed: str) -> np.ndarray:
        made = here("generate", "last", "--count", "5", "--seed", seed, "--out", name)
        assert made.status == 0, made.err
        assert made.out.strip() == f"{name}: 5 pictures made up by {only_run().name}, seed {seed}"
        return np.asarray(Image.open(tmp_path / name))

    first, again, other = sheet("a.png", "3"), sheet("b.png", "3"), sheet("c.png", "4")
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_classifier_makes_no_pictures(trained: Path, here: CommandLine, tmp_path: Path) -> None:
    run = copy_run(trained, tmp_path)
    done = here("generate", run.name)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert "its task is classification, whose net makes no pictures" in done.err and "model=vae" in done.err
    assert not (tmp_path / "generated.png").exists()

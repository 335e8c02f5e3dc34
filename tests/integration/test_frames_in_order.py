"""A net that was trained on moving digits tells where they go by the order of the frames, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import CommandLine

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_reversed_frames_go_the_opposite_way_and_shuffled_ones_nowhere(
    cnnexp: CommandLine, only_run: Callable[[], Path]
) -> None:
    done = cnnexp("train", "model=cnn_lstm", "data=moving_digits")
    assert done.status == 0, done.err

    def accuracy(order: str) -> float:
        done = cnnexp("test", only_run().name, f"data.order={order}", "--json")
        assert done.status == 0, done.err
        return float(json.loads(done.out)["metrics"]["test/accuracy"])

    assert accuracy("forward") >= 0.95
    assert accuracy("reversed") >= 0.9
    assert accuracy("shuffled") <= 0.3

"""Frames a second: one picture at a time, the whole way to an answer, and never for long."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnexp.fit import frames
from cnnexp.tasks.detection import Detection
from tests.tasks import tiny


class Clock:
    """Every answer takes so many seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
        self.now, self.seconds, self.asked = 0.0, list(seconds), 0
        monkeypatch.setattr(frames.time, "perf_counter", lambda: self.now)

    def answer(self, batch: dict[str, Any]) -> list[Any]:
        assert len(batch["image"]) == 1 and not torch.is_grad_enabled()
        self.now += self.seconds[min(self.asked, len(self.seconds) - 1)]
        self.asked += 1
        return [None]


def measured(clock: Clock, monkeypatch: pytest.MonkeyPatch, samples: int) -> dict[str, Any]:
    task = tiny.task(Detection, tiny.grid_net())
    monkeypatch.setattr(task, "predict", clock.answer)
    return frames.measure_frames(task, tiny.picture_data(test=samples).split("test"))


def test_the_median_counts_and_not_what_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 9.0, 9.0, 9.0, 0.1, 0.01, 0.02, 0.02, 0.04)
    threads = torch.get_num_threads()
    words = f"cpu, {threads} thread{'' if threads == 1 else 's'}"
    assert measured(clock, monkeypatch, 5) == {"frames_per_second": 50.0, "frames_on": words}
    assert clock.asked == 8


def test_a_slow_net_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 0.9)
    assert measured(clock, monkeypatch, 40)["frames_per_second"] == pytest.approx(1 / 0.9, abs=0.01)
    assert clock.asked == 3 + 3


def test_no_more_than_fifty_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 0.001)
    measured(clock, monkeypatch, 80)
    assert clock.asked == 3 + 50

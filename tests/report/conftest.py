"""Records made by hand: what a run's folder would say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cnnexp.runs.read import Record

MakeRecord = Callable[..., Record]
TASKS = {"lenet5": "classification", "resnet20": "classification", "unet": "segmentation", "yolo": "detection"}
MONITORS = {"classification": "val/accuracy", "segmentation": "val/miou", "detection": "val/map_50"}


@pytest.fixture
def record() -> MakeRecord:
    """A function that makes a record: an id, a net, a data set, metrics, then configuration keys by dotted name."""

    def make(
        identity: str = "20261121-093105-lenet5-mnist5k-3f9a",
        model: str = "lenet5",
        data: str = "mnist5k",
        metrics: Mapping[str, float] | None = None,
        status: str = "finished",
        command: tuple[str, ...] = (),
        error: str | None = None,
        **settings: Any,
    ) -> Record:
        task = TASKS[model]
        choices = {"optimizer": settings.pop("optimizer", "adam"), "task": task, "data": data, "model": model}
        config: dict[str, Any] = {
            "seed": settings.pop("seed", 0),
            "epochs": 10,
            "outputs": settings.pop("outputs", "outputs"),
            "name": settings.pop("name", None),
            "task": {"_target_": f"cnnexp.tasks.{task}", "name": task, "monitor": MONITORS[task]},
            "model": {"_target_": f"cnnexp.models.{model}"} | settings.pop("of_model", {}),
            "data": {"_target_": f"cnnexp.data.{data}", "mean": [len(data) / 10]},
            "optimizer": {"lr": settings.pop("lr", 0.001)},
            "choices": choices,
        }
        config |= settings.pop("config", {})
        run = {
            "created": settings.pop(
                "created", f"2026-11-21T{identity[9:11]}:{identity[11:13]}:{identity[13:15]}+00:00"
            ),
            "duration_s": settings.pop("duration_s", 48.1),
            "command": ["cnnexp", "train", *command],
            "error": error,
        }
        partial = settings.pop("partial", False)
        folder = settings.pop("folder", Path("outputs") / identity)
        assert not settings, f"unknown: {settings}"
        return Record(
            folder, identity, status, partial, config, run, {"metrics": dict(metrics or {})} if metrics else {}
        )

    return make

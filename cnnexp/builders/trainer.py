"""Lightning's arguments for resolved hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy, Strategy

PRECISION: Mapping[str, Any] = {"fp64": "64-true", "fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def trainer_arguments(hardware: Mapping[str, Any], launched: str | None) -> dict[str, Any]:
    """Lightning's arguments for resolved hardware."""
    return {
        "accelerator": hardware["accelerator"],
        "devices": hardware["devices"],
        "num_nodes": hardware["nodes"],
        "strategy": _strategy(hardware),
        "precision": PRECISION[hardware["precision"]],
        "plugins": [LightningEnvironment()] if launched is None else None,
    }


def _strategy(hardware: Mapping[str, Any]) -> Strategy | str:
    if hardware["strategy"] != "ddp":
        return "auto"
    return DDPStrategy(process_group_backend="gloo" if hardware["accelerator"] == "cpu" else "nccl")

"""Lightning's arguments, from resolved hardware."""

from __future__ import annotations

from typing import Any

import pytest
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy

from cnnexp.builders.trainer import trainer_arguments
from cnnexp.config.schema import RUN
from tests.tasks.tiny import HARDWARE


def arguments(launched: str | None = None, **changes: Any) -> dict[str, Any]:
    return trainer_arguments({**HARDWARE, **changes}, launched)


@pytest.mark.parametrize(("accelerator", "backend"), [("cpu", "gloo"), ("gpu", "nccl")])
def test_several_processes_talk_in_the_way_of_their_devices(accelerator: str, backend: str) -> None:
    made = arguments(accelerator=accelerator, strategy="ddp", devices=2, nodes=3)
    assert isinstance(made["strategy"], DDPStrategy) and made["strategy"].process_group_backend == backend
    assert (made["accelerator"], made["devices"], made["num_nodes"]) == (accelerator, 2, 3)


def test_one_process_needs_no_strategy() -> None:
    assert arguments()["strategy"] == "auto"


@pytest.mark.parametrize(
    ("precision", "lightnings"),
    [("fp64", "64-true"), ("fp32", "32-true"), ("bf16", "bf16-mixed"), ("fp16", "16-mixed")],
)
def test_weights_stay_whole_in_a_lower_precision(precision: str, lightnings: str) -> None:
    assert arguments(precision=precision)["precision"] == lightnings


def test_every_precision_of_the_schema_is_known() -> None:
    rule: Any = RUN.keys["hardware"].keys["precision"]  # type: ignore[union-attr]
    assert rule.choices and all(arguments(precision=one)["precision"] for one in rule.choices)


def test_only_a_launcher_is_asked_for_the_processes() -> None:
    """Variables of SLURM stand in every shell of an allocation, where this run was not started by srun."""
    (plugin,) = arguments()["plugins"]
    assert isinstance(plugin, LightningEnvironment)
    assert arguments(launched="slurm")["plugins"] is None

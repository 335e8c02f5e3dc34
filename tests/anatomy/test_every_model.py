"""Every net of the group, taken apart: nothing is lost between the layers and the totals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cnnexp.anatomy.subject import Subject, described, find_subject
from cnnexp.config.check import TASK_OF_TARGET
from cnnexp.config.compose import compose_run
from cnnexp.config.options import data_with, option_files, task_of_model
from cnnexp.errors import InputError
from cnnexp.paths import config_folder

FOLDERS = [config_folder()]
MODELS = option_files("model", FOLDERS)
TARGET_OF_TASK = {task: target for target, task in TASK_OF_TARGET.items()}
SIDES = (32, 224, 299)
"""Every net takes a picture of one of these."""


def taken_apart(path: Path) -> tuple[Subject, dict[str, Any]]:
    """A net on the smallest of the pictures that it can learn from: auxiliary heads want larger ones than the rest."""
    target = TARGET_OF_TASK.get(task_of_model(path) or "")
    words = [f"model={path.stem}", *([f"data={data_with(target, FOLDERS)[0]}"] if target else []), "batch_size=4"]
    config, errors = compose_run(words), []
    for side in SIDES:
        try:
            subject = find_subject(config, size=(3, side, side), classes=7)
            content = described(subject)
        except InputError as error:
            errors.append(error)
            continue
        if content["training"] is not None:
            return subject, content
    raise AssertionError(f"{path.stem} learns from none of {SIDES}: {errors}")


def test_there_are_nets() -> None:
    assert len(MODELS) >= 10


@pytest.mark.parametrize("path", MODELS.values(), ids=list(MODELS))
def test_layers_add_up_and_costs_agree_with_torchs_counter(path: Path) -> None:
    subject, content = taken_apart(path)
    totals, layers = content["totals"], content["layers"]
    assert sum(layer["parameters"] for layer in layers) == totals["parameters"] > 0
    assert totals["parameters"] == sum(parameter.numel() for parameter in subject.net.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        subject.net.eval()(torch.empty(1, *subject.input_shape, device="meta"))
    assert 2 * totals["multiply_adds"] == counter.get_total_flops()
    called = [layer for layer in layers if layer["calls"] and layer["output"] is not None]
    assert all(layer["receptive_field"] is not None for layer in called), "an operation without a rule"
    step = content["training"]
    assert step["bytes"] == step["weights_bytes"] + step["optimizer_bytes"] + step["step_bytes"]
    # weights' gradients and the inputs of all layers wait for the backward pass at the same time, more or less
    assert step["step_bytes"] > 4 * totals["trainable"]

"""Every net of the group, taken apart: nothing is lost between the layers and the totals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cnnexp.anatomy.subject import Subject, described, find_subject
from cnnexp.builders.facts import build_input
from cnnexp.builders.target import import_target
from cnnexp.config.compose import compose_run
from cnnexp.config.options import PICTURES, data_with, input_of_data, input_of_model, option_files, task_of_model, tasks
from cnnexp.errors import InputError
from cnnexp.paths import config_folder
from cnnexp.tasks.word_vectors import WordVectors
from tests.models.deep import deep_ones_slow

FOLDERS = [config_folder()]
MODELS = option_files("model", FOLDERS)
TASKS = tasks(FOLDERS)
SIDES = (32, 224, 299)
"""Every net for pictures takes one of these."""
NOT_LOOKING = {"vqa_baseline": ("question", "joined.asked")}
"""Of a net for a picture and a text the layers that see the text alone."""


def taken_apart(path: Path) -> tuple[Subject, dict[str, Any]]:
    """A net on the smallest of the samples that it can learn from: auxiliary heads want larger ones than the rest."""
    target, kind = TASKS[task_of_model(path) or ""]["target"], input_of_model(path) or PICTURES
    of_kind = [one for one, file in option_files("data", FOLDERS).items() if input_of_data(file) == kind]
    own = data_with(target, FOLDERS, kind) if target else ["mnist5k"] if kind == PICTURES else of_kind
    words = [f"model={path.stem}", f"data={own[0]}", "batch_size=4"]
    config, errors = compose_run(words), []
    for shape in [(3, side, side) for side in SIDES] if kind == PICTURES else [build_input(config).shape]:
        try:
            subject = find_subject(config, size=shape, classes=7)
            content = described(subject)
        except InputError as error:
            errors.append(error)
            continue
        if content["training"] is not None:
            return subject, content
    raise AssertionError(f"{path.stem} learns from no such sample: {errors}")


def test_there_are_nets() -> None:
    assert len(MODELS) >= 10


@pytest.mark.parametrize("name", deep_ones_slow(MODELS))
def test_layers_add_up_and_costs_agree_with_torchs_counter(name: str) -> None:
    path = MODELS[name]
    subject, content = taken_apart(path)
    totals, layers = content["totals"], content["layers"]
    assert sum(layer["parameters"] for layer in layers) == totals["parameters"] > 0
    assert totals["parameters"] == sum(parameter.numel() for parameter in subject.net.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        subject.net.eval()(*subject.example(1, "meta"))
    assert 2 * totals["multiply_adds"] == counter.get_total_flops()
    called = [layer for layer in layers if layer["calls"] and layer["output"] is not None]
    blind = [layer["name"] for layer in called if layer["receptive_field"] is None]
    assert all(one.startswith(NOT_LOOKING.get(name, ())) for one in blind), "an operation without a rule"
    assert bool(blind) == (name in NOT_LOOKING)
    step = content["training"]
    assert step["bytes"] == step["weights_bytes"] + step["optimizer_bytes"] + step["step_bytes"]
    # weights' gradients and the inputs of all layers wait for the backward pass at the same time, more or less
    assert step["step_bytes"] > 4 * (totals["trainable"] - not_answering(path, layers))


def not_answering(path: Path, layers: list[dict[str, Any]]) -> int:
    """Weights that a sample does not pass, as those of a generator, or of tables that a loss alone looks into; other
    nets with one optimizer have none."""
    task = import_target(TASKS[task_of_model(path) or ""]["_target_"], "task")
    whole = len(task.turns) == 1 and task is not WordVectors
    return 0 if whole else sum(layer["parameters"] for layer in layers if not layer["calls"])

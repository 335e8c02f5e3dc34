"""Every classifier of the group through the real command line, a few batches of real pictures each."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from cnnexp.config.options import option_files, task_of_model
from cnnexp.paths import config_folder
from tests.integration.conftest import CommandLine

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NETS = option_files("model", [config_folder()])
CLASSIFIERS = [name for name, path in NETS.items() if task_of_model(path) == "classification"]
WORDS = ("epochs=1", "max_steps=5", "batch_size=4", "hardware.threads=1")


def test_there_are_nets_to_train() -> None:
    assert len(CLASSIFIERS) >= 30


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_five_steps_on_digits(cnnexp: CommandLine, tmp_path: Path, name: str) -> None:
    """28x28 pictures, or for nets that refuse them the size that their line names: it has to be one that works."""
    done = cnnexp("train", f"model={name}", "data=mnist5k", *WORDS)
    if done.status == 2:
        (line,) = done.lines
        size = re.search(r"data\.image_size=\[(\d+),\1\][^\[]*$", line)
        assert size is not None, line
        assert not (tmp_path / "outputs").exists(), "refused before anything was made"
        done = cnnexp("train", f"model={name}", "data=mnist5k", f"data.image_size=[{size[1]},{size[1]}]", *WORDS)
    assert done.status == 0, done.err
    (run,) = (tmp_path / "outputs").iterdir()
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "stopped"
    metrics = json.loads((run / "summary.json").read_text())["metrics"]
    assert 0 <= metrics["test/accuracy"] <= 1 and math.isfinite(metrics["val/loss"])


@pytest.mark.parametrize("name", ["resnet20", "densenet121", "vgg11_bn", "googlenet", "xception", "resnetv2_50"])
def test_five_steps_on_cifar10(cnnexp: CommandLine, mirror: Path, tmp_path: Path, name: str) -> None:
    environment = {"CNNEXP_DATA_MIRROR": str(mirror), "CNNEXP_DATA_DIR": str(tmp_path / "cache")}
    done = cnnexp("train", f"model={name}", "data=cifar10", *WORDS, **environment)
    assert done.status == 0, done.err

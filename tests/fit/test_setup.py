"""A run begins whole or not at all: what is refused leaves nothing, what is found is in the frozen configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn

from cnnexp.builders.build import Experiment
from cnnexp.errors import InputError
from cnnexp.fit import setup
from cnnexp.fit.console import RunLog
from cnnexp.fit.ranks import Role
from cnnexp.fit.setup import Request, Run, begin
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.runs.checkpoints import LAST
from cnnexp.runs.lock import is_locked
from cnnexp.tasks.classification import Classification
from tests.builders.made import CLASSES, configuration
from tests.tasks import tiny

pytestmark = pytest.mark.usefixtures("process_kept", "without_git")


def requested(tmp_path: Path, **changes: Any) -> Request:
    config = configuration(**{"outputs": str(tmp_path / "outputs"), **changes})
    return Request(config, ["cnnexp", "train", "model=linear"], parent="before")


def frozen(run: Run) -> dict[str, Any]:
    assert run.folder is not None
    loaded: dict[str, Any] = yaml.safe_load((run.folder / "config.yaml").read_text())
    return loaded


def weights_file(folder: Path, value: float) -> Path:
    """Weights of the tiny configuration's net, all alike."""
    state = {"linear.weight": torch.full((3, 192), value), "linear.bias": torch.full((3,), value)}
    torch.save(state, folder / "weights.pth")
    return folder / "weights.pth"


def values(net: nn.Module) -> set[float]:
    return set(torch.cat([one.detach().flatten() for one in net.parameters()]).tolist())


# --- a new run --------------------------------------------------------------------------------------------------------


def test_a_new_run_has_a_folder_with_all_that_was_resolved(tmp_path: Path, log: RunLog) -> None:
    run = begin(requested(tmp_path, hardware={"devices": "auto", "threads": None}), Role(), log)
    assert run.new and run.folder is not None and run.folder.parent == tmp_path / "outputs"
    assert run.name == run.folder.name
    assert frozen(run) == run.config
    assert isinstance(run.config["hardware"]["threads"], int) and run.config["hardware"]["devices"] == 1
    record = json.loads((run.folder / "run.json").read_text())
    assert (record["status"], record["parent"]) == ("running", "before")
    assert record["command"] == ["cnnexp", "train", "model=linear"] and record["device"]
    assert is_locked(run.folder)
    assert run.module.steps_per_epoch == 5, "forty pictures by eight"


def test_balanced_weights_are_numbers_in_the_loss_and_in_the_frozen_configuration(tmp_path: Path, log: RunLog) -> None:
    run = begin(requested(tmp_path, regularization={"class_weights": "balanced"}), Role(), log)
    labels = run.experiment.data.split("train").batch(range(40))["label"].numpy()
    expected = 40 / (3 * np.bincount(labels, minlength=3))
    loss = run.module.task.loss
    assert isinstance(loss, CrossEntropy) and isinstance(loss.class_weights, Tensor)
    assert loss.class_weights.tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert frozen(run)["regularization"]["class_weights"] == pytest.approx(expected.tolist(), abs=1e-6)


def test_classes_that_the_folder_told_are_frozen(tmp_path: Path, log: RunLog) -> None:
    from tests.data.tiny import write_class_folders

    root = write_class_folders(tmp_path / "own", 10)
    data = configuration()["data"]
    del data["count"]
    own = {"_target_": "cnnexp.data.image_folder.ImageFolder", "root": str(root), "classes": None, "in_memory": True}
    request = requested(tmp_path)
    request.config["data"] = {**data, **own}
    assert frozen(begin(request, Role(), log))["data"]["classes"] == ["cat", "dog"]


def test_weights_are_put_in_before_the_average_begins_and_noted(tmp_path: Path, log: RunLog) -> None:
    model = {"weights": str(weights_file(tmp_path, 0.25))}
    run = begin(requested(tmp_path, model=model, regularization={"ema_decay": 0.9}), Role(), log)
    assert values(run.module.net) == values(run.module.judged_net) == {0.25}
    assert run.module.judged_net is not run.module.net
    assert run.folder is not None
    assert json.loads((run.folder / "weights.json").read_text())["loaded"] == ["linear.weight", "linear.bias"]


# --- refused ----------------------------------------------------------------------------------------------------------


def refused(request: Request, log: RunLog) -> str:
    with pytest.raises(InputError) as error:
        begin(request, Role(), log)
    assert not Path(request.config["outputs"]).is_dir(), "nothing was made"
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": {"widht": 3}}, "model.widht: nothing reads it in Linear"),
        ({"model": {"weights": "nowhere.pth"}}, "nowhere.pth"),
        ({"hardware": {"devices": 3, "strategy": "ddp"}}, "batch_size=8 does not split evenly over 3 devices"),
        ({"hardware": {"precision": "fp16"}}, "fp16 needs a GPU"),
        (
            {"data": {"fraction": 0.01}, "hardware": {"devices": 2}},
            "data.fraction=0.01 leaves 1 training pictures for 2 devices; take a larger part",
        ),
    ],
)
def test_what_does_not_fit_leaves_nothing(changes: dict[str, Any], says: str, tmp_path: Path, log: RunLog) -> None:
    assert says in refused(requested(tmp_path, **changes), log)


def test_a_folder_that_cannot_be_made_is_refused_before_the_data_is_read(
    tmp_path: Path, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "build", lambda *arguments, **named: pytest.fail("something was built"))
    (tmp_path / "outputs").write_text("a file")
    assert "outputs=FOLDER" in refused(requested(tmp_path), log)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_an_empty_split_is_named(split: str) -> None:
    experiment = Experiment(tiny.picture_data(**{split: 0}), tiny.task(Classification, tiny.linear_net()))
    with pytest.raises(InputError, match=f"^data=synthetic: the {split} split holds no picture$"):
        setup._steps_per_epoch(experiment, configuration())


# --- a run that is gone on with, and other processes ------------------------------------------------------------------


def test_a_run_with_a_checkpoint_does_without_the_weights_that_it_began_with(tmp_path: Path, log: RunLog) -> None:
    config = requested(tmp_path, model={"weights": str(tmp_path / "gone.pth")}).config
    folder = tmp_path / "run"
    (folder / LAST).parent.mkdir(parents=True)
    request = Request(config, ["cnnexp", "resume"], folder=folder)
    with pytest.raises(InputError, match=r"gone\.pth"):
        begin(request, Role(rank=1, folder=None), log)
    (folder / LAST).touch()
    run = begin(request, Role(rank=1), log)
    assert run.start is None and not run.new and run.folder == folder


def test_another_process_takes_the_frozen_configuration_and_writes_nothing(tmp_path: Path, log: RunLog) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    frozen_config = configuration(seed=5, regularization={"class_weights": [1.0, 2.0, 3.0]})
    (folder / "config.yaml").write_text(yaml.safe_dump(frozen_config))
    run = begin(requested(tmp_path, seed=0), Role(rank=1, folder=folder), log)
    assert run.config == frozen_config and run.config["data"]["classes"] == list(CLASSES)
    assert run.recorder.folder is None and run.folder == folder
    assert [path.name for path in folder.iterdir()] == ["config.yaml"]
    assert not (tmp_path / "outputs").exists()

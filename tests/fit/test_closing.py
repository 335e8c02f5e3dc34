"""What is tested at the end of a run, and what of it is written down."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import Interrupted
from cnnexp.fit import closing
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.console import RunLog
from cnnexp.fit.ranks import Agreement, Role
from cnnexp.fit.recorder import METRICS, Recorder
from cnnexp.fit.setup import Request, begin
from cnnexp.fit.stopping import StopSignal
from cnnexp.runs.checkpoints import BEST
from tests.builders.made import configuration

pytestmark = pytest.mark.usefixtures("process_kept", "without_git")
STEP = 27
"""Of 25 an epoch: in the second one."""


def fitted(tmp_path: Path, log: RunLog, **changes: Any) -> Any:
    """A training that is over, whose best weights say the first class; those of the end say the second."""
    config = configuration(**{"outputs": str(tmp_path), "data": {"count": 200, "targets": ["label"]}, **changes})
    run = begin(Request(config, ["cnnexp", "train"]), Role(), log)
    assert run.folder is not None
    answer(run.module.net, 0)
    best = {"net": dict(run.module.net.state_dict()), "loss": {}, "epoch": 1, "score": 0.5}
    torch.save(best, run.folder / BEST)
    answer(run.module.net, 1)
    run.module.results = {"train/loss": 1.5, "val/accuracy": -1.0}
    run.recorder.open_files(config)
    stop = StopSignal()
    keeping = Checkpointing(
        run.folder, monitor="val/accuracy", mode="max", every_steps=None, max_steps=None, patience=None, min_delta=0.0,
        signal=stop,
    )  # fmt: skip
    keeping.step, keeping.best_epoch, keeping.best_results = STEP, 1, {"val/accuracy": 0.5, "train/loss": 2.0}
    return SimpleNamespace(
        run=run,
        stop=stop,
        agreement=Agreement(config, run.folder),
        checkpointing=keeping,
        recording=SimpleNamespace(images_per_second=123.0),
    )


def answer(net: nn.Module, place: int) -> None:
    """Let softmax regression say one class whatever it sees."""
    with torch.no_grad():
        for one in net.parameters():
            one.zero_()
        net.linear.bias[place] = 9.0  # type: ignore[union-attr, index]


def share(fit: Any, place: int, positions: Any) -> float:
    return float((fit.run.experiment.data.split("test").batch(positions)["label"] == place).float().mean())


def test_the_best_weights_are_tested_and_the_trainings_results_go(tmp_path: Path, log: RunLog) -> None:
    fit = fitted(tmp_path, log)
    closing.test(fit)
    results = fit.run.module.results
    assert {name.partition("/")[0] for name in results} == {"test"}
    assert results["test/accuracy"] == pytest.approx(share(fit, 0, range(20)))
    assert sorted(fit.run.module.predictions["index"]) == list(range(20))


def test_a_run_that_was_cut_short_is_tried_on_a_few_batches_with_the_weights_that_it_has(
    tmp_path: Path, log: RunLog
) -> None:
    fit = fitted(tmp_path, log, batch_size=2)
    fit.run.partial = True
    closing.test(fit)
    module = fit.run.module
    assert module.results["train/loss"] == 1.5 and module.results["val/accuracy"] >= 0, "validated anew"
    assert len(module.predictions["index"]) == 4 * 2
    assert module.results["test/accuracy"] == pytest.approx(share(fit, 1, module.predictions["index"].tolist()))


def test_averaged_weights_are_what_is_left_in_the_net(tmp_path: Path, log: RunLog) -> None:
    fit = fitted(tmp_path, log, regularization={"ema_decay": 0.9})
    answer(fit.run.module.judged_net, 2)
    fit.run.partial = True
    closing.test(fit)
    assert fit.run.module.net.linear.bias.tolist() == [0, 0, 9]


def test_a_wish_to_stop_that_came_in_the_test_ends_the_run(tmp_path: Path, log: RunLog) -> None:
    fit = fitted(tmp_path, log)
    fit.stop.wished = True
    with pytest.raises(Interrupted, match="stopped in the test; the training is saved"):
        closing.test(fit)


def test_the_test_is_written_with_the_step_that_the_training_came_to(tmp_path: Path, log: RunLog) -> None:
    fit = fitted(tmp_path, log)
    closing.test(fit)
    fit.run.module.task.reference = lambda data: {"plain": 0.125}
    closing.record(fit)
    folder = fit.run.folder
    (row,) = csv.DictReader((folder / METRICS).read_text().splitlines())
    assert (row["epoch"], row["step"]) == ("2", str(STEP))
    accuracy = share(fit, 0, range(20))
    assert float(row["test/accuracy"]) == pytest.approx(accuracy) and float(row["test/plain"]) == 0.125
    assert not [name for name in row if name.startswith("train/")]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["metrics"]["test/accuracy"] == pytest.approx(accuracy)
    assert (summary["metrics"]["val/accuracy"], summary["metrics"]["train/loss"]) == (0.5, 2.0)
    assert (summary["multiply_adds"], summary["images_per_second"]) == (3 * 8 * 8 * 3, 123.0)
    with (folder / "predictions.csv").open() as file:
        assert {one["prediction"] for one in csv.DictReader(file)} == {"ant"}
    assert (folder / "pictures" / "predictions.png").exists()
    assert f"{folder.name}" in log.console.export_text()


def test_nothing_is_compared_with_a_run_that_was_cut_short(tmp_path: Path, log: RunLog) -> None:
    fit = fitted(tmp_path, log)
    fit.run.partial = True
    fit.run.module.results = {"train/loss": 1.5, "test/accuracy": 0.5}
    fit.run.module.task.reference = lambda data: pytest.fail("a reference was worked out")
    closing.record(fit)
    summary = json.loads((fit.run.folder / "summary.json").read_text())
    assert summary["partial"] and summary["metrics"] == {"train/loss": 1.5, "test/accuracy": 0.5}
    (row,) = csv.DictReader((fit.run.folder / METRICS).read_text().splitlines())
    assert set(row) == {"epoch", "step", "test/accuracy"}, "what was trained has rows already"
    assert "stopped" in log.console.export_text()


def test_the_other_processes_record_nothing(tmp_path: Path, log: RunLog) -> None:
    fit = fitted(tmp_path / "outputs", log)
    before = sorted(fit.run.folder.rglob("*"))
    fit.run.recorder = Recorder(log, None)
    fit.run.module.task.reference = lambda data: pytest.fail("a reference was worked out")
    closing.record(fit)
    assert sorted(fit.run.folder.rglob("*")) == before

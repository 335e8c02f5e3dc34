"""Which runs are run again, where, and what is left when the repetition does not come to its end."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnexp.commands import reproduce
from cnnexp.errors import InputError
from cnnexp.fit.ranks import Role

RUN = "20261121-100000-lenet5-a"
Train = Callable[[Any], int]


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    reproduce.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """One finished run, whose configuration names a stranger's folder."""
    folder = tmp_path / "outputs" / RUN
    folder.mkdir(parents=True)
    config = {
        "choices": {"model": "lenet5", "data": "mnist5k"},
        "outputs": "/somewhere/else",
        "name": "mine",
        "seed": 3,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "task": {"monitor": "val/accuracy"}}))
    run = {"schema_version": 1, "status": "finished", "created": "2026-11-21T10:00:00+00:00"}
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "summary.json").write_text(json.dumps({"metrics": {"test/accuracy": 0.9}}))
    return tmp_path / "outputs"


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the training was asked, which is not begun; ``result`` says how it ends."""
    asked: list[Any] = []

    def checked(record: Any) -> dict[str, Any]:
        return dict(record.config)

    monkeypatch.setattr("cnnexp.builders.revive.checked_config", checked)
    for module in ("write", "provenance"):
        monkeypatch.setattr(f"cnnexp.runs.{module}.git_state", lambda folder: (None, ""))
    monkeypatch.setattr("cnnexp.fit.ranks.find_role", Role)
    monkeypatch.setattr("cnnexp.fit.run.run", lambda request, role: asked.append((request, role)) or 0)
    return asked


def again(outputs: Path) -> list[Path]:
    return sorted(folder for folder in outputs.iterdir() if folder.name != RUN)


def ends_with(score: float, status: int = 0) -> Callable[[Any, Any], int]:
    def run(request: Any, role: Role) -> int:
        folder = request.writer.folder
        (folder / "summary.json").write_text(json.dumps({"metrics": {"test/accuracy": score}}))
        content = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**content, "status": "finished"}))
        request.writer.started = True
        return status

    return run


@pytest.mark.parametrize(
    ("change", "says"), [({"status": "stopped"}, "is stopped"), ({"partial": True}, "only a finished run")]
)
def test_only_a_whole_run_is_run_again(change: dict[str, Any], says: str, outputs: Path, training: list[Any]) -> None:
    file = outputs / RUN / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(InputError, match=says):
        reproduce.run(parsed("last", "--outputs", str(outputs)))
    assert training == [] and again(outputs) == []


def test_it_is_written_beside_the_first_and_not_where_the_configuration_says(
    outputs: Path, training: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cnnexp.fit.run.run", ends_with(0.9))
    assert reproduce.run(parsed("last", "--outputs", str(outputs))) == 0
    (folder,) = again(outputs)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert (config["outputs"], config["name"], config["seed"]) == (str(outputs), "mine", 3)
    text = capsys.readouterr().out
    assert f"{RUN} again: equal to the bit in all 1 metrics" in text
    assert f"what differs: cnnexp diff {outputs / RUN} {folder}" in text


def test_what_the_training_ends_with_is_the_status_and_no_verdict_follows(
    outputs: Path, training: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cnnexp.fit.run.run", ends_with(0.9, status=130))
    assert reproduce.run(parsed("last", "--outputs", str(outputs))) == 130
    assert "again" not in capsys.readouterr().out


def predictions(folder: Path, right: int) -> None:
    rows = [f"{place},x,{'x' if place < right else 'y'}" for place in range(100)]
    (folder / "predictions.csv").write_text("\n".join(["index,target,prediction", *rows, ""]))


@pytest.mark.parametrize(("right", "status"), [(89, 0), (60, 1)])
def test_a_result_that_chance_does_not_explain_is_a_failure(
    right: int,
    status: int,
    outputs: Path,
    training: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    predictions(outputs / RUN, 90)

    def run(request: Any, role: Role) -> int:
        predictions(request.writer.folder, right)
        return ends_with(right / 100)(request, role)

    monkeypatch.setattr("cnnexp.fit.run.run", run)
    assert reproduce.run(parsed("last", "--outputs", str(outputs))) == status
    assert ("NOT reproduced" in capsys.readouterr().out) == bool(status)


@pytest.mark.parametrize("error", [InputError("no such data"), KeyboardInterrupt()])
def test_what_fails_before_it_begins_leaves_no_folder(
    error: BaseException, outputs: Path, training: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(request: Any, role: Role) -> int:
        raise error

    monkeypatch.setattr("cnnexp.fit.run.run", run)
    with pytest.raises(type(error)):
        reproduce.run(parsed("last", "--outputs", str(outputs)))
    assert again(outputs) == []


def test_what_fails_under_way_leaves_its_record(
    outputs: Path, training: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(request: Any, role: Role) -> int:
        request.writer.started = True
        raise RuntimeError("the loss is gone")

    monkeypatch.setattr("cnnexp.fit.run.run", run)
    with pytest.raises(RuntimeError, match="the loss is gone"):
        reproduce.run(parsed("last", "--outputs", str(outputs)))
    assert len(again(outputs)) == 1


@pytest.mark.parametrize("role", [Role(rank=1, folder=Path("somewhere")), Role(rank=1, launched="torchrun")])
def test_other_processes_write_and_say_nothing(
    role: Role,
    outputs: Path,
    training: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("cnnexp.fit.ranks.find_role", lambda: role)
    assert reproduce.run(parsed("last", "--trust", "mine", "--outputs", str(outputs))) == 0
    ((request, found),) = training
    assert (request.writer, found, request.trusted) == (None, role, ["mine"])
    assert again(outputs) == [] and capsys.readouterr().out == ""

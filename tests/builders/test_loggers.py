"""Loggers beside metrics.csv: what they are given, and how they are told of the end."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from cnnexp.builders.loggers import build_loggers, close_loggers, log_result
from cnnexp.config.schema import RUN
from cnnexp.errors import InputError
from tests.builders.made import configuration


class Online:
    """What Weights & Biases has: a run to finish, a summary, a place for pictures."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.codes: list[int] = []
        self.pictures: dict[str, list[str]] = {}
        self.experiment = SimpleNamespace(finish=lambda exit_code: self.codes.append(exit_code), summary={})

    def finalize(self, status: str) -> None:
        self.statuses.append(status)

    def log_image(self, key: str, images: list[str]) -> None:
        self.pictures[key] = images


class Plain:
    """What any other logger has."""

    def __init__(self) -> None:
        self.statuses: list[str] = []

    def finalize(self, status: str) -> None:
        self.statuses.append(status)


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [("finished", "success", 0), ("stopped", "stopped", 0), ("failed", "failed", 1), ("interrupted", "interrupted", 1)],
)
def test_the_end_is_told_to_each_logger(status: str, told: str, code: int) -> None:
    plain, online = Plain(), Online()
    loggers: Any = [plain, online]
    close_loggers(loggers, status)
    assert plain.statuses == online.statuses == [told]
    assert online.codes == [code]


def test_figures_and_pictures_go_where_there_is_a_place_for_them(tmp_path: Path) -> None:
    for name in ("curves.png", "confusion.png", "notes.txt"):
        Image.new("L", (4, 4)).save(tmp_path / name, format="png")
    plain, online = Plain(), Online()
    loggers: Any = [plain, online]
    summary = {"metrics": {"test/accuracy": 0.5}, "best_epoch": 3, "per_class": {"test/accuracy": {"ant": 1.0}}}
    log_result(loggers, summary, tmp_path)
    assert online.experiment.summary == {"best_epoch": 3, "test/accuracy": 0.5}
    assert list(online.pictures.items()) == [
        ("pictures/confusion", [str(tmp_path / "confusion.png")]),
        ("pictures/curves", [str(tmp_path / "curves.png")]),
    ]


def test_none_is_no_logger(tmp_path: Path) -> None:
    assert build_loggers(configuration(), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_every_kind_that_the_schema_takes_can_be_made() -> None:
    from cnnexp.builders.loggers import MAKERS

    rule: Any = RUN.keys["logger"].keys["kind"]  # type: ignore[union-attr]
    assert set(rule.choices) == set(MAKERS)


def test_a_missing_package_is_told_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: Any, **named: Any) -> None:
        raise ModuleNotFoundError("No module named 'tensorboard'")

    monkeypatch.setattr("pytorch_lightning.loggers.TensorBoardLogger", missing)
    with pytest.raises(InputError, match=r"pip install 'cnnexp\[tensorboard\]'"):
        build_loggers(configuration(logger={"kind": "tensorboard"}), tmp_path)


def test_a_mode_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^logger\.mode=disabled: expected offline or online$"):
        build_loggers(configuration(logger={"kind": "wandb", "mode": "disabled"}), tmp_path)


@pytest.mark.parametrize(("name", "mode", "shown"), [(None, "offline", "run-1"), ("mine", "online", "mine")])
def test_a_run_of_wandb_is_found_by_the_folders_name(
    name: str | None, mode: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(Settings=lambda **given: given))
    monkeypatch.setattr("pytorch_lightning.loggers.WandbLogger", lambda **given: given)
    config = configuration(name=name, logger={"kind": "wandb", "mode": mode, "project": "nets"})
    given: Any = build_loggers(config, tmp_path / "run-1")[0]
    assert (given["name"], given["id"], given["project"]) == (shown, "run-1", "nets")
    assert given["offline"] == (mode == "offline") and given["save_dir"] == str(tmp_path / "run-1")
    assert given["config"] == config

"""Options found on disk: the user's before the shipped ones, and what each file says before anything is composed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.config.options import (
    augmentations_for,
    config_folders,
    content_of,
    data_with,
    input_of_model,
    models_for,
    nets_of,
    option_files,
    options_with,
    purpose,
    size_of_data,
    task_of_model,
    task_of_target,
)
from cnnexp.errors import InputError
from cnnexp.paths import config_folder


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def made(tmp_path: Path) -> list[Path]:
    """A whole tree of options, of pictures and of signals."""
    files = {
        "task/cells": "task: {target: label, nets: classification}",
        "task/classification": "task: {target: label}",
        "task/maps": "task: {target: mask}",
        "task/outlines": "task: {target: mask}",
        "task/rebuilding": "task: {target: null}",
        "model/ecg": "defaults: [{override /task: classification}]\nmodel: {input: signals}",
        "model/any": "defaults: [{override /task: classification}]\nmodel: {input: null}",
        "model/lenet": "defaults: [base, {override /task: classification}]\nmodel: {}",
        "model/unet": "defaults: [{override /task: maps}]",
        "model/bare": "_target_: x",
        "data/beats": "data: {targets: [label], input: signals}",
        "data/cells": "data: {targets: [mask, label], input: pictures, image_size: [32, 48]}",
        "data/nothing": "other: 1",
        "augmentation/none": "_target_: null",
        "augmentation/flip": "input: pictures\nmirror: {horizontal: true}",
        "augmentation/more": "defaults: [flip, _self_]\nrotate: {degrees: 3}",
        "augmentation/shift": "input: signals\nshift: 2",
        "augmentation/loop": "defaults: [loop]",
        "scheduler/step": "gamma: 0.1",
        "scheduler/slow": "defaults: [step]\ngamma: 0.5",
        "scheduler/whole": "# @package _global_\nscheduler: {gamma: 0.2, of: {a: 1}}",
        "scheduler/far": "defaults: [/scheduler/step@here]\ngamma: 0.3",
    }
    return [write(tmp_path / "tree", files)]


# --- folders and files ------------------------------------------------------------------------------------------------


def test_the_users_folders_come_first_in_the_order_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, {"model/same": f"# {name}", f"model/{name}": ""})
    monkeypatch.chdir(tmp_path)
    folders = config_folders(["two", "one"])
    assert folders == [tmp_path / "two", tmp_path / "one", config_folder()]
    found = option_files("model", folders[:2])
    assert list(found) == ["one", "same", "two"] and purpose(found["same"]) == "two"
    assert option_files("data", folders[:2]) == {}


def test_a_folder_that_is_not_there_is_named_as_it_was_typed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for given in ("nowhere/conf", str(tmp_path / "file")):
        with pytest.raises(InputError, match=f"^--config-dir {given}: there is no such folder$"):
            config_folders([str(tmp_path), given])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# A net\nmodel: 1\n", "A net"),
        ("\n# @package _global_\n\n## A net #1\n", "A net #1"),
        ("model: 1\n# Too late\n", ""),
        ("# @package _global_\n", ""),
        ("", ""),
    ],
)
def test_a_file_says_of_itself_what_its_first_comment_says(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert purpose(tmp_path / "a.yaml") == line


@pytest.mark.parametrize("content", [b"a: [1", b"\xff\xfe\x00", b"a: 1\n\tb: 2", None])
def test_a_file_that_cannot_be_read_is_one_line_with_its_name(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        content_of(path)
    (line,) = refused.value.lines
    assert line.startswith(f"{path}: not a YAML file that can be read (") and "\n" not in line


@pytest.mark.parametrize("text", ["", "- a\n", "a word"])
def test_a_file_that_holds_no_keys_says_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert content_of(tmp_path / "a.yaml") == {}
    assert task_of_model(tmp_path / "a.yaml") is None and size_of_data(tmp_path / "a.yaml") == []


def test_no_file_makes_an_object_of_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(InputError, match="python/object"):
        content_of(tmp_path / "a.yaml")


# --- what goes together -----------------------------------------------------------------------------------------------


def test_nets_are_found_by_task_and_by_kind_of_input(made: list[Path]) -> None:
    assert models_for({"classification"}, made) == ["any", "ecg", "lenet"]
    assert models_for({"classification"}, made, "signals") == ["any", "ecg"]
    assert models_for({"classification", "maps"}, made, "pictures") == ["any", "lenet", "unet"]
    files = option_files("model", made)
    assert [input_of_model(files[name]) for name in ("any", "ecg", "lenet", "bare")] == [
        None, "signals", "pictures", "pictures",
    ]  # fmt: skip


def test_data_is_found_by_its_truth_and_its_kind(made: list[Path]) -> None:
    assert data_with("label", made) == ["beats", "cells"]
    assert data_with("label", made, "signals") == ["beats"]
    assert data_with("mask", made, "signals") == []
    assert size_of_data(option_files("data", made)["cells"]) == [32, 48]


def test_a_task_may_take_the_nets_of_another_and_stands_for_no_truth_then(made: list[Path]) -> None:
    assert (nets_of("cells", made), nets_of("maps", made), nets_of("nowhere", made)) == (
        "classification", "maps", "nowhere",
    )  # fmt: skip
    assert task_of_target("label", made) == "classification"
    assert task_of_target("mask", made) == "maps", "the first of two"
    assert task_of_target("boxes", made) is None


def test_an_augmentation_is_for_the_kind_that_its_parent_names(made: list[Path]) -> None:
    assert augmentations_for("pictures", made) == ["flip", "loop", "more", "none"]
    assert augmentations_for("signals", made) == ["loop", "none", "shift"]


def test_of_options_that_go_on_from_each_other_the_first_has_the_key(made: list[Path]) -> None:
    assert options_with("scheduler", ["gamma"], made) == ["step", "whole"]
    assert options_with("scheduler", ["of", "a"], made) == ["whole"]
    assert options_with("scheduler", ["gamma", "deeper"], made) == []
    assert options_with("augmentation", ["mirror", "horizontal"], made, "signals") == []
    assert options_with("augmentation", ["shift"], made, "signals") == ["shift"]

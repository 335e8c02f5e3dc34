"""Every file of conf/ composes into a run, names classes that exist, and gives them arguments that they take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnexp.builders.build import bind_task, build_dataset, provisional_facts
from cnnexp.builders.target import import_target
from cnnexp.config.check import NETS_OF, TASK_OF_TARGET
from cnnexp.config.compose import compose_run
from cnnexp.config.options import GROUPS, SWEEP, data_with, models_for, option_files, purpose, task_of_model
from cnnexp.errors import InputError
from cnnexp.paths import config_folder

FOLDERS = [config_folder()]
OPTIONS = [(group, name, path) for group in GROUPS for name, path in option_files(group, FOLDERS).items()]
IDS = [f"{group}={name}" for group, name, _ in OPTIONS]
TARGET_OF_TASK = {task: target for target, task in TASK_OF_TARGET.items()}
LONGEST_PURPOSE = 120
# Classes that need a folder of the user's say so before they are made
NEED_A_FOLDER = "data.root"


def test_there_are_files_to_look_at() -> None:
    assert len(OPTIONS) >= 30
    assert {group for group, _, _ in OPTIONS} == set(GROUPS)
    searches = set(option_files(SWEEP, FOLDERS).values())  # read by tests/sweep/test_settings.py
    assert searches
    named = {path for _, _, path in OPTIONS} | searches | {FOLDERS[0] / "config.yaml"}
    found = {path for path in FOLDERS[0].rglob("*") if path.is_file()}
    assert found == named, "a file that no group finds"


@pytest.mark.parametrize(("group", "name", "path"), OPTIONS, ids=IDS)
def test_its_one_line_says_what_it_is_for(group: str, name: str, path: Path) -> None:
    line = purpose(path)
    assert 5 <= len(line) < LONGEST_PURPOSE
    assert not line.endswith(".")
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    assert line in (second if first.startswith("# @package") else first), "it stands at the top"


def test_no_two_options_of_a_group_say_the_same() -> None:
    lines = [(group, purpose(path)) for group, _, path in OPTIONS]
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(("group", "name", "path"), OPTIONS, ids=IDS)
def test_it_composes_and_its_classes_take_its_arguments(group: str, name: str, path: Path) -> None:
    config = compose_run(partnered(group, name, path))
    assert config["choices"][group] == name
    bind_task(config, provisional_facts(config))
    assert import_target(config["data"]["_target_"], "data")
    try:
        build_dataset(config)
    except InputError as error:
        assert NEED_A_FOLDER in str(error)


def partnered(group: str, name: str, path: Path) -> list[str]:
    """The words that choose an option, with a net or data set that it goes with."""
    chosen = f"{group}={name}"
    if group == "model":
        target = TARGET_OF_TASK.get(task_of_model(path) or "")
        return [chosen, f"data={data_with(target, FOLDERS)[0]}"] if target else [chosen]
    if group == "data":
        targets = yaml.safe_load(path.read_text(encoding="utf-8"))["data"]["targets"]
        task = TASK_OF_TARGET[targets[0]] if targets else "autoencoder"
        return [chosen, f"model={models_for({task}, FOLDERS)[0]}"]
    if group == "task":
        target = yaml.safe_load(path.read_text(encoding="utf-8"))["target"]
        data = [f"data={data_with(target, FOLDERS)[0]}"] if target else []
        return [chosen, f"model={models_for({NETS_OF.get(name, name)}, FOLDERS)[0]}", *data]
    return [chosen]


@pytest.mark.parametrize(
    ("group", "name", "path"), [one for one in OPTIONS if one[0] == "model"], ids=[i for i in IDS if i[:6] == "model="]
)
def test_a_net_brings_its_task_and_fits_every_data_set_for_it(group: str, name: str, path: Path) -> None:
    task = task_of_model(path)
    assert task in option_files("task", FOLDERS), "a net says its task: `override /task: …`"
    target = TARGET_OF_TASK.get(task)
    fitting = data_with(target, FOLDERS) if target else list(option_files("data", FOLDERS))
    assert len(fitting) >= 2
    for data in fitting:
        config = compose_run([f"model={name}", f"data={data}"])
        assert config["task"]["name"] == task
        bind_task(config, provisional_facts(config))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda config: config["model"].update(widht=1), "model.widht"),
        (lambda config: config["optimizer"].update(momentun=0.9), "optimizer.momentun"),
        (lambda config: config["scheduler"].update(_target_="cnnexp.training.schedules.Cosin"), "no such class"),
        (lambda config: config["augmentation"].update(rotat={}), "augmentation.rotat"),
    ],
)
def test_this_test_would_see_it(change: Callable[[dict[str, Any]], object], says: str) -> None:
    config = compose_run([])
    change(config)
    with pytest.raises(InputError, match=says):
        bind_task(config, provisional_facts(config))

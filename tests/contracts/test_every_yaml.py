"""Every file of conf/ composes into a run, names classes that exist, and gives them arguments that they take."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from cnnexp.builders.binding import BoundRun, bind_run
from cnnexp.builders.build import net_for, refuse_unfit
from cnnexp.builders.datasets import build_dataset
from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.target import GROUP_PACKAGES, dotted, import_target
from cnnexp.config.check import check
from cnnexp.config.compose import compose_run
from cnnexp.config.options import (
    GROUPS,
    PICTURES,
    SWEEP,
    augmentations_for,
    content_of,
    data_with,
    input_of_data,
    input_of_model,
    models_for,
    nets_of,
    nets_of_data,
    option_files,
    purpose,
    targets_of_data,
    task_of_model,
    task_of_target,
    tasks,
)
from cnnexp.errors import InputError
from cnnexp.inputs.base import Input
from cnnexp.paths import config_folder

FOLDERS = [config_folder()]
OPTIONS = [(group, name, path) for group in GROUPS for name, path in option_files(group, FOLDERS).items()]
IDS = [f"{group}={name}" for group, name, _ in OPTIONS]
TASKS = tasks(FOLDERS)
KIND_OF_DATA = {name: input_of_data(path) for name, path in option_files("data", FOLDERS).items()}
KIND_OF_NETS = {name: nets_of_data(path) for name, path in option_files("data", FOLDERS).items()}
WITHOUT_DATA = sorted(
    set(option_files("augmentation", FOLDERS))
    - {name for kind in KIND_OF_DATA.values() if kind for name in augmentations_for(kind, FOLDERS)}
)
"""Augmentations for kinds of input of which no data set comes along."""
COMPOSED = [one for one in OPTIONS if not (one[0] == "augmentation" and one[1] in WITHOUT_DATA)]
COMPOSED_IDS = [f"{group}={name}" for group, name, _ in COMPOSED]
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


@pytest.mark.parametrize(("group", "name", "path"), COMPOSED, ids=COMPOSED_IDS)
def test_it_composes_and_its_classes_take_its_arguments(group: str, name: str, path: Path) -> None:
    config = compose_run(partnered(group, name, path))
    assert config["choices"][group] == name
    bound(config)
    assert import_target(config["data"]["_target_"], "data")
    try:
        build_dataset(config)
    except InputError as error:
        assert NEED_A_FOLDER in str(error)


def partnered(group: str, name: str, path: Path) -> list[str]:
    """The words that choose an option, with a net or data set that it goes with."""
    chosen = f"{group}={name}"
    if group == "model":
        return [chosen, f"data={fitting_data(path)[0]}"]
    if group == "data":
        return [chosen, f"model={net_for_data(name)}"]
    if group == "task":
        net = models_for({nets_of(name, FOLDERS)}, FOLDERS)[0]
        target, kind = TASKS[name]["target"], input_of_model(option_files("model", FOLDERS)[net])
        own = data_with(target, FOLDERS)[:1] if target else [one for one, held in KIND_OF_DATA.items() if held == kind]
        return [chosen, f"model={net}", *(f"data={one}" for one in own[:1])]
    if group == "augmentation":
        shipped = sorted(kind for kind in set(KIND_OF_DATA.values()) if kind)
        kind = next(kind for kind in shipped if name in augmentations_for(kind, FOLDERS))
        of_kind = [name for name, own in KIND_OF_DATA.items() if own == kind]
        data = (data_with("label", FOLDERS, kind) or of_kind)[0]  # some are for classification alone
        return [chosen, f"data={data}", f"model={net_for_data(data)}"]
    if group == "loss":
        task = task_for_loss(name)
        return [chosen, *partnered("task", task, option_files("task", FOLDERS)[task])]
    return [chosen]


def fitting_data(path: Path) -> list[str]:
    """The data sets that the net of a file can learn from."""
    target, kind = TASKS[task_of_model(path) or ""]["target"], input_of_model(path)
    if target:
        return data_with(target, FOLDERS, kind)
    return [name for name, own in KIND_OF_DATA.items() if kind in (None, own)]


def net_for_data(name: str) -> str:
    """A net for the first truth of a data set, or for its samples alone."""
    targets = targets_of_data(option_files("data", FOLDERS)[name])
    task = task_of_target(targets[0], FOLDERS) if targets else None
    wanted = {task} if task else {one for one, content in TASKS.items() if content["target"] is None}
    return models_for(wanted, FOLDERS, KIND_OF_NETS[name])[0]


def task_for_loss(name: str) -> str:
    """A task that chooses a loss, or learns the truth that it, or its first part, is about."""
    brought = [task for task, path in option_files("task", FOLDERS).items() if brings_loss(path, name)]
    if brought:
        return brought[0]
    files = option_files("loss", FOLDERS)
    first = next(iter(content_of(files[name]).get("parts") or [name]))
    reads = import_target(content_of(files[first])["_target_"], "loss").reads
    return next(task for task, one in TASKS.items() if import_target(one["_target_"], "task").hands == reads)


def brings_loss(path: Path, name: str) -> bool:
    """Whether the task of a file chooses a loss."""
    return {"override /loss": name} in (content_of(path).get("defaults") or [])


def bound(config: dict[str, Any]) -> BoundRun:
    """All of a configuration bound, as before data is prepared."""
    result, facts = bind_run(config), provisional_facts(config)
    refuse_unfit(config, result, facts)
    net_for(result, facts, config)
    return result


@pytest.mark.parametrize(
    ("group", "name", "path"), [one for one in OPTIONS if one[0] == "model"], ids=[i for i in IDS if i[:6] == "model="]
)
def test_a_net_brings_its_task_and_fits_every_data_set_for_it(group: str, name: str, path: Path) -> None:
    """Put together from two compositions; the slow test below composes each pair."""
    task = task_of_model(path)
    assert task in option_files("task", FOLDERS), "a net says its task: `override /task: …`"
    sets = fitting_data(path)
    assert len(sets) >= 2
    own = compose_run([f"model={name}", f"data={sets[0]}"])
    assert own["task"]["name"] == task
    seen = []
    for data in sets:
        config = {**own, **{one: of_data(data)[one] for one in ("data", "augmentation", "sampling")}}
        config["choices"] = {**own["choices"], "data": data}
        check(config, FOLDERS)
        facts = provisional_facts(config)
        net_sees = (facts.input.shape, {word: len(answer.names) for word, answer in facts.targets.items()})
        if net_sees not in seen:
            seen.append(net_sees)
            bound(config)


@cache
def of_data(name: str) -> dict[str, Any]:
    """A data set composed with a net of its own."""
    return compose_run([f"data={name}", f"model={net_for_data(name)}"])


@pytest.mark.slow
@pytest.mark.parametrize("name", option_files("model", FOLDERS))
def test_every_pair_of_a_net_and_its_data_is_composed(name: str) -> None:
    path = option_files("model", FOLDERS)[name]
    for data in fitting_data(path):
        config = compose_run([f"model={name}", f"data={data}"])
        assert config["task"]["name"] == task_of_model(path)
        bound(config)


@pytest.mark.parametrize("name", KIND_OF_DATA)
def test_a_data_set_says_what_goes_in_and_what_is_learnt(name: str) -> None:
    """By words that are names of files: a new kind of input or answer is a new file, and nothing else."""
    data = content_of(option_files("data", FOLDERS)[name])["data"]
    for group, words in (("input", [data["input"]]), ("target", data["targets"])):
        for word in words:
            found = import_target(dotted(GROUP_PACKAGES[group], word), group)
            assert found.__module__ == f"{GROUP_PACKAGES[group]}.{word}"
    assert KIND_OF_DATA[name] in kinds()
    assert models_for(set(TASKS), FOLDERS, KIND_OF_NETS[name]), "there are nets for it"


@pytest.mark.parametrize("group", GROUPS)
def test_an_option_of_ones_own_is_a_file_and_nothing_else(group: str, tmp_path: Path) -> None:
    """The same under a new name: no list, table or check that is shared by all has to know of it."""
    name, path = next(iter(option_files(group, FOLDERS).items()))
    (tmp_path / group).mkdir()
    text = path.read_text(encoding="utf-8") + (f"  nets: {name}\n" if group == "task" else "")
    (tmp_path / group / "mine.yaml").write_text(text, encoding="utf-8")
    given = [word.replace(f"{group}={name}", f"{group}=mine") for word in partnered(group, name, path)]
    config = compose_run(given, [str(tmp_path)])
    assert config["choices"][group] == "mine"
    bound(config)
    shipped = compose_run(partnered(group, name, path))
    config["task"].pop("nets", None)
    assert {**config, "choices": None} == {**shipped, "choices": None}


def kinds() -> set[str]:
    """The kinds of input that there are, by the files that are."""
    package = import_module(GROUP_PACKAGES["input"])
    modules = [import_module(f"{package.__name__}.{one.name}") for one in iter_modules(package.__path__)]
    own = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return {one.name for one in own if issubclass(one, Input) and one is not Input}


def test_every_kind_of_input_is_in_its_own_file_and_its_data_has_nets() -> None:
    assert {PICTURES, "signals"} <= set(KIND_OF_DATA.values()) <= kinds()
    for kind in kinds():
        assert import_target(dotted(GROUP_PACKAGES["input"], kind), "input").name == kind
        assert "none" in augmentations_for(kind, FOLDERS)
    for name in KIND_OF_DATA:
        assert net_for_data(name)


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_an_augmentation_for_data_that_does_not_come_along_is_refused_elsewhere(name: str) -> None:
    """Its own kind of data is made up in tests/inputs."""
    with pytest.raises(InputError, match=rf"augmentation={name}: is for \w+, and data=mnist5k holds pictures"):
        compose_run([f"augmentation={name}"])


@pytest.mark.parametrize("group", ["loss", "sampling"])
def test_a_class_bears_the_name_of_its_option(group: str) -> None:
    options = option_files(group, FOLDERS)
    assert len(options) >= 3
    targets = {name: content_of(path)["_target_"] for name, path in options.items()}
    named = {name: target for name, target in targets.items() if target is not None}
    assert named == {name: dotted(GROUP_PACKAGES[group], name) for name in named}
    assert set(targets) - set(named) <= {"of_the_net"}
    assert all(import_target(target, group) for target in named.values())


@pytest.mark.parametrize("name", TASKS)
def test_a_task_brings_a_loss_and_says_what_it_learns(name: str) -> None:
    assert sum(brings_loss(option_files("task", FOLDERS)[name], loss) for loss in option_files("loss", FOLDERS)) == 1
    content = TASKS[name]
    assert content["target"] is None or data_with(content["target"], FOLDERS)
    assert all(data_with(target, FOLDERS) for target in content.get("accepts", []))
    assert content["target"] in content.get("accepts", [content["target"]])
    assert models_for({nets_of(name, FOLDERS)}, FOLDERS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda config: config["model"].update(widht=1), "model.widht"),
        (lambda config: config["optimizer"].update(momentun=0.9), "optimizer.momentun"),
        (lambda config: config["scheduler"].update(_target_="cnnexp.training.schedules.Cosin"), "no such class"),
        (lambda config: config["augmentation"].update(rotat={}), "augmentation.rotat"),
        (lambda config: config["loss"].update(smoothing=0.1), "loss.smoothing"),
        (lambda config: config["sampling"].update(samples=3), "sampling.samples"),
        (lambda config: config["data"].update(input="picture"), r"cnnexp\.inputs\.picture\.Picture: there is no such"),
        (lambda config: config["data"].update(targets=["labl"]), r"cnnexp\.answers\.labl\.Labl: there is no such"),
    ],
)
def test_this_test_would_see_it(change: Callable[[dict[str, Any]], object], says: str) -> None:
    config = compose_run([])
    change(config)
    with pytest.raises(InputError, match=says):
        bound(config)

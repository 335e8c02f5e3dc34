"""The sweep group: its options, its keys, and what is refused."""

from __future__ import annotations

import pytest

from cnnexp.config.options import SWEEP, config_folders, option_files, purpose
from cnnexp.errors import InputError
from cnnexp.sweep.settings import is_setting, read_settings

FOLDERS = config_folders()
OPTIONS = option_files(SWEEP, FOLDERS)


def test_there_are_three_searches() -> None:
    assert list(OPTIONS) == ["grid", "random", "tpe"]


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_composes_and_says_what_it_is_for(name: str) -> None:
    settings = read_settings([f"sweep={name}"], FOLDERS)
    assert settings.method == name
    assert (settings.trials is None) == (name == "grid")
    assert len(purpose(OPTIONS[name])) > 20


def test_keys_override_the_option() -> None:
    words = ["sweep.trials=7", "sweep=tpe", "sweep.pruner=asha", "sweep.reduction=4"]
    settings = read_settings(words, FOLDERS)
    assert (settings.method, settings.trials, settings.pruner, settings.reduction) == ("tpe", 7, "asha", 4)


def test_a_job_option_of_submitit_is_handed_on() -> None:
    settings = read_settings(["sweep.executor=local", "sweep.slurm.mem_gb=4"], FOLDERS)
    assert settings.slurm["mem_gb"] == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sweep=tpo"], ["did you mean tpe?"]),
        (["sweep.trails=3"], ["did you mean sweep.trials?"]),
        (["sweep.trials=0"], ["at least 1"]),
        (["sweep.trials=many"], ["a whole number"]),
        (["sweep.pruner=hyperband"], ["none, median or asha"]),
        (["sweep.reduction=4"], ["nothing reads it with sweep.pruner=none"]),
        (["sweep.grace_epochs=4"], ["nothing reads it with sweep.pruner=none"]),
        (["sweep.slurm.mem_gb=4"], ["nothing reads it with sweep.executor=fork"]),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(words: list[str], says: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        read_settings(words, FOLDERS)
    (line,) = refused.value.lines
    assert [part for part in says if part not in line] == [], line


@pytest.mark.parametrize(
    ("word", "is_one"), [("sweep=tpe", True), ("sweep.trials=3", True), ("sweeps=3", False), ("seed=1", False)]
)
def test_words_for_the_sweep_are_told_from_those_for_its_trials(word: str, is_one: bool) -> None:
    assert is_setting(word) == is_one

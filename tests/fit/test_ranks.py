from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from cnnexp.errors import InputError
from cnnexp.fit import ranks
from cnnexp.fit.ranks import FOLDER_VARIABLE, PARENT_VARIABLE, Agreement, Role, find_role, frozen_config, hand_on

PARENT = {FOLDER_VARIABLE: "/somewhere/run", PARENT_VARIABLE: str(os.getppid())}


def test_a_process_on_its_own_is_the_first() -> None:
    assert find_role({"HOME": "x"}) == Role()
    assert Role().is_main and not Role(rank=1).is_main


def test_a_child_of_the_first_process_knows_its_rank_and_folder() -> None:
    environment = {**PARENT, "LOCAL_RANK": "2"}
    assert find_role(environment) == Role(rank=2, folder=Path("/somewhere/run"))
    assert environment == {**PARENT, "LOCAL_RANK": "2"}


@pytest.mark.parametrize(
    "left_over",
    [
        {**PARENT, PARENT_VARIABLE: "1", "LOCAL_RANK": "1"},  # of another run, whose process has ended
        PARENT,  # of the shell's own parent, without a rank
        {**PARENT, "LOCAL_RANK": "0"},
        {FOLDER_VARIABLE: "/somewhere/run", "LOCAL_RANK": "1"},
        {"LOCAL_RANK": "1", "RANK": "1", "WORLD_SIZE": "2", "NODE_RANK": "0", "GROUP_RANK": "0"},
    ],
    ids=["another parent", "no rank", "rank 0", "no parent", "ranks alone"],
)
def test_what_was_left_over_is_removed(left_over: dict[str, str]) -> None:
    environment = {**left_over, "PATH": "/bin"}
    assert find_role(environment) == Role()
    assert environment == {"PATH": "/bin"}


def test_torchrun_gives_the_rank_and_its_variables_stay() -> None:
    environment = {"TORCHELASTIC_RUN_ID": "7", "RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}
    before = dict(environment)
    assert find_role(environment) == Role(rank=3, launched="torchrun")
    assert environment == before
    stale = {**environment, **PARENT, PARENT_VARIABLE: "1"}
    assert find_role(stale) == Role(rank=3, launched="torchrun")
    assert stale == before


def test_slurm_gives_the_rank_to_processes_that_srun_started() -> None:
    environment = {"SLURM_NTASKS": "4", "SLURM_PROCID": "2", "SRUN_DEBUG": "3"}
    assert find_role(dict(environment)) == Role(rank=2, launched="slurm")
    for missing in environment:
        assert find_role({name: value for name, value in environment.items() if name != missing}) == Role()
    assert find_role({**environment, "SLURM_NTASKS": "1"}) == Role()


def test_the_first_process_hands_its_folder_to_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (FOLDER_VARIABLE, PARENT_VARIABLE):
        monkeypatch.setenv(name, "old")
    monkeypatch.chdir(tmp_path)
    hand_on(Path("run"))
    monkeypatch.setattr(os, "getppid", os.getpid)  # as seen by a child
    assert find_role({**os.environ, "LOCAL_RANK": "1"}) == Role(rank=1, folder=tmp_path / "run")


def test_the_frozen_configuration_is_what_was_written(tmp_path: Path) -> None:
    config = {"seed": 3, "optimizer": {"lr": 0.001}, "name": None, "data": {"image_size": [28, 28]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    assert frozen_config(tmp_path) == config


# --- agreement --------------------------------------------------------------------------------------------------------


def agree(monkeypatch: pytest.MonkeyPatch, mine: Agreement, others: list[Any], world: int = 2) -> None:
    """Let a process meet others, in the order of their ranks."""

    def gather(everyone: list[Any], own: Any) -> None:
        everyone[:] = [own if other == "mine" else other for other in others]

    monkeypatch.setattr(ranks.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(ranks.distributed, "all_gather_object", gather)
    trainer: Any = SimpleNamespace(world_size=world)
    mine.setup(trainer, trainer, "fit")


CONFIG = {"seed": 0, "optimizer": {"lr": 0.1, "momentum": 0.9}}


def test_processes_that_agree_learn_the_folder_of_the_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = Agreement(CONFIG, None)
    agree(monkeypatch, mine, [(CONFIG, str(tmp_path)), "mine"])
    assert mine.folder == tmp_path
    first = Agreement(CONFIG, tmp_path)
    agree(monkeypatch, first, ["mine", (CONFIG, None)])
    assert first.folder == tmp_path


def test_another_configuration_is_named_by_key_and_rank_in_every_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = {"seed": 0, "optimizer": {"lr": 0.042, "momentum": 0.9}}
    everyone = [(CONFIG, str(tmp_path)), (CONFIG, None), (other, None)]
    for rank, config in enumerate((CONFIG, CONFIG, other)):
        seen = [*everyone[:rank], "mine", *everyone[rank + 1 :]]
        with pytest.raises(InputError, match=r"^rank 2 .*: optimizer\.lr is 0\.1 there and 0\.042 here; start all"):
            agree(monkeypatch, Agreement(config, tmp_path), seen, world=3)


def test_a_single_process_has_nobody_to_ask(tmp_path: Path) -> None:
    alone = Agreement(CONFIG, tmp_path)
    trainer: Any = SimpleNamespace(world_size=1)
    alone.setup(trainer, trainer, "fit")
    assert alone.folder == tmp_path


@pytest.mark.parametrize(
    ("first", "other", "named"),
    [
        ({"a": 1, "b": {"c": [1, 2]}}, {"b": {"c": [1, 2]}, "a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a is 1 there and 2 here"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 5, "c": 6}}, ["a.b is 1 there and 5 here", "a.c is 2 there and 6 here"]),
        ({"a": 1}, {"a": 1, "b": 2}, ["b is None there and 2 here"]),
        ({"a": {"b": 1}}, {"a": None}, ["a is {'b': 1} there and None here"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a is [1, 2] there and [2, 1] here"]),
    ],
)
def test_differences_are_named_leaf_by_leaf(first: Any, other: Any, named: list[str]) -> None:
    assert ranks._differences(first, other) == named

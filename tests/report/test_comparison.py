from __future__ import annotations

import math
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.report.comparison import Filter, Runs, differing_keys, flatten, settings_of, sort_records
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def test_flatten_keeps_lists_whole_and_empty_groups_visible() -> None:
    assert flatten({"a": {"b": [1, 2], "c": {}}, 3: None}) == {"a.b": [1, 2], "a.c": {}, "3": None}


def test_settings_hold_the_options_and_the_leaves_but_not_the_choices_twice(record: MakeRecord) -> None:
    settings = settings_of(record())
    assert settings["model"] == "lenet5"
    assert settings["optimizer.lr"] == 0.001
    assert not any(key.startswith("choices") for key in settings)


def test_equal_runs_differ_in_nothing(record: MakeRecord) -> None:
    assert differing_keys([record("20261121-093105-a"), record("20261121-093106-b")]) == []


def test_net_and_data_come_first_and_what_follows_from_them_is_left_out(record: MakeRecord) -> None:
    runs = [record(), record(model="unet", data="digit_scenes", lr=0.01)]
    assert differing_keys(runs) == ["model", "data", "optimizer.lr"]


def test_what_someone_set_on_the_command_line_is_shown_even_if_it_could_follow_from_the_net(record: MakeRecord) -> None:
    first = record(of_model={"activation": "tanh"}, command=("model=lenet5", "model.activation=tanh"))
    second = record(model="resnet20", of_model={"activation": "relu"})
    assert differing_keys([first, second]) == ["model", "model.activation"]
    silent = record(of_model={"activation": "tanh"})
    assert differing_keys([silent, second]) == ["model"]


def test_a_key_that_differs_within_one_net_is_shown(record: MakeRecord) -> None:
    runs = [record(of_model={"pooling": "max"}), record(of_model={"pooling": "average"}), record(model="resnet20")]
    assert "model.pooling" in differing_keys(runs)


def test_the_learning_rate_is_shown_though_each_optimizer_brings_its_own(record: MakeRecord) -> None:
    runs = [record(), record(optimizer="sgd", lr=0.1)]
    assert differing_keys(runs) == ["optimizer", "optimizer.lr"]


def test_what_was_set_by_hand_comes_before_what_was_not(record: MakeRecord) -> None:
    runs = [
        record(),
        record(optimizer="sgd", seed=3, command=("seed=3", "dataset.mean=[2]"), config={"data": {"mean": 2}}),
    ]
    assert differing_keys(runs)[:2] == ["seed", "data.mean"]


def test_places_are_no_differences(record: MakeRecord) -> None:
    runs = [record(outputs="a", config={"logger": {"save_dir": "x"}}), record(outputs="b")]
    assert differing_keys(runs) == []


def test_equal_numbers_are_one_value_but_a_switch_is_no_number(record: MakeRecord) -> None:
    assert differing_keys([record(lr=1), record(lr=1.0)]) == []
    assert differing_keys([record(lr=1), record(lr=True)]) == ["optimizer.lr"]
    assert differing_keys([record(lr=1), record(lr="1")]) == ["optimizer.lr"]


def test_a_damaged_run_makes_no_key_differ(record: MakeRecord) -> None:
    damaged = Record(Path("x"), "x", "damaged", problem="run.json: broken")
    assert differing_keys([record(), damaged]) == []


@pytest.fixture
def three(record: MakeRecord) -> list[Record]:
    return [
        record("20261121-100000-b", metrics={"test/accuracy": 0.9, "test/loss": 0.3}, lr=0.1, duration_s=20),
        record("20261121-090000-a", metrics={"test/accuracy": 0.8, "test/loss": 0.5}, lr=0.01, duration_s=30),
        record("20261121-110000-c", status="failed", lr=1.0, duration_s=10),
    ]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, "abc"),
        ("test/accuracy", "bac"),
        ("accuracy", "bac"),
        ("-test/accuracy", "abc"),
        ("test/loss", "bac"),
        ("-loss", "abc"),
        ("duration", "cba"),
        ("-duration", "abc"),
        ("optimizer.lr", "abc"),
        ("lr", "abc"),
        ("-lr", "cba"),
        ("score", "bac"),
        ("status", "cab"),
        ("id", "abc"),
        ("-created", "cba"),
    ],
)
def test_order(three: list[Record], key: str | None, expected: str) -> None:
    assert "".join(run.id[-1] for run in sort_records(three, key)) == expected


def test_what_is_not_a_number_comes_last_in_both_directions(record: MakeRecord) -> None:
    runs = [
        record("20261121-090000-a", metrics={"test/loss": math.nan}),
        record("20261121-090001-b", metrics={"test/loss": 0.1}),
    ]
    assert [run.id[-1] for run in sort_records(runs, "test/loss")] == ["b", "a"]
    assert [run.id[-1] for run in sort_records(runs, "-test/loss")] == ["b", "a"]


def test_numbers_and_words_under_one_key_have_an_order(record: MakeRecord) -> None:
    runs = [record("20261121-090000-a", lr="auto"), record("20261121-090001-b", lr=3)]
    assert [run.id[-1] for run in sort_records(runs, "lr")] == ["b", "a"]


def test_scores_of_several_tasks_stay_with_their_kind(record: MakeRecord) -> None:
    runs = [
        record("20261121-090000-a", metrics={"test/accuracy": 0.5}),
        record("20261121-090001-b", model="unet", metrics={"test/miou": 0.7}),
        record("20261121-090002-c", metrics={"test/accuracy": 0.9}),
    ]
    assert [run.id[-1] for run in sort_records(runs, "score")] == ["c", "a", "b"]


def test_an_unknown_key_names_the_nearest(three: list[Record]) -> None:
    with pytest.raises(InputError, match=r"--sort test/acuracy.*test/accuracy"):
        sort_records(three, "test/acuracy")


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (["accuracy>0.85"], "b"),
        (["test/accuracy >= 0.8", "lr<0.05"], "a"),
        (["lr=1"], "c"),
        (["optimizer.lr!=1.0"], "ba"),
        (["model=le*"], "bac"),
        (["id=*-[ab]"], "ba"),
        (["status!=failed"], "ba"),
        (["accuracy!=0.9"], "ac"),
        (["created<2026-11-21T10:30"], "ba"),
        (["duration<=20", "duration>10"], "b"),
    ],
)
def test_filters(three: list[Record], filters: list[str], left: str) -> None:
    assert "".join(run.id[-1] for run in Runs(three).where(filters).records) == left


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accuracy>0.95", "--where 'accuracy>0.95': no run fits; test/accuracy is 0.9, 0.8, null"),
        ("model=vgg*", "--where 'model=vgg*': no run fits; model is lenet5"),
        ("acuracy>0.5", "--where acuracy: no such metric or configuration key in these runs; did you mean accuracy"),
        ("model", "--where 'model': write KEY=VALUE (or !=, <, <=, >, >=), such as 'test/accuracy>0.9'"),
        ("model<<3", "--where 'model<<3': write KEY=VALUE (or !=, <, <=, >, >=), such as 'test/accuracy>0.9'"),
        ("model=", "--where 'model=': write KEY=VALUE (or !=, <, <=, >, >=), such as 'test/accuracy>0.9'"),
    ],
)
def test_a_filter_that_leaves_nothing_says_what_there_is(three: list[Record], text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        Runs(three).where([text])
    assert str(refused.value).startswith(says)


def test_a_number_is_no_pattern_and_a_word_no_number() -> None:
    assert Filter.read("lr=1e-3").fits(0.001)
    assert Filter.read("lr==0.10").fits(0.1)
    assert Filter.read("lr=nan").fits("nan")
    assert not Filter.read("lr<5").fits(True)
    assert not Filter.read("lr>0").fits(None)
    assert Filter.read("size=?28,28]").fits([28, 28])


def test_statuses(three: list[Record]) -> None:
    assert [run.id[-1] for run in Runs(three).with_status(["failed", "running"]).records] == ["c"]
    with pytest.raises(InputError, match="--status crashed: these runs are finished, failed"):
        Runs(three).with_status(["crashed"])


def test_some_of_the_runs_know_what_all_knew(three: list[Record]) -> None:
    runs = Runs(three)
    some = runs.only([2, 0])
    assert some.differing == Runs([three[2], three[0]]).differing
    assert some.values("optimizer.lr") == [1.0, 0.1]
    assert some.values("test/accuracy") == [None, 0.9]
    assert some.settings.of(1) == settings_of(three[0])


def test_a_key_that_an_earlier_version_lacked_is_known_by_what_held_then(record: MakeRecord) -> None:
    old = record("20261121-093101-a", lr=0.1)
    new = record("20261121-093102-a", lr=0.1, of_model={"match": "names"}, config={"accumulate": 1})
    new.config["choices"]["transfer"] = "none"
    runs = Runs([old, new])
    assert runs.differing == []
    assert runs.values("model.match") == ["names", "names"]
    assert runs.values("accumulate") == [1, 1]
    other = record("20261121-093103-a", lr=0.1, of_model={"match": "stages"})
    assert Runs([old, new, other]).differing == ["model.match"]
    assert Runs([Record(Path("x"), "x", "damaged"), new]).values("model.match") == [None, "names"]

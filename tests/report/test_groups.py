from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cnnexp.errors import InputError
from cnnexp.report.comparison import Runs
from cnnexp.report.export import plain_json
from cnnexp.report.groups import Grouped, group_runs
from cnnexp.report.groups_table import GroupsTable, as_values, letter
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def printed(grouped: Grouped, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(GroupsTable(grouped))
    return stream.getvalue()


@pytest.fixture
def seeds(record: MakeRecord) -> list[Record]:
    """Two learning rates, three seeds each, the seeds' effect common to both; one failed run and one in progress."""
    runs = []
    for place, (lr, seed, score) in enumerate(
        [(0.1, 0, 0.90), (0.1, 1, 0.92), (0.1, 2, 0.94), (0.01, 0, 0.88), (0.01, 1, 0.901), (0.01, 2, 0.919)]
    ):
        runs.append(record(f"20261121-09310{place}-a", metrics={"test/accuracy": score}, lr=lr, seed=seed))
    failed = record("20261121-100000-b", status="failed", lr=0.1, seed=3)
    partial = record("20261121-100001-c", metrics={"test/accuracy": 0.1}, partial=True, lr=0.1, seed=4)
    return [*runs, failed, partial]


def test_seeds_are_put_together_and_paired(seeds: list[Record]) -> None:
    grouped = group_runs(Runs(seeds), ["lr"])
    assert (grouped.metric, grouped.keys, grouped.varying) == ("test/accuracy", ("optimizer.lr",), ("seed",))
    assert [group.settings["optimizer.lr"] for group in grouped.groups] == [0.1, 0.01]
    assert [group.estimate.n for group in grouped.groups] == [3, 3]
    assert grouped.groups[0].estimate.mean == pytest.approx(0.92)
    (pair,) = grouped.pairs
    assert pair.seeds is not None and pair.p is not None
    assert pair.seeds.method == "paired t-test"
    assert pair.seeds.value == pytest.approx(0.02)
    assert pair.p < 0.01
    assert grouped.left_out == 2


def test_all_that_differs_but_the_seed(seeds: list[Record]) -> None:
    assert group_runs(Runs(seeds), ["settings"]) == group_runs(Runs(seeds), ["optimizer.lr"])
    assert group_runs(Runs(seeds[:3]), ["settings"]).keys == ("model",)


def test_the_best_comes_first_also_where_less_is_better(record: MakeRecord) -> None:
    runs = [
        record(f"20261121-09310{place}-a", metrics={"test/loss": loss, "test/accuracy": 0.5}, lr=lr)
        for place, (lr, loss) in enumerate([(0.1, 0.3), (0.01, 0.2)])
    ]
    grouped = group_runs(Runs(runs), ["lr"], "loss")
    assert grouped.metric == "test/loss"
    assert [group.settings["optimizer.lr"] for group in grouped.groups] == [0.01, 0.1]


def test_a_seed_that_ran_twice_counts_once(seeds: list[Record], record: MakeRecord) -> None:
    again = record("20261121-110000-a", metrics={"test/accuracy": 0.90}, lr=0.1, seed=0)
    grouped = group_runs(Runs([*seeds, again]), ["lr"])
    assert [group.estimate.n for group in grouped.groups] == [3, 3]
    assert grouped.groups[0].estimate.mean == pytest.approx(0.92)


def test_other_settings_that_differ_in_a_group_pair_its_runs_too(record: MakeRecord) -> None:
    runs = []
    for place, (net, lr) in enumerate([(net, lr) for net in ("lenet5", "resnet20") for lr in (0.1, 0.01, 0.001)]):
        score = 0.9 + 0.1 * lr + (0.01 + 0.001 * place if net == "lenet5" else 0)
        runs.append(record(f"20261121-09310{place}-a", model=net, metrics={"test/accuracy": score}, lr=lr))
    grouped = group_runs(Runs(runs), ["model"])
    assert grouped.varying == ("optimizer.lr",)
    assert grouped.pairs[0].seeds is not None and grouped.pairs[0].seeds.method == "paired t-test"
    assert "runs of a group differ in optimizer.lr too" in printed(grouped)


def test_different_data_are_never_put_together_nor_compared(record: MakeRecord) -> None:
    runs = [
        record(f"20261121-09310{place}-a", data=data, metrics={"test/accuracy": 0.9 + seed / 100}, seed=seed)
        for place, (data, seed) in enumerate([("mnist5k", 0), ("mnist5k", 1), ("cifar10", 0), ("cifar10", 1)])
    ]
    grouped = group_runs(Runs(runs), ["model"])
    assert grouped.keys == ("model", "data")
    assert (len(grouped.groups), grouped.pairs) == (2, ())


def test_settings_that_find_no_room_are_named_and_the_figures_stay(record: MakeRecord) -> None:
    runs = [
        record(
            f"20261121-0931{place:02}-a",
            metrics={"test/accuracy": 0.8 + 0.01 * place},
            seed=place % 2,
            lr=0.1 * (1 + place // 2),
            of_model={f"a_long_name_of_a_setting_{letter}": place // 2 for letter in "abcd"},
        )
        for place in range(4)
    ]
    text = printed(group_runs(Runs(runs), ["settings"]))
    header = text.splitlines()[1].split()
    assert header[-6:] == ["n", "mean", "sd", "95", "%", "interval"]
    assert max(map(len, text.splitlines())) <= 80
    assert "also differing: optimizer.lr (wider terminal, --json or --csv)" in text
    assert "also differing" not in printed(group_runs(Runs(runs), ["settings"]), width=240)


def test_two_single_runs_are_compared_picture_by_picture(record: MakeRecord, tmp_path: Path) -> None:
    runs = []
    for name, lr, right in (("a", 0.1, 38), ("b", 0.01, 25)):
        folder = tmp_path / name
        folder.mkdir()
        rows = [f"{i},x,{'x' if i < right else 'y'}" for i in range(40)]
        (folder / "predictions.csv").write_text("\n".join(["index,target,prediction", *rows, ""]))
        score = {"test/accuracy": right / 40}
        runs.append(record(f"20261121-093105-{name}", metrics=score, lr=lr, folder=folder))
    grouped = group_runs(Runs(runs), ["settings"])
    text = " ".join(printed(grouped).split())
    assert "A − B = +0.325 in accuracy" in text
    assert "McNemar's exact test, 40 pictures: 13 right with the first alone, 0 with the second; p < 0.001" in text
    assert "several seeds will tell" in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_fit_and_say_what_is_settled(seeds: list[Record], width: int) -> None:
    text = printed(group_runs(Runs(seeds), ["lr"]), width)
    assert max(map(len, text.splitlines())) <= width
    lines = [line.split() for line in text.splitlines()]
    assert ["A", "0.1", "3", "0.9200", "0.0200", "0.8703", "to", "0.9697"] in lines
    assert any(line[:4] == ["A", "−", "B", "+0.0200"] and line[-1] == "differ" for line in lines)
    assert "left out: 2 runs" in text


def test_what_is_open_says_how_many_seeds_would_settle_it(record: MakeRecord) -> None:
    scores = [(0.1, 0, 0.90), (0.1, 1, 0.93), (0.1, 2, 0.91), (0.01, 0, 0.91), (0.01, 1, 0.90), (0.01, 2, 0.905)]
    runs = [
        record(f"20261121-09310{place}-a", metrics={"test/accuracy": score}, lr=lr, seed=seed)
        for place, (lr, seed, score) in enumerate(scores)
    ]
    grouped = group_runs(Runs(runs), ["lr"])
    assert grouped.pairs[0].seeds is not None
    assert f"open: {grouped.pairs[0].seeds.further} more seeds" in printed(grouped)


def test_many_groups_show_the_pairs_with_the_best_and_say_so(record: MakeRecord) -> None:
    runs = [
        record(f"20261121-{place:06}-a", metrics={"test/accuracy": 0.8 + place / 100 + seed / 1000}, lr=lr, seed=seed)
        for place, (lr, seed) in enumerate([(lr, seed) for lr in (1, 2, 3, 4, 5, 6, 7) for seed in (0, 1)])
    ]
    grouped = group_runs(Runs(runs), ["lr"])
    assert len(grouped.pairs) == 21
    text = printed(grouped)
    assert "21 pairs were compared; shown are those with A" in text
    assert "B − C" not in text
    many = [record(f"20261121-{n:06}-a", metrics={"test/accuracy": 0.8}, lr=n + 1) for n in range(31)]
    crowd = group_runs(Runs(many), ["lr"])
    assert crowd.pairs == ()
    assert "more than 30 groups" in printed(crowd)


def test_plain_values(seeds: list[Record]) -> None:
    values = json.loads(plain_json(as_values(group_runs(Runs(seeds), ["lr"]))))
    assert values["groups"][0]["settings"] == {"optimizer.lr": 0.1}
    assert values["groups"][0]["values"] == [0.90, 0.92, 0.94]
    assert values["pairs"][0]["seeds"]["method"] == "paired t-test"


def test_bad_keys_are_named(seeds: list[Record]) -> None:
    with pytest.raises(InputError, match=r"--group-by optimizer\.lt: no such metric or configuration key"):
        group_runs(Runs(seeds), ["optimizer.lt"])
    with pytest.raises(InputError, match="--metric acuracy: no such"):
        group_runs(Runs(seeds), ["lr"], "acuracy")
    with pytest.raises(InputError, match="none of these runs has a score yet"):
        group_runs(Runs(seeds[6:7]), ["lr"])
    with pytest.raises(InputError, match="none of these runs is finished"):
        group_runs(Runs(seeds[7:]), ["lr"])


def test_letters() -> None:
    assert [letter(place) for place in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]

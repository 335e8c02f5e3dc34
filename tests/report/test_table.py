from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from cnnexp.report.table import ComparisonTable, short_id, short_ids
from cnnexp.runs.find import resolve
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def printed(records: Sequence[Record], width: int = 120, colour: bool = False, known_ids: Sequence[str] = ()) -> str:
    stream = io.StringIO()
    Console(
        file=stream, width=width, highlight=False, force_terminal=colour, color_system="standard" if colour else None
    ).print(ComparisonTable(records, known_ids))
    return stream.getvalue()


@pytest.fixture
def several(record: MakeRecord) -> list[Record]:
    return [
        record("20261121-093105-lenet5-mnist5k-1adc", metrics={"test/accuracy": 0.9772, "test/loss": 0.07}),
        record("20261121-110100-unet-digit_scenes-3269", "unet", "digit_scenes", {"test/miou": 0.8312}),
        record("20261121-120100-yolo-bccd-c286", "yolo", "bccd", {"test/map_50": 0.53}, status="stopped", partial=True),
        record("20261121-131000-lenet5-mnist5k-1e73", status="failed", error="the loss became NaN at step 34", lr=10.0),
        Record(Path("outputs/20261121-132000-x"), "20261121-132000-x", "damaged", problem="run.json: not JSON"),
    ]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_every_run_has_its_line(several: list[Record], width: int) -> None:
    lines = printed(several, width).splitlines()
    assert max(map(len, lines)) <= width
    for run in several:
        assert sum(line.startswith(run.id[:15]) for line in lines) == (2 if run.error else 1)


def test_at_80_columns_scores_statuses_and_names_are_whole(several: list[Record]) -> None:
    text = printed(several, 80)
    assert "…" not in text
    rows = [line.split() for line in text.splitlines()]
    assert ["20261121-093105", "finished", "lenet5", "mnist5k", "0.001", "0.9772", "accuracy"] in rows
    assert any(row[-2:] == ["0.8312", "miou"] for row in rows)
    assert "damaged: run.json: not JSON" in text
    assert "failed: the loss became NaN at step 34" in text


@pytest.mark.parametrize("width", [80, 160])
def test_a_partial_run_says_so(several: list[Record], width: int) -> None:
    text = printed(several, width)
    assert "partial" in text
    assert "partial" not in printed(several[:2], width)


def test_a_differing_key_has_a_column_and_a_common_one_has_none(record: MakeRecord) -> None:
    runs = [record("20261121-093105-a", lr=0.1), record("20261121-093106-b", lr=0.01)]
    header = printed(runs).splitlines()[0].split()
    assert header == ["run", "status", "lr", "time"]
    assert "in all runs: model=lenet5, data=mnist5k" in printed(runs)


def test_one_metric_gives_the_column_its_name_and_further_common_ones_follow(record: MakeRecord) -> None:
    metrics = {"test/accuracy": 0.9, "test/loss": 0.3, "train/loss": 0.1}
    runs = [
        record("20261121-093105-a", metrics=metrics | {"test/top5": 0.99}),
        record("20261121-093106-b", metrics=metrics),
        record("20261121-093107-c", status="failed"),
    ]
    header = printed(runs).splitlines()[0].split()
    assert header == ["run", "status", "test/accuracy", "test/loss", "time"]


def test_losses_of_different_tasks_are_not_set_side_by_side(record: MakeRecord) -> None:
    runs = [
        record("20261121-093105-a", metrics={"test/accuracy": 0.9, "test/loss": 0.3}),
        record("20261121-093106-b", "unet", "digit_scenes", metrics={"test/miou": 0.9, "test/loss": 0.3}),
    ]
    assert "loss" not in printed(runs, 200)


def test_a_validation_score_among_test_scores_is_named(record: MakeRecord, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,step,val/accuracy\n1,10,0.45\n")
    running = record("20261121-093106-b", status="running", folder=tmp_path)
    text = printed([record("20261121-093105-a", metrics={"test/accuracy": 0.9}), running])
    assert "0.4500  val/accuracy" in text
    assert "where the metric does not say val/" in text


def test_keys_without_room_are_named(record: MakeRecord) -> None:
    many = {f"setting_number_{place}": place for place in range(9)}
    runs = [record("20261121-093105-a", config=many), record("20261121-093106-b")]
    text = printed(runs, 80).replace("\n", " ")
    assert "also differing:" in text
    for key in many:
        assert key in text
    assert "also differing" not in printed(runs, 400)


def test_statuses_are_coloured(several: list[Record]) -> None:
    text = printed(several, colour=True)
    assert "\x1b[32mfinished" in text
    assert "\x1b[1;31mfailed" in text
    assert "\x1b[1;35mdamaged" in text


def test_neither_markup_nor_control_sequences_of_a_record_reach_the_terminal(record: MakeRecord) -> None:
    evil = "[red]x[/red]\x1b[2J\x9b31m\x07[/nonsense]"
    runs = [
        record("20261121-093105-a", data=evil, name=evil, status="failed", error=f"{evil}\nsecond line", lr=evil),
        record(evil, metrics={f"test/{evil}": 0.5}, config={evil: evil}),
    ]
    text = printed(runs, 400, colour=True)
    assert "[red]x[/red]" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "\x9b" not in text
    assert "second line" not in text


def test_an_id_is_cut_to_its_time_stamp_or_as_far_as_it_is_unique() -> None:
    first, second = "20261121-093105-lenet5-mnist5k-3f9a", "20261121-093105-resnet20-cifar10-ff65"
    assert short_id(first, [first]) == "20261121-093105"
    assert short_id(first, [first, second]) == "20261121-093105-l"
    assert short_id("short", ["short"]) == "short"
    assert short_id("20261121-093105", ["20261121-093105", first]) == "20261121-093105"


def test_runs_of_one_second_are_told_apart_by_their_ends(tmp_path: Path) -> None:
    ids = [f"20261121-093105-resnet20-cifar10-{end}" for end in ("b9e8", "b9e1")]
    assert short_ids(ids) == {ids[0]: "20261121-093105..b9e8", ids[1]: "20261121-093105..b9e1"}
    for identity in ids:
        (tmp_path / identity).mkdir()
        (tmp_path / identity / "run.json").touch()
    assert [resolve(short, tmp_path).name for short in short_ids(ids).values()] == ids
    same_end = [f"20261121-093105-{net}-mnist5k-b9e8" for net in ("resnet18", "resnet20")]
    assert short_ids(same_end)[same_end[0]] == "20261121-093105-resnet1"


def test_a_short_id_is_unique_among_runs_that_are_not_shown(record: MakeRecord) -> None:
    shown = record("20261121-093105-lenet5-mnist5k-3f9a", metrics={"test/accuracy": 0.9})
    assert "20261121-093105-l " in printed([shown], 50, known_ids=["20261121-093105-resnet20-cifar10-ff65"])
    assert "20261121-093105-l " not in printed([shown], 50)


def test_the_best_whole_run_stands_out(record: MakeRecord) -> None:
    runs = [
        record("20261121-093105-a", metrics={"test/accuracy": 0.91}),
        record("20261121-093106-b", metrics={"test/accuracy": 0.93}),
        record("20261121-093107-c", metrics={"test/accuracy": 0.99}, partial=True),
        record("20261121-093108-d", metrics={"test/accuracy": 0.98}, status="interrupted"),
    ]
    text = printed(runs, colour=True)
    assert "\x1b[1m       0.9300" in text
    assert "\x1b[1m       0.9900" not in text
    assert "\x1b[1m       0.9800" not in text

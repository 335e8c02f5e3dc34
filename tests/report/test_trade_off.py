from __future__ import annotations

import io
import random
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from cnnexp.errors import InputError
from cnnexp.report.comparison import Runs
from cnnexp.report.trade_off import TradeOffTable, as_values, draw_trade_off, front, trade_off
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def beaten(place: tuple[float, float], others: list[tuple[float, float]]) -> bool:
    """Less of the first and more of the second are better."""
    return any(x <= place[0] and y >= place[1] and (x, y) != place for x, y in others)


def test_the_front_is_what_nothing_beats() -> None:
    draws = random.Random(0)
    for _ in range(300):
        places = [(float(draws.randrange(6)), float(draws.randrange(6))) for _ in range(draws.randrange(1, 12))]
        expected = [not beaten(place, places) for place in places]
        assert front(places) == expected
        mirrored = [(-x, -y) for x, y in places]
        assert front(mirrored, more_of_first=True, more_of_second=False) == expected


@pytest.fixture
def nets(record: MakeRecord) -> list[Record]:
    """A small cheap net, a large better one, one that is large and worse; two seeds each."""
    runs = []
    sizes = {"lenet5": (60_000, 0.95), "resnet20": (270_000, 0.98)}
    for place, (net, seed) in enumerate([(net, seed) for net in sizes for seed in (0, 1)]):
        parameters, score = sizes[net]
        one = record(f"20261121-09310{place}-a", net, metrics={"test/accuracy": score + seed / 100}, seed=seed)
        runs.append(replace(one, summary={**one.summary, "parameters": parameters}))
    worse = record("20261121-100000-b", "resnet20", metrics={"test/accuracy": 0.9}, lr=1.0)
    return [*runs, replace(worse, summary={**worse.summary, "parameters": 500_000})]


def test_nets_by_cost_with_the_front_marked(nets: list[Record]) -> None:
    found = trade_off(Runs(nets), "parameters", [])
    assert [(point.cost, round(point.score, 3), point.best) for point in found.points] == [
        (60_000, 0.955, True),
        (270_000, 0.985, True),
        (500_000, 0.9, False),
    ]
    stream = io.StringIO()
    Console(file=stream, width=80, highlight=False).print(TradeOffTable(found))
    rows = [line.split() for line in stream.getvalue().splitlines()]
    assert ["*", "lenet5", "0.001", "2", "60,000", "0.9550"] in rows
    assert ["resnet20", "1", "1", "500,000", "0.9000"] in rows
    assert max(map(len, stream.getvalue().splitlines())) <= 80
    assert [point["on_front"] for point in as_values(found)["points"]] == [True, True, False]


def test_speed_is_better_the_more_there_is_of_it(nets: list[Record]) -> None:
    fast = [replace(one, summary={**one.summary, "images_per_second": 1e9 / one.summary["parameters"]}) for one in nets]
    found = trade_off(Runs(fast), "images_per_second", ["model", "lr"])
    assert [point.best for point in found.points] == [True, True, False]
    assert found.points[0].group.settings["model"] == "lenet5"


def test_the_chart_shows_every_point(nets: list[Record], tmp_path: Path) -> None:
    path = draw_trade_off(trade_off(Runs(nets), "parameters", []), tmp_path / "chart.png")
    with Image.open(path) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1_000_000) or []}
    assert {(0, 114, 178), (153, 153, 153)} <= colours, "the front's blue and the grey of what is beaten"


def test_what_cannot_be_weighed_is_refused(nets: list[Record], record: MakeRecord) -> None:
    other = record("20261121-110000-c", data="cifar10", metrics={"test/accuracy": 0.9})
    with pytest.raises(InputError, match="on mnist5k, cifar10; choose one with --where data=mnist5k"):
        trade_off(Runs([*nets, other]), "parameters", [])
    with pytest.raises(InputError, match="multiply_adds: no run has it; these have parameters, duration"):
        trade_off(Runs(nets), "multiply_adds", [])

"""Tables of averages on a terminal of 80 columns."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cnnexp.report.averages import ensemble_table, views_table

GAIN = {"metric": "test/accuracy", "value": 0.0125, "low": -0.0025, "high": 0.03, "confidence": 0.95}
CHANGES = {"fixed": 1234, "broken": 5, "counted": "pictures"}
VIEWS = {
    "metrics": {"test/loss": 0.5, "test/accuracy": 0.9, "test/top5": 0.99},
    "tta": {
        "name": "ten_crop",
        "views": ["top left"] * 10,
        "metrics": {"test/loss": 0.4, "test/accuracy": 0.9125, "test/top5": 0.995},
        "gain": GAIN | CHANGES,
        "ms_per_picture": {"as_it_is": 0.0417, "averaged": 0.4321},
        "cost_in_time": 10.36,
    },
}


def printed(table: RenderableType) -> list[str]:
    stream = StringIO()
    Console(file=stream, width=80, highlight=False).print(table)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_views() -> None:
    lines = printed(views_table(VIEWS))
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines if line.startswith("test/accuracy")] == [
        ["test/accuracy", "0.9000", "0.9125"]
    ]
    assert "gain in accuracy  +0.0125, 95 % interval −0.0025 to +0.0300" in lines
    assert "changed           1,234 pictures came right, 5 went wrong" in lines
    assert "cost in time      ×10.4: 0.0417 → 0.432 ms a picture, 10 views" in lines


def member(identity: str, **changes: Any) -> dict[str, Any]:
    given = {"id": identity, "model": "resnet20", "metrics": {"test/accuracy": 0.9}, "parameters": 272_474}
    return given | {"weight_bytes": 1_100_000, "ms_per_picture": 1.234, "weight": 1.0} | changes


@pytest.mark.parametrize("noun", ["picture", "signal"])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (2.0, 1.0)])
def test_an_ensemble(weights: tuple[float, float], noun: str) -> None:
    members = [member("a", weight=weights[0]), member("b", model="a_net_with_a_long_name", weight=weights[1])]
    together = {"metrics": {"test/accuracy": 0.9125}, "parameters": 544_948, "weight_bytes": 2.2e6, "ms_per_picture": 3}
    content = {
        "metric": "test/accuracy",
        "noun": noun,
        "members": members,
        "ensemble": together,
        "gain_over_best": {"member": "b", **GAIN, **CHANGES},
        "gain_over_mean": GAIN,
        "cost_in_time": 2.04,
        "cost_in_weights": 2.0,
    }
    lines = printed(ensemble_table(content, ["20261121-093105", "20261121-093106"]))
    assert max(map(len, lines)) <= 80
    assert ("weight" in lines[0]) == (weights[0] != weights[1])
    assert lines[0].split()[-3:] == ["test/accuracy", "parameters", f"ms/{noun}"]
    last = next(line for line in lines if line.startswith("all 2"))
    assert last.split()[-3:] == ["0.9125", "544,948", "3"]
    assert any("×2.0 that of the best, 20261121-093106" in line for line in lines)
    assert any("×2.0 the weights of the best, 2.2 MB" in line for line in lines)

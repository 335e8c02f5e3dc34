from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.report.gradients import draw_gradients, gradient_summary, layers_of
from cnnexp.report.results import result_table

Rows = list[dict[str, float | None]]


def rows(first: float, layers: int = 5, epochs: int = 4) -> Rows:
    """Norms that grow tenfold from a layer to the next."""
    return [
        {
            "epoch": float(epoch),
            "step": 10.0 * epoch,
            **{f"layer/conv{place}": first * 10**place / epoch for place in range(layers)},
            "total": 12.0,
        }
        for epoch in range(1, epochs + 1)
    ]


def test_layers_stand_in_the_order_of_the_net_also_where_the_first_learn_later() -> None:
    late: Rows = [{"layer/a": None, "layer/b": 1.0, "layer/c": None}, {"layer/a": 1.0, "layer/b": 1.0, "layer/c": None}]
    assert layers_of(late) == ["layer/a", "layer/b"]


def test_the_summary_tells_how_far_the_gradient_falls() -> None:
    assert gradient_summary(rows(0.004)) == {
        "first": {"layer": "conv0", "norm": 0.001},
        "last": {"layer": "conv4", "norm": 10.0},
        "first_to_last": pytest.approx(1e-4),
        "total": 12.0,
    }
    clipped: Rows = [{**rows(1.0)[0], "clipped": 0.25}]
    assert gradient_summary(clipped)["clipped"] == 0.25
    assert gradient_summary([]) == {}
    assert gradient_summary(rows(1.0, layers=1)) == {}


def test_the_end_of_a_run_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    clipped: Rows = [{**rows(0.004)[-1], "clipped": 0.25}]
    Console(width=80).print(result_table({"gradients": gradient_summary(clipped)}))
    assert "norms: conv0 0.001, conv4 10; 25% of the steps clipped" in capsys.readouterr().out


@pytest.mark.parametrize("layers", [5, 40])
@pytest.mark.parametrize("epochs", [1, 30])
def test_the_chart_of_a_run(tmp_path: Path, layers: int, epochs: int) -> None:
    path = draw_gradients({"one": rows(1e-30, layers, epochs)}, tmp_path / "g.png", "a run $ with _ signs")
    with Image.open(path) as image:
        assert image.width > 1000
        drawn = np.asarray(image)[60:520, 120:600]
    assert (drawn.min(axis=2) < 200).mean() > 0.01


def test_the_chart_of_several_runs_tells_them_apart(tmp_path: Path) -> None:
    many = {"sigmoid": rows(1e-6), "relu": rows(0.1, epochs=1)}
    with Image.open(draw_gradients(many, tmp_path / "g.png", "two")) as image:
        colours = {tuple(pixel) for pixel in np.asarray(image).reshape(-1, 3)}
    assert {(0, 114, 178), (213, 94, 0)} <= colours


def test_zeros_and_gaps_are_left_out_of_a_logarithmic_chart(tmp_path: Path) -> None:
    gaps = rows(0.1)
    gaps[0]["layer/conv0"] = None
    gaps[1]["layer/conv1"] = 0.0
    gaps[2]["total"] = float("nan")
    assert draw_gradients({"one": gaps}, tmp_path / "g.png", "gaps").is_file()

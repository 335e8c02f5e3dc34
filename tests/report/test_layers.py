from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from rich.console import Console

from cnnexp.report.layers import LayerTable, fitting_depth, folded, kernel_figure, to_csv


def layer(name: str, depth: int, parts: bool = False, **figures: Any) -> dict[str, Any]:
    plain = {"type": "Conv2d", "order": 0, "calls": 1, "output": [8, 4, 4], "activations": 128, "receptive_field": None}
    costs = {"parameters": 0, "multiply_adds": 0, "activation_bytes": 0}
    return {"name": name, "depth": depth, "parts": parts, **plain, **costs, **figures}


FIELD = {"size": [43, 43], "stride": [8, 8], "offset": [-21, -21], "whole": False}
CONTENT: dict[str, Any] = {
    "model": "net",
    "input": [3, 32, 32],
    "input_activations": 3_072,
    "layers": [
        layer("body", 1, parts=True, activation_bytes=512),
        layer(
            "body.conv",
            2,
            parameters=20_000_000,
            multiply_adds=1_500_000_000,
            activation_bytes=1024,
            receptive_field=FIELD,
            kernel=[3, 3],
            stride=[2, 2],
            padding=[1, 1],
        ),
        layer("head", 1, output=[10], activations=10, parameters=3_000_000, multiply_adds=100, inputs=128),
    ],
    "totals": {"parameters": 23_000_000, "trainable": 0, "multiply_adds": 1_500_000_100, "activation_bytes": 1536},
    "training": {"batch_size": 64, "bytes": 3e9, "weights_bytes": 92e6, "optimizer_bytes": 0, "step_bytes": 2.9e9},
}


def printed(content: dict[str, Any], width: int = 80, depth: int | None = None) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(LayerTable(content, depth))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def rows_of(text: str) -> dict[str, list[str]]:
    return {words[0]: words for words in (line.split() for line in text.splitlines()) if words}


@pytest.mark.parametrize("width", [52, 60, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = printed(CONTENT, width)
    assert max(map(len, text.splitlines())) <= width
    header = text.splitlines()[1].split()
    assert ("type" in header) == (width >= 90)
    assert ("kernel" in header) == (width >= 60)
    assert ("memory" in header) == (width >= 80)
    assert {"layer", "output", "parameters", "mult-adds", "sees"} <= set(header)


def test_figures_of_a_layer_and_in_all() -> None:
    rows = rows_of(printed(CONTENT))
    assert rows["input"] == ["input", "3×32×32", "3,072"]
    assert rows["conv"] == [
        "conv",
        "8×4×4",
        "3×3/2",
        "p1",
        "128",
        "20,000,000",
        "1.50",
        "G",
        "1.02",
        "kB",
        "43/8",
        "−21",
    ]
    assert rows["in"][:3] == ["in", "all", "23,000,000"]
    assert rows["head"][2:5] == ["128", "in", "10"]


def test_columns_without_room_are_named() -> None:
    assert "no room for values and memory: a wider terminal" in " ".join(printed(CONTENT, 60).split())
    assert "no room" not in printed(CONTENT, 160)


def test_a_pooling_that_rounds_up_is_marked_and_explained() -> None:
    settings = {"kernel": [3, 3], "stride": [2, 2], "padding": [0, 0]}
    up, down = (layer("pool", 1, **settings, ceil_mode=ceil) for ceil in (True, False))
    assert kernel_figure(up) == "3×3/2 ceil" and kernel_figure(down) == "3×3/2"
    text = printed({**CONTENT, "layers": [up]})
    assert "3×3/2 ceil" in text and "ceil: the output's size is rounded up" in text
    assert "ceil" not in printed({**CONTENT, "layers": [down]})


def test_folding_adds_what_lies_below_and_keeps_the_sums() -> None:
    (body, head) = folded(CONTENT["layers"], 1)
    assert (body["parameters"], body["activation_bytes"], body["opened"]) == (20_000_000, 1536, False)
    assert head["parameters"] == 3_000_000
    opened = folded(CONTENT["layers"], 2)
    assert [one["opened"] for one in opened] == [True, False, False]
    assert CONTENT["layers"][0]["parameters"] == 0, "the content itself is left as it was"


def test_a_holder_that_was_never_called_shows_what_its_last_part_makes() -> None:
    first = layer("down.0", 2, output=[4, 2, 2], activations=16)
    layers = [layer("down", 1, parts=True, output=None, activations=None), first, layer("down.1", 2)]
    (one,) = folded(layers, 1)
    assert (one["output"], one["activations"]) == ([4, 2, 2], 16)


def test_a_deep_net_is_folded_until_it_can_be_read() -> None:
    layers = [layer(f"{i}", 1, parts=True) for i in range(4)]
    layers += [layer(f"0.{i}", 2, parts=True) for i in range(20)]
    layers += [layer(f"0.0.{i}", 3) for i in range(100)]
    assert fitting_depth(layers) == 2
    assert fitting_depth(layers[:24]) == 2
    content = {**CONTENT, "layers": sorted(layers, key=lambda one: one["name"])}
    assert "folded at depth 2 of 3: --depth 3 shows every layer" in printed(content)


def test_the_heavy_layer_is_named_with_the_weights_of_a_unit() -> None:
    heavy = layer("fc", 1, output=[100], parameters=12_000_100, inputs=120_000)
    content = {**CONTENT, "layers": [layer("conv", 1), heavy]}
    content["totals"] = {**CONTENT["totals"], "parameters": 12_000_100}
    text = printed(content)
    assert "fc holds 100% of the parameters: 120,000 weights for each of its 100 units" in text
    assert "holds" not in printed({**CONTENT, "totals": {**CONTENT["totals"], "parameters": 10**9}})


def test_csv_has_a_line_for_each_layer_with_whole_figures() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(CONTENT))))
    assert [row["name"] for row in rows] == ["body", "body.conv", "head"]
    assert rows[2]["activations"] == "10"
    assert (rows[1]["multiply_adds"], rows[1]["kernel"], rows[1]["output"]) == ("1500000000", "3x3", "8x4x4")
    assert (rows[1]["receptive_field_size"], rows[1]["sees_whole_picture"]) == ("43x43", "false")
    assert len(list(csv.DictReader(io.StringIO(to_csv(CONTENT, depth=1))))) == 2


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"kernel": [11, 11], "stride": [4, 4], "padding": [0, 0]}, "11×11/4"),
        ({"kernel": [1, 7], "stride": [1, 1], "padding": [0, 3]}, "1×7 p0×3"),
        ({"kernel": [3, 3], "stride": [1, 2], "dilation": [2, 2], "groups": 8}, "3×3/1×2 d2 g8"),
        ({"kernel": [3, 3], "stride": [1, 1], "padding": "same"}, "3×3 psame"),
        ({"inputs": 9216}, "9,216 in"),
        ({}, ""),
    ],
)
def test_kernels_are_short(settings: dict[str, Any], text: str) -> None:
    assert kernel_figure(layer("conv", 1, **settings)) == text

"""What the chart of shifts draws: read from its axes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cnnexp.visualize.maps import Layer
from cnnexp.visualize.png import new_figure
from cnnexp.visualize.shift import DOWN, RIGHT, ShiftResult
from cnnexp.visualize.shift_chart import _draw_answers, _draw_maps, shift_image

RESULT = ShiftResult(
    [0, 1, 2],
    [Layer("conv1", (1, 1), (28, 28)), Layer("pool", (2, 4), (14, 7)), Layer("late", (4, 4), (7, 7))],
    {"conv1": [0.0, 0.1, 0.0], "pool": [0.0, None, 0.3], "late": [None, None, None]},
    {"conv1": [0.0, 0.2, 0.2], "pool": [0.0, 0.5, 0.5], "late": [0.0, 0.7, 1.5]},
    [1.0, 0.9, 0.8],
    [0.95, 0.9, 0.7],
    [0.97, 0.9, 0.85],
)


def empty() -> Axes:
    return new_figure(6, 4).add_subplot()


def maps(result: ShiftResult = RESULT, axis: int = DOWN) -> Axes:
    axes = empty()
    _draw_maps(axes, result, axis)
    return axes


def by_label(axes: Axes) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in axes.lines}


def test_what_sees_no_border_is_a_solid_line_with_a_gap_where_nothing_was_measured() -> None:
    lines = by_label(maps())
    first, second = lines["conv1, stride 1"], lines["pool, stride 2"]
    assert list(first.get_xdata()) == [0, 1, 2] and list(first.get_ydata()) == [0.0, 0.1, 0.0]
    start, gap, end = second.get_ydata()
    assert (start, end) == (0.0, 0.3) and math.isnan(gap)
    assert {first.get_linestyle(), second.get_linestyle()} == {"-"}


def test_each_value_with_a_star_lies_on_a_dashed_line_that_says_so() -> None:
    lines = by_label(maps())
    assert {name for name, line in lines.items() if line.get_linestyle() == "--"} == {
        "pool, stride 2, border too",
        "late, stride 4, border too",
    }
    assert list(lines["pool, stride 2, border too"].get_ydata()) == [0.0, 0.5, 0.3]
    assert list(lines["late, stride 4, border too"].get_ydata()) == [0.0, 0.7, 1.5]
    assert "late, stride 4" not in lines


def test_a_dashed_line_goes_no_farther_than_the_values_beside_a_starred_one() -> None:
    starred = replace(
        RESULT,
        shifts=[0, 1, 2, 3, 4],
        layers=RESULT.layers[:1],
        differences={"conv1": [0.0, 0.1, 0.2, 0.3, None]},
        everywhere={"conv1": [0.5, 0.6, 0.7, 0.8, 0.9]},
    )
    dashed = [float(one) for one in by_label(maps(starred))["conv1, stride 1, border too"].get_ydata()]
    assert [math.isnan(one) for one in dashed] == [True, True, True, False, False]
    assert dashed[3:] == [0.3, 0.9]


@pytest.mark.parametrize(("axis", "stride"), [(DOWN, 2), (RIGHT, 4)])
def test_the_stride_is_the_one_along_which_pictures_moved(axis: int, stride: int) -> None:
    assert f"pool, stride {stride}" in by_label(maps(axis=axis))


def test_many_layers_are_told_apart() -> None:
    layers = [Layer(f"layer{place}\n", (1, 1), (9, 9)) for place in range(20)]
    values = {layer.name: [0.0, 0.1, 0.2] for layer in layers}
    lines = maps(replace(RESULT, layers=layers, differences=values, everywhere=values)).lines
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == 20
    assert not any("\n" in str(line.get_label()) for line in lines)


def test_a_difference_beyond_1_is_in_the_chart_and_0_is_not_on_its_edge() -> None:
    low, high = maps().get_ylim()
    assert low < 0 and high > 1.5


def test_what_is_right_is_drawn_only_where_labels_are_known() -> None:
    for result, names in (
        (RESULT, {"mean probability of the answer before", "same answer as before", "right answer"}),
        (replace(RESULT, accuracy=None), {"mean probability of the answer before", "same answer as before"}),
    ):
        axes = empty()
        _draw_answers(axes, result)
        found = {str(line.get_label()): list(line.get_ydata()) for line in axes.lines}
        assert found.keys() == names
        assert found["same answer as before"] == [1.0, 0.9, 0.8]
        assert axes.get_ylim()[0] < 0 and axes.get_ylim()[1] > 1


def test_a_title_is_no_formula() -> None:
    image = shift_image(replace(RESULT, layers=[]), DOWN, "a $\\broken$ name_of_a\nnet")
    assert min(image.size) > 300

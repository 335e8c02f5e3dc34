"""What the chart of shifts draws: read from its axes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from matplotlib.axes import Axes

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


def test_each_layer_has_a_line_over_the_shift_with_a_gap_where_nothing_was_measured() -> None:
    first, second, _ = maps().lines
    assert list(first.get_xdata()) == [0, 1, 2] and list(first.get_ydata()) == [0.0, 0.1, 0.0]
    start, gap, end = second.get_ydata()
    assert (start, end) == (0.0, 0.3) and math.isnan(gap)


def test_what_sees_the_border_everywhere_is_drawn_so_and_says_so() -> None:
    *others, late = maps().lines
    assert list(late.get_ydata()) == [0.0, 0.7, 1.5]
    assert late.get_linestyle() == "--" and {line.get_linestyle() for line in others} == {"-"}
    assert str(late.get_label()) == "late, stride 4, border too"


@pytest.mark.parametrize(("axis", "stride"), [(DOWN, 2), (RIGHT, 4)])
def test_the_stride_is_the_one_along_which_pictures_moved(axis: int, stride: int) -> None:
    assert [str(line.get_label()) for line in maps(axis=axis).lines][1] == f"pool, stride {stride}"


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

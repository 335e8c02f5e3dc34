from __future__ import annotations

from fractions import Fraction

from cnnexp.anatomy.axis import (
    PIXELS,
    Axis,
    adaptive_window,
    interpolated,
    repeated,
    transposed_window,
    window,
)


def spans(axis: Axis, count: int) -> list[tuple[int, int]]:
    return [(axis.first(i), axis.last(i)) for i in range(count)]


def test_a_window_by_hand() -> None:
    axis = window(PIXELS, 7, 2, 3)
    assert (axis.size, axis.stride, axis.offset) == (7, 2, -3)
    pooled = window(axis, 3, 2, 1)
    assert (pooled.size, pooled.stride, pooled.offset) == (11, 4, -5)
    assert spans(window(PIXELS, 3, 1, 0, dilation=4), 2) == [(0, 8), (1, 9)]


def test_two_layers_of_width_three_see_five_and_three_see_seven() -> None:
    twice = window(window(PIXELS, 3, 1, 0), 3, 1, 0)
    assert (twice.size, window(twice, 3, 1, 0).size) == (5, 7)


def test_behind_a_transposed_convolution_neighbours_see_different_amounts() -> None:
    halved = window(PIXELS, 2, 2, 0)
    back = transposed_window(halved, 2, 2, 0)
    assert spans(back, 4) == [(0, 1), (0, 1), (2, 3), (2, 3)]
    assert (back.stride, back.size) == (1, 2)
    # a kernel of two over them sees one cell or two
    assert spans(window(back, 2, 1, 0), 4) == [(0, 1), (0, 3), (2, 3), (2, 5)]
    assert window(back, 2, 1, 0).size == 4
    # DCGAN's 4, stride 2, padding 1: output o reads inputs (o - 2) / 2 upwards to (o + 1) / 2
    assert spans(transposed_window(PIXELS, 4, 2, 1), 4) == [(-1, 0), (0, 1), (0, 1), (1, 2)]
    assert transposed_window(PIXELS, 4, 2, 1).stride == Fraction(1, 2)


def test_adaptive_windows_overlap_where_the_sizes_do_not_divide() -> None:
    assert spans(adaptive_window(PIXELS, 7, 3), 3) == [(0, 2), (2, 4), (4, 6)]
    assert spans(adaptive_window(PIXELS, 8, 2), 2) == [(0, 3), (4, 7)]
    assert spans(adaptive_window(PIXELS, 1, 7), 3) == [(0, 0), (0, 0), (0, 0)]


def test_interpolations_by_hand() -> None:
    assert spans(interpolated(PIXELS, 4, 8, 1), 4) == spans(repeated(PIXELS, 2), 4) == [(0, 0), (0, 0), (1, 1), (1, 1)]
    # centres at -1/4, 1/4, 3/4, 5/4
    assert spans(interpolated(PIXELS, 4, 8, 2), 4) == [(-1, 0), (0, 1), (0, 1), (1, 2)]
    # 3 positions over 5 outputs, corners aligned: 0, 1/2, 1, 3/2, 2
    assert spans(interpolated(PIXELS, 3, 5, 2, corners=True), 5) == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]


def test_branches_are_joined_to_their_hull() -> None:
    one, other = window(PIXELS, 1, 2, 0), window(PIXELS, 3, 2, 1)
    joined = one.joined(other, 8)
    assert (joined.size, joined.stride, joined.offset) == (3, 2, -1)
    everything = window(PIXELS, 3, 1, 1).of_all(8)
    assert one.joined(everything, 4) == Axis((-1,), (8,), 0)
    assert everything.within(0, 8) == (0, 7)

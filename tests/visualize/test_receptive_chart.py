"""What the pictures of receptive fields hold, read from their axes."""

from __future__ import annotations

from collections import Counter

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from cnnexp.visualize.png import new_figure
from cnnexp.visualize.receptive_chart import (
    _QUIET,
    _SEEN,
    Field,
    _bars,
    _draw,
    _frames,
    _places,
    fields_image,
    row_image,
)
from cnnexp.visualize.receptive_field import Layer, count


def lines_by_colour(masks: list[np.ndarray]) -> dict[str, int]:
    axes = new_figure(6, 4).add_subplot()
    _draw(axes, _places(count([Layer(3), Layer(3)], 5)), masks, "title")
    drawn = [one for one in axes.collections if isinstance(one, LineCollection)]
    counts: Counter[str] = Counter()
    for one in drawn:
        counts[to_hex(one.get_edgecolor()[0]).upper()] += len(one.get_segments())
    return dict(counts)


def test_every_connection_is_a_line_and_those_that_are_seen_have_a_colour() -> None:
    counted = count([Layer(3), Layer(3)], 5)
    # h2's middle unit sees three of h1, and these see three inputs each
    assert lines_by_colour([one.mask for one in counted]) == {_SEEN: 3 + 9, _QUIET: 26 - 12}
    assert lines_by_colour([np.ones_like(one.mask) for one in counted]) == {_SEEN: 5 + 25, _QUIET: 50 - 30}
    assert row_image(counted, "title").width > 600


def test_a_unit_stands_over_the_middle_of_its_kernel() -> None:
    assert [row.tolist() for row in _places(count([Layer(3, 2), Layer(3, 2)], 7))] == [
        *([0, 1, 2, 3, 4, 5, 6], [0, 2, 4, 6], [0, 4]),
    ]


def test_fields_are_frames_around_their_pixels() -> None:
    axes = new_figure(6, 6).add_subplot()
    fields = [Field("conv1", (12, 10), (16, 18)), Field("fc", (0, 0), (27, 27)), Field("fc2", (0, 0), (27, 27))]
    _frames(axes, fields, (28, 28))
    first, second, third, picture = axes.patches
    assert first.get_bbox().bounds == (9.5, 11.5, 9, 5) and first.get_label() == "conv1: 5×9"
    assert second.get_bbox().bounds == picture.get_bbox().bounds == (-0.5, -0.5, 28, 28)
    assert third.get_bbox().width < 28  # a little inside of the one before
    assert fields_image(fields, (28, 28), "title").width > 800


def test_fields_of_a_signal_are_bars() -> None:
    axes = new_figure(6, 3).add_subplot()
    _bars(axes, [Field("conv1", (45,), (52,)), Field("conv2", (43,), (54,))], (96,))
    assert [patch.get_bbox().intervalx.tolist() for patch in axes.patches] == [[44.5, 52.5], [42.5, 54.5]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["conv1: 8", "conv2: 12"]

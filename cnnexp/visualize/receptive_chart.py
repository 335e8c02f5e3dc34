"""Receptive fields as pictures: units with their connections in a row, and fields within a net's input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnexp.visualize.canvas import one_line
from cnnexp.visualize.png import figure_image, new_figure
from cnnexp.visualize.receptive_field import Counted, Mask

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

Row = NDArray[np.float64]

_SEEN, _QUIET = "#0072B2", "#C8C8C8"  # Okabe and Ito's blue
_MOST_NUMBERED = 16
_MOST_GRID = 64


@dataclass(frozen=True)
class Field:
    """Pixels that a layer's unit sees, from the first to the last along each axis."""

    name: str
    first: tuple[int, ...]
    last: tuple[int, ...]


def row_image(counted: Sequence[Counted], title: str) -> Image:
    """The convolutions at the left, fully connected layers between the same units at the right.

    What the middle unit of the last layer sees is coloured, with the connections that lead there.
    """
    width = counted[0].inputs
    figure = new_figure(min(16.0, 5.5 + 0.32 * width), 1.1 + 0.95 * (len(counted) + 1))
    figure.suptitle(one_line(title), fontsize=11)
    left, right = figure.subplots(1, 2)
    places = _places(counted)
    _draw(
        left,
        places,
        [one.mask for one in counted],
        f"convolution: {sum(one.connections for one in counted):,} connections",
    )
    full = [np.ones_like(one.mask) for one in counted]
    _draw(right, places, full, f"fully connected: {sum(one.dense for one in counted):,} connections")
    return figure_image(figure)


def _places(counted: Sequence[Counted]) -> list[Row]:
    """Where the units of each row stand, the inputs first: over the middle one of those that they see."""
    places = [np.arange(counted[0].inputs, dtype=float)]
    for one in counted:
        places.append(places[-1][:: one.layer.stride])
    return places


def _draw(axes: Axes, places: Sequence[Row], masks: Sequence[Mask], title: str) -> None:
    from matplotlib.collections import LineCollection

    active = _active(masks)
    for level, mask in enumerate(masks):
        lines: dict[bool, list[list[tuple[float, float]]]] = {True: [], False: []}
        for output, below in zip(*np.nonzero(mask), strict=True):
            ends = [(places[level][below], float(level)), (places[level + 1][output], level + 1.0)]
            lines[bool(active[level + 1][output])].append(ends)
        axes.add_collection(LineCollection(lines[False], colors=_QUIET, linewidths=0.7, zorder=1))
        axes.add_collection(LineCollection(lines[True], colors=_SEEN, linewidths=1.1, zorder=2))
    for level, (row, on) in enumerate(zip(places, active, strict=True)):
        _units(axes, row, on, level, numbered=len(places[0]) <= _MOST_NUMBERED)
        name = "x" if level == 0 else f"h{level}"
        axes.text(-1.0, level, name, ha="right", va="center", fontsize=10)
    axes.set_title(title, fontsize=10)
    axes.set(xlim=(-2.2, len(places[0]) - 0.3), ylim=(-0.45, len(masks) + 0.45))
    axes.axis("off")


def _active(masks: Sequence[Mask]) -> list[Mask]:
    """The units of each row that lead to the middle one of the last, the inputs first."""
    on = np.zeros(len(masks[-1]), bool)
    on[len(on) // 2] = True
    rows = [on]
    for mask in reversed(masks):
        rows.insert(0, np.asarray(mask[rows[0]].any(axis=0)))
    return rows


def _units(axes: Axes, places: Row, on: Mask, level: int, numbered: bool) -> None:
    size = 190 if numbered else max(12, 2200 / max(1, len(places)))
    colours = [_SEEN if one else "white" for one in on]
    axes.scatter(places, np.full(len(places), level), s=size, c=colours, edgecolors="#444444", linewidths=0.9, zorder=3)
    if numbered:
        for place, (x, one) in enumerate(zip(places, on, strict=True), start=1):
            ink = "white" if one else "#222222"
            axes.text(x, level, str(place), ha="center", va="center", fontsize=7, color=ink, zorder=4)


def fields_image(fields: Sequence[Field], size: Sequence[int], title: str) -> Image:
    """What the middle unit of each layer sees: frames within a picture (H, W), or bars along a signal (L,)."""
    figure = new_figure(7.6, 5.6 if len(size) == 2 else 1.4 + 0.4 * len(fields))
    axes = figure.add_subplot()
    axes.set_title(one_line(title), fontsize=10, parse_math=False)
    (_frames if len(size) == 2 else _bars)(axes, fields, size)
    return figure_image(figure)


def _frames(axes: Axes, fields: Sequence[Field], size: Sequence[int]) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    height, width = size
    colours = colormaps["viridis"]
    for number, one in enumerate(fields):
        (top, left), (bottom, right) = one.first, one.last
        colour = colours(0.92 * number / max(1, len(fields) - 1))
        # frames of the same pixels lie a little inside each other
        inset = 0.012 * min(size) * sum(one.first == f.first and one.last == f.last for f in fields[:number])
        corner, down, across = (left - 0.5 + inset, top - 0.5 + inset), bottom - top + 1, right - left + 1
        label = f"{one_line(one.name)}: {down}×{across}"
        axes.add_patch(
            Rectangle(corner, across - 2 * inset, down - 2 * inset, fill=False, ec=colour, lw=2.2, label=label)
        )
    axes.add_patch(Rectangle((-0.5, -0.5), width, height, fill=False, ec="black", lw=0.8, ls=":"))
    margin = 0.03 * max(size)
    axes.set(xlim=(-0.5 - margin, width - 0.5 + margin), ylim=(height - 0.5 + margin, -0.5 - margin), aspect="equal")
    if max(size) <= _MOST_GRID:
        axes.set_xticks(np.arange(-0.5, width), minor=True)
        axes.set_yticks(np.arange(-0.5, height), minor=True)
        axes.set_axisbelow(True)
        axes.grid(which="minor", color="#EEEEEE", lw=0.6)
        axes.tick_params(which="minor", length=0)
    axes.set(xlabel="column / pixels (dotted: the picture)", ylabel="row / pixels")
    axes.legend(fontsize=9, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))


def _bars(axes: Axes, fields: Sequence[Field], size: Sequence[int]) -> None:
    for number, one in enumerate(fields):
        axes.barh(number, one.last[0] - one.first[0] + 1, left=one.first[0] - 0.5, height=0.55, color=_SEEN)
    axes.set_yticks(
        range(len(fields)), [f"{one_line(f.name)}: {f.last[0] - f.first[0] + 1}" for f in fields], fontsize=9
    )
    axes.set(xlim=(-0.5, size[0] - 0.5), xlabel="place in the input")
    axes.spines[["top", "right"]].set_visible(False)

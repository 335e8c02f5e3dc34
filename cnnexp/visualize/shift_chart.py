"""How a net takes a picture that moves, as a chart: its maps at the left, its answer at the right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.visualize.canvas import one_line
from cnnexp.visualize.png import figure_image, new_figure
from cnnexp.visualize.shift import ShiftResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

# From the palette of Okabe and Ito: told apart by the colour-blind, and in grey.
_ANSWERS = {
    "probability": ("mean probability of the answer before", "#009E73", "^", ":"),
    "agreement": ("same answer as before", "#0072B2", "o", "-"),
    "accuracy": ("right answer", "#D55E00", "s", "--"),
}
_MARKERS = "os^Dv<>p"


def shift_image(result: ShiftResult, axis: int, title: str) -> Image:
    """The relative difference of each layer's maps, and how often the answer stays, over the shift.

    Args:
        axis: that the pictures moved along. title: a line above.
    """
    figure = new_figure(11.0 if result.layers else 6.5, 4.6)
    figure.suptitle(one_line(title), fontsize=11, parse_math=False)
    panels = 2 if result.layers else 1
    if result.layers:
        _draw_maps(figure.add_subplot(1, panels, 1), result, axis)
    _draw_answers(figure.add_subplot(1, panels, panels), result)
    for axes in figure.axes:
        axes.set_xlabel("shift / pixels")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return figure_image(figure)


def _draw_maps(axes: Axes, result: ShiftResult, axis: int) -> None:
    from matplotlib import colormaps

    colours = colormaps["viridis"]
    last = max(1, len(result.layers) - 1)
    for number, layer in enumerate(result.layers):
        inside, whole = result.differences[layer.name], result.everywhere[layer.name]
        hidden = [one is None for one in inside]
        label = f"{one_line(layer.name)}, stride {layer.stride[axis]}"
        style: dict[str, Any] = {"marker": _MARKERS[number % len(_MARKERS)], "ms": 4, "lw": 1.4}
        style["color"] = colours(0.9 * number / last)
        if any(hidden):
            values = [whole[place] if away else inside[place] for place, away in enumerate(hidden)]
            starred = [_beside(hidden, place) for place in range(len(hidden))]
            broken = [one if drawn else None for one, drawn in zip(values, starred, strict=True)]
            axes.plot(result.shifts, _gaps(broken), "--", mfc="white", label=f"{label}, border too", **style)
        if not all(hidden):
            axes.plot(result.shifts, _gaps(inside), "-", label=label, **style)
    axes.set_ylim(bottom=-0.02)
    axes.set_ylabel("‖f(Tx) − T f(x)‖ / ‖f(Tx) − mean‖")
    axes.set_title("do the maps move with the picture? 0: exactly", fontsize=10)
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))


def _beside(hidden: Sequence[bool], place: int) -> bool:
    """Whether a value has the border in it, or is where the line to one that has begins or ends."""
    return any(hidden[max(0, place - 1) : place + 2])


def _gaps(values: Sequence[float | None]) -> list[float]:
    return [math.nan if one is None else one for one in values]


def _draw_answers(axes: Axes, result: ShiftResult) -> None:
    for name, (label, colour, marker, line) in _ANSWERS.items():
        values = getattr(result, name)
        if values is not None:
            axes.plot(result.shifts, values, line, marker=marker, ms=4, lw=1.6, color=colour, label=label)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("part of the pictures, probability")
    axes.set_title("does the answer stay?", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14))

"""Responses over the rotation as a chart, with the filters and a turned picture above."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnexp.visualize.png import figure_image, new_figure
from cnnexp.visualize.rotation import RotationResult, turned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

_SINGLE, _LARGEST, _OTHERS = "#D55E00", "#0072B2", "#777777"  # Okabe and Ito's vermilion and blue
_MOST_SHOWN = 9


def rotation_image(result: RotationResult, title: str) -> Image:
    """The filters in a row, and below them the mean response of one and of the largest over the rotation."""
    figure = new_figure(8.6, 5.6)
    figure.suptitle(title, fontsize=11)
    shown = result.filter_degrees[:: max(1, -(-len(result.filter_degrees) // _MOST_SHOWN))]
    grid = figure.add_gridspec(2, len(shown), height_ratios=[1, 3.2])
    for place, angle in enumerate(shown):
        axes = figure.add_subplot(grid[0, place])
        axes.imshow(turned(result.template[None, None], angle)[0, 0].numpy(), cmap="gray")
        axes.set_title(f"filter {angle:+g}°" if angle else "filter 0°", fontsize=8)
        axes.set_axis_off()
    _draw(figure.add_subplot(grid[1, :]), result)
    return figure_image(figure)


def _draw(axes: Axes, result: RotationResult) -> None:
    count = len(result.filter_degrees)
    axes.plot(result.degrees, result.largest, color=_LARGEST, lw=1.8, label=f"largest of {count} turned filters")
    axes.plot(result.degrees, result.single, "--", color=_SINGLE, lw=1.8, label="the upright filter alone")
    for value, line, name in ((result.others_largest, "-", "largest"), (result.others_single, "--", "one filter")):
        axes.axhline(value, color=_OTHERS, ls=line, lw=0.9, label=f"other classes, upright: {name}")
    for angle in result.filter_degrees:
        axes.axvline(angle, color="#BBBBBB", lw=0.6, zorder=0)
    axes.set_xlabel("rotation of the pictures / degrees (grey lines: where a filter stands)")
    axes.set_ylabel("mean response (correlation)")
    axes.set_xlim(min(result.degrees), max(result.degrees))
    axes.grid(alpha=0.25, axis="y")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2))

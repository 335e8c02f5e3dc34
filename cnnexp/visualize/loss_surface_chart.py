"""The loss over a square of weights as contours and as a surface, or over a line of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.visualize.canvas import one_line
from cnnexp.visualize.png import figure_image, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

Array = NDArray[np.float64]
_LEVELS = 16
_WIDE = 20.0
"""Times the lowest loss: where the highest is above that, the scale is logarithmic."""
_MARK = "#D55E00"
_FINELY = 12
"""Places between two epochs, so that a way follows the surface."""


def surface_image(
    axes: Sequence[Sequence[float]],
    losses: Array,
    title: str,
    path: Mapping[int, Sequence[float]] | None = None,
    labels: Sequence[str] = ("steps along the first direction", "along the second"),
    centre: str = "the trained weights",
) -> Image:
    """Contours beside the surface.

    Args:
        axes: steps along both directions. losses: (rows along the second direction, columns along the first); NaN where
            there is none. path: by epoch, where a training went, in steps along both directions; its plane may be wider
            along one of them. labels: of the directions. centre: what weights lie at 0.
    """
    across, up = axes
    shown, logarithmic = _scaled(losses)
    figure = new_figure(12.0, 5.4)
    figure.suptitle(one_line(title), fontsize=11, parse_math=False)
    flat = figure.add_subplot(1, 2, 1)
    filled = flat.contourf(across, up, shown, levels=_LEVELS, cmap="viridis")
    lines = flat.contour(across, up, shown, levels=_LEVELS, colors="white", linewidths=0.5, linestyles="solid")
    flat.clabel(lines, list(lines.levels)[::2], fmt=_power if logarithmic else "%.3g", fontsize=7)
    bar = figure.colorbar(filled, ax=flat, label="loss", shrink=0.85)
    if logarithmic:
        bar.ax.yaxis.set_major_formatter(lambda value, _: _power(value))
    flat.plot(0, 0, "*", ms=13, mfc="white", mec="black", zorder=4, label=centre)
    if path is None:
        flat.set_aspect("equal")
    else:
        _draw_path(flat, path)
    flat.set_xlabel(labels[0])
    flat.set_ylabel(labels[1])
    flat.legend(loc="upper right" if path is None else "best", fontsize=8)
    solid: Any = figure.add_subplot(1, 2, 2, projection="3d", computed_zorder=False)
    solid.plot_surface(
        *np.meshgrid(across, up), shown, cmap="viridis", rstride=1, cstride=1, edgecolor="#00000033", linewidth=0.3
    )
    solid.view_init(elev=32, azim=-58)
    solid.set_xlabel("first")
    solid.set_ylabel("second")
    if path is None:
        solid.set_xticks([across[0], 0, across[-1]])
        solid.set_yticks([up[0], 0, up[-1]])
    else:
        _draw_path_above(solid, path, axes, shown)
    if logarithmic:
        solid.zaxis.set_major_formatter(lambda value, _: _power(value))
    return figure_image(figure)


def line_image(axis: Sequence[float], losses: Array, title: str) -> Image:
    """The loss along one direction, (len(axis),)."""
    figure = new_figure(7.0, 4.4)
    figure.suptitle(one_line(title), fontsize=11, parse_math=False)
    axes = figure.add_subplot()
    axes.plot(axis, losses, "o-", ms=3.5, lw=1.6, color="#0072B2")
    axes.plot(0, losses[len(axis) // 2], "*", ms=13, mfc="white", mec="black", label="the trained weights")
    if _scaled(losses)[1]:
        axes.set_yscale("log")
    axes.set_xlabel("steps along the direction; at 1 every filter has moved by its own length")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    return figure_image(figure)


def _draw_path(axes: Axes, path: Mapping[int, Sequence[float]]) -> None:
    points = np.array(list(path.values()))
    axes.plot(points[:, 0], points[:, 1], "o-", ms=3.5, lw=1.2, color=_MARK, label="the way of the training")
    for epoch in (min(path), max(path)):
        at = (path[epoch][0], path[epoch][1])
        axes.annotate(str(epoch), at, color=_MARK, fontsize=8, xytext=(4, 4), textcoords="offset points")


def _draw_path_above(
    solid: Any, path: Mapping[int, Sequence[float]], axes: Sequence[Sequence[float]], shown: Array
) -> None:
    """On the surface, hidden nowhere."""
    points = np.array(list(path.values()))
    finely = np.concatenate([np.linspace(*pair, _FINELY) for pair in pairwise(points)])
    for places, style in ((finely, "-"), (points, "o")):
        heights = [_height(place, axes, shown) for place in places]
        solid.plot(places[:, 0], places[:, 1], heights, style, ms=3.5, lw=1.6, color=_MARK, zorder=5)
    solid.locator_params(axis="x", nbins=5)
    solid.locator_params(axis="y", nbins=5)


def _height(place: Array, axes: Sequence[Sequence[float]], shown: Array) -> float:
    """Between the four values around a place, bilinearly."""
    across, up = axes
    columns = [np.interp(place[0], across, np.ma.filled(row, np.nan)) for row in shown]
    return float(np.interp(place[1], up, columns))


def _power(value: float) -> str:
    return f"{10**value:.3g}"


def _scaled(losses: Array) -> tuple[Array, bool]:
    """The values as they are drawn: their logarithms where they go over more than a power of ten; gaps are masked."""
    known: Array = np.ma.masked_invalid(losses)
    low, high = float(known.min()), float(known.max())
    logarithmic = low > 0 and high > _WIDE * low
    return (np.ma.log10(known) if logarithmic else known), logarithmic

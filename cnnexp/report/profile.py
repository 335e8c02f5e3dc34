"""A net's profile as a picture: how wide and how large its maps are along the depth, and where its costs lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError
from cnnexp.report.layers import COUNTED, title
from cnnexp.report.notation import scaled_figure
from cnnexp.report.plain_text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

# From the palette of Okabe and Ito: told apart by the colour-blind, and in grey.
_COLOURS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7")
_SHADE = "#EEF1F4"
_NARROWEST_LABEL = 0.028
"""What takes less than this part of the picture goes without its name."""


@dataclass(frozen=True)
class Profile:
    """Layers that compute or pool, in the order of the forward pass; norms and activations are counted with them.

    Args:
        stages: the part (a module of the net itself) that each belongs to. widths: channels, or units.
        resolutions: geometric mean of height and width; 1 for what has no place in the picture.
    """

    stages: tuple[str, ...]
    widths: tuple[int, ...]
    resolutions: tuple[float, ...]
    parameters: tuple[int, ...]
    multiply_adds: tuple[int, ...]


def profile_of(content: Mapping[str, Any]) -> Profile:
    """The profile of what `cnnexp.anatomy.describe.describe` says of a net."""
    called = [layer for layer in content["layers"] if layer["order"] is not None]
    kept: list[dict[str, Any]] = []
    before = dict.fromkeys(COUNTED, 0)  # of what stands before the first layer: a norm on the picture, say
    for layer in sorted(called, key=lambda layer: layer["order"]):
        if layer["output"] and (layer["multiply_adds"] or "kernel" in layer):
            kept.append(dict(layer))
        for key in COUNTED if not kept or kept[-1]["name"] != layer["name"] else ():
            (kept[-1] if kept else before)[key] += layer[key]
    for key in COUNTED if kept else ():
        kept[0][key] += before[key]
    return Profile(
        tuple(layer["name"].split(".")[0] for layer in kept),
        tuple(layer["output"][0] if len(layer["output"]) > 1 else layer["output"][-1] for layer in kept),
        tuple(_resolution(layer["output"]) for layer in kept),
        tuple(layer["parameters"] for layer in kept),
        tuple(layer["multiply_adds"] for layer in kept),
    )


def draw_profile(content: Mapping[str, Any], path: Path) -> Path:
    """Write the profile as a PNG."""
    from cnnexp.visualize.png import write_png

    return write_png(profile_image(content), path)


def profile_image(content: Mapping[str, Any]) -> Image:
    """The profile, four panels over the same layers.

    Args:
        content: of `cnnexp.anatomy.describe.describe`.

    Raises:
        InputError: none of its layers computes or pools, as in a net of tables alone.
    """
    from cnnexp.visualize.png import figure_image, new_figure

    profile, totals = profile_of(content), content["totals"]
    if not profile.stages:
        raise InputError("no layer computes or pools, so there is no profile to draw; it has tables alone")
    figure = new_figure(9.0, 7.2)
    axes = figure.subplots(4, 1, sharex=True)
    _steps(axes[0], "width\n(channels)", profile.widths)
    _steps(axes[1], "resolution\n(pixels a side)", profile.resolutions)
    _bars(axes[2], f"parameters\n({totals['parameters']:,} in all)", profile.parameters)
    costs = f"multiply-adds\n({scaled_figure(totals['multiply_adds'])} a picture)"
    _bars(axes[3], costs, profile.multiply_adds)
    for one in axes:
        _dress(one, profile.stages)
    _name_stages(axes[0], profile.stages)
    axes[-1].set_xlabel("layer: convolutions, poolings and fully connected layers from the picture to the answer")
    figure.suptitle(title(content), fontsize=12, parse_math=False)
    return figure_image(figure)


def _resolution(shape: Sequence[int]) -> float:
    return math.prod(shape[1:]) ** (1 / max(1, len(shape) - 1))


def _steps(axes: Axes, label: str, values: Sequence[float]) -> None:
    """Values that stay the same over many layers, on a scale of doublings, each level with its figure."""
    colour = _COLOURS[label.startswith("resolution")]
    edges = [place + 0.5 for place in range(len(values) + 1)]
    axes.stairs(values, edges, baseline=0, color=colour, fill=True, alpha=0.2, zorder=2)
    axes.stairs(values, edges, baseline=None, color=colour, lw=1.8, zorder=3)
    axes.set_yscale("log", base=2)
    axes.set_ylim(min(values) / 2, max(values) * 3)
    axes.set_yticks([])
    axes.minorticks_off()
    for value, first, last in _runs(values):
        if (last - first + 1) / len(values) >= _NARROWEST_LABEL:
            place = (first + last) / 2, value * 1.12
            axes.text(*place, f"{value:.4g}", ha="center", va="bottom", fontsize=7, color="0.25", zorder=4)
    axes.set_ylabel(label, fontsize=9)


def _bars(axes: Axes, label: str, values: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.bar(range(1, len(values) + 1), values, width=0.8, color=_COLOURS[2 + label.startswith("multiply")], zorder=3)
    axes.set_ylim(0, 1.08 * max([*values, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axes.grid(axis="y", alpha=0.3, zorder=1)
    axes.set_ylabel(label, fontsize=9)


def _dress(axes: Axes, stages: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    for number, (_, first, last) in enumerate(_runs(stages)):
        if number % 2:
            axes.axvspan(first - 0.5, last + 0.5, color=_SHADE, lw=0, zorder=0)
    axes.set_xlim(0.4, len(stages) + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.spines[["top", "right"]].set_visible(False)


def _tick(value: float) -> str:
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _runs(values: Sequence[Any]) -> list[tuple[Any, int, int]]:
    """Stretches of layers with the same value: it, the first layer and the last, counted from 1."""
    runs, begin = [], 1
    for value, group in groupby(values):
        count = len(list(group))
        runs.append((value, begin, begin + count - 1))
        begin += count
    return runs


def _name_stages(axes: Axes, stages: Sequence[str]) -> None:
    for name, first, last in _runs(stages):
        part = (last - first + 1) / len(stages)
        if part >= _NARROWEST_LABEL:
            upright = part * 100 < 1.3 * len(name)
            axes.text(
                (first + last) / 2,
                1.03,
                printable(name),
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="bottom",
                rotation=90 if upright else 0,
                fontsize=8,
                parse_math=False,
            )

"""ImageNet's challenge by year: the winners' errors and depths as lines and as bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.report.imagenet import ALSO, NOTES, PEOPLE, TEST_IMAGES, WINNERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

# From the palette of Okabe and Ito: told apart by the colour-blind, and in grey.
_ERROR, _LAYERS, _PEOPLE = "#0072B2", "#E69F00", "#D55E00"


def challenge_text() -> str:
    """The challenge's best top-5 errors by year, on how many test pictures, and what is often quoted otherwise."""
    lines = ["ILSVRC classification, top-5 error in per cent", ""]
    lines += [f"{'year':<6}{'entry':<48}{'layers':>7}{'error':>8}"]
    for one in sorted([*WINNERS, *ALSO], key=lambda one: one.year):
        lines.append(f"{one.year:<6}{one.entry:<48}{one.layers or '':>7}{one.error:>8.1f}")
    lines += [f"{'':<6}{PEOPLE.entry:<48}{'':>7}{PEOPLE.error:>8.1f}", ""]
    counts = [f"{count:,} in {year}" for year, count in TEST_IMAGES.items()]
    return "\n".join([*lines, f"test pictures: {' and '.join(counts)} and later", "", *NOTES])


def draw_challenge(path: Path) -> Path:
    """Write the chart as a PNG."""
    from cnnexp.visualize.png import write_png

    return write_png(challenge_image(), path)


def challenge_image() -> Image:
    """Two bars for each year, the winner's error and its layers, and a line for a person's error."""
    from cnnexp.visualize.png import figure_image, new_figure

    figure = new_figure(9.0, 4.8)
    errors = figure.subplots()
    layers = errors.twinx()
    places = range(len(WINNERS))
    _bars(errors, [place - 0.2 for place in places], [one.error for one in WINNERS], _ERROR, "{:.1f}")
    _bars(layers, [place + 0.2 for place in places], [one.layers or 0 for one in WINNERS], _LAYERS, "{:.0f}")
    label = f"error of a trained person: {PEOPLE.error:.1f}"
    errors.axhline(PEOPLE.error, color=_PEOPLE, lw=1.2, ls="--", zorder=1, label=label)
    errors.legend(loc="upper center", fontsize=9, frameon=False)
    errors.set_ylim(0, 32)
    layers.set_ylim(0, 32 * 6)  # so that neither kind of bar hides the other's figures
    errors.set_ylabel("top-5 error in per cent", color=_ERROR)
    layers.set_ylabel("layers with weights", color="#8A6000")
    errors.set_xticks(list(places), [f"{one.year}\n{_short(one.entry)}" for one in WINNERS], fontsize=8)
    for axes in (errors, layers):
        axes.spines["top"].set_visible(False)
    figure.suptitle("ILSVRC classification: the winners' errors on the test set, and their layers", fontsize=12)
    return figure_image(figure)


def _bars(axes: Axes, places: list[float], values: list[float], colour: str, figures: str) -> None:
    bars = axes.bar(places, values, width=0.38, color=colour, zorder=2)
    axes.bar_label(bars, [figures.format(value) if value else "" for value in values], fontsize=8, padding=2, zorder=5)


def _short(entry: str) -> str:
    return entry.split(":")[0].split(",")[0].split(" (")[0]

"""Codes of pictures in the plane, and the pictures of a plane of codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.visualize.palette import class_colour
from cnnexp.visualize.png import figure_image, new_figure

MOST_POINTS = 5000
"""Of more codes as many are drawn, evenly spaced among them."""
MOST_NAMED = 24
"""Classes that are named; of more the colours alone tell them apart."""
_TICKS = 7
_MANY = 1000
"""Points from which on they are drawn smaller."""


def codes_image(
    codes: NDArray[Any], labels: NDArray[Any] | None, names: Sequence[str], noun: str = "code"
) -> Image.Image:
    """A point for each code: two numbers as they are, one along a line, more by their first two principal components.

    Args:
        codes: (N, d). labels: (N,), the class of each; None leaves all in one colour. names: of the classes.
        noun: what a code is called.
    """
    chosen = np.unique(np.linspace(0, len(codes) - 1, min(MOST_POINTS, len(codes))).round().astype(np.int64))
    points, axes_named = in_plane(codes, noun)
    points, labels = points[chosen], None if labels is None else labels[chosen]
    figure = new_figure(8.2, 6.6)
    axes = figure.add_subplot()
    size = 3 if len(points) > _MANY else 5
    classes = [None] if labels is None else sorted(set(labels.tolist()))
    for label in classes:
        own = points if labels is None or label is None else points[labels == label]
        colour = np.array(class_colour(4 if label is None else int(label))) / 255
        name = names[label] if label is not None and len(classes) <= MOST_NAMED else None
        axes.plot(own[:, 0], own[:, 1], "o", ms=size, mew=0, alpha=0.6, color=colour, label=name)
        if name is not None:
            _name(axes, np.median(own, axis=0), name)
    axes.set_xlabel(axes_named[0])
    axes.set_ylabel(axes_named[1])
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{noun}s of {len(chosen):,} of {len(codes):,} test pictures", fontsize=11)
    if labels is not None and len(classes) <= MOST_NAMED:
        legend = axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=2)
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure_image(figure)


def in_plane(codes: NDArray[Any], noun: str = "code") -> tuple[NDArray[np.float64], tuple[str, str]]:
    """Codes (N, d) as points (N, 2), and what the two axes are."""
    codes = np.asarray(codes, np.float64)
    if codes.shape[1] == 1:
        spread = np.arange(len(codes)) * 0.618033988749895 % 1
        return np.stack([codes[:, 0], spread], 1), (f"the {noun}'s number", "spread out for the eye")
    if codes.shape[1] == 2:
        return codes, (f"first number of the {noun}", f"second number of the {noun}")
    centred = codes - codes.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(codes))
    total = float(values.sum()) or 1.0
    parts = [f"{ordinal} principal component of the {noun}s, {values[-place] / total:.0%} of their variance"
             for place, ordinal in ((1, "first"), (2, "second"))]  # fmt: skip
    return centred @ vectors[:, [-1, -2]], (parts[0], parts[1])


def map_image(pictures: Sequence[NDArray[Any]], across: NDArray[Any], up: NDArray[Any]) -> Image.Image:
    """Pictures edge to edge, each where its code lies: the first number to the right, the second upwards.

    Args:
        pictures: uint8 (H, W, C) each, those of up[0] first. across: (n,), up: (m,): the codes' numbers, rising.
    """
    height, width, channels = pictures[0].shape
    tiles = np.asarray(pictures).reshape(len(up), len(across), height, width, channels)[::-1]
    sheet = tiles.transpose(0, 2, 1, 3, 4).reshape(len(up) * height, len(across) * width, channels)
    figure = new_figure(8.0, 8.0 * len(up) * height / (len(across) * width))
    axes = figure.add_subplot()
    shown = sheet[:, :, 0] if channels == 1 else sheet
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=(0, len(across), 0, len(up)), aspect="auto")
    for numbers, set_ticks in ((across, axes.set_xticks), (up, axes.set_yticks)):
        places = np.unique(np.linspace(0, len(numbers) - 1, min(_TICKS, len(numbers))).round().astype(int))
        set_ticks(places + 0.5, [f"{numbers[place]:.2f}" for place in places])
    axes.set_xlabel("first number of the code")
    axes.set_ylabel("second number of the code")
    return figure_image(figure)


def _name(axes: Any, place: NDArray[np.float64], name: str) -> None:
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
    axes.text(*place, name, ha="center", va="center", fontsize=12, fontweight="bold", bbox=box, parse_math=False)

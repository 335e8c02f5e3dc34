"""Samples as points in the plane, coloured by class, and as small pictures where their points lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import PAPER, above, fitted, framed, one_line, shortened, words
from cnnexp.visualize.embedding import Plane
from cnnexp.visualize.palette import class_colour
from cnnexp.visualize.png import figure_image, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED = 24
"""Classes that are named; of more the colours alone tell them apart."""
PLAIN = 4
"""The colour of samples without a class."""
_SHEET_PX = 1000
_SIDE_PX = 32
_FRAME_PX = 2


def planes_image(planes: Sequence[Plane], labels: NDArray[Any] | None, names: Sequence[str], title: str) -> Image.Image:
    """The planes side by side; labels (N,) give each point its colour."""
    figure = new_figure(6.2 * len(planes) + 1.2, 5.8)
    figure.suptitle(one_line(title), fontsize=11, parse_math=False)
    panels = figure.subplots(1, len(planes), squeeze=False)[0]
    for axes, plane in zip(panels, planes, strict=True):
        _draw(axes, plane, labels, names)
    if labels is not None and len(set(labels.tolist())) <= MOST_NAMED:
        legend = panels[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=1.6)
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure_image(figure)


def _draw(axes: Axes, plane: Plane, labels: NDArray[Any] | None, names: Sequence[str]) -> None:
    classes = [None] if labels is None else sorted(set(labels.tolist()))
    for label in classes:
        own = plane.points if label is None or labels is None else plane.points[labels == label]
        colour = np.array(class_colour(PLAIN if label is None else label)) / 255
        name = names[label] if label is not None and label < len(names) else None
        style: dict[str, Any] = {"ms": 4.5, "mew": 0.3, "mec": "white", "alpha": 0.85, "color": colour}
        axes.plot(own[:, 0], own[:, 1], "o", label=name, **style)
    axes.set_title(f"{plane.method}, trustworthiness {plane.trustworthiness:.2f}", fontsize=10)
    if plane.explained is not None:
        parts = [f"{ordinal} component, {part:.0%} of the variance"
                 for ordinal, part in zip(("first", "second"), plane.explained, strict=True)]  # fmt: skip
        axes.set_xlabel(parts[0])
        axes.set_ylabel(parts[1])
        axes.grid(alpha=0.25)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("no unit: only who lies near whom counts")
    axes.spines[["top", "right"]].set_visible(False)


def pictures_image(
    plane: Plane, pictures: Sequence[Image.Image], labels: NDArray[Any] | None, title: str
) -> Image.Image:
    """Each picture where its point lies, in a frame of its class's colour; where many lie together,
    the first of them."""
    low, span = plane.points.min(0), np.ptp(plane.points, axis=0)
    corners = (plane.points - low) / np.where(span > 0, span, 1) * (_SHEET_PX - _SIDE_PX - 2 * _FRAME_PX)
    corners[:, 1] = corners[:, 1].max() - corners[:, 1]  # upwards, as in a chart
    sheet = Image.new("RGB", (_SHEET_PX, _SHEET_PX), PAPER)
    pen = ImageDraw.Draw(sheet)
    taken: list[NDArray[np.int64]] = []
    for place, corner in enumerate(np.rint(corners).astype(np.int64)):
        if any(np.abs(corner - other).max() < 0.8 * _SIDE_PX for other in taken):
            continue
        taken.append(corner)
        image = fitted(pictures[place], _SIDE_PX)
        x, y = (int(value) + _FRAME_PX for value in corner)
        colour = class_colour(PLAIN if labels is None else int(labels[place]))
        if labels is not None:
            edge = (x - _FRAME_PX, y - _FRAME_PX, x + image.width + _FRAME_PX - 1, y + image.height + _FRAME_PX - 1)
            pen.rectangle(edge, fill=colour)
        sheet.paste(image, (x, y))
    line = f"{title}: {len(taken):,} of {len(pictures):,} by {plane.method}"
    return framed(above([words(shortened(line, 14, _SHEET_PX), 14), sheet], 8), 10)

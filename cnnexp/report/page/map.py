"""What a page shows of samples as points in the plane, each with its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.report.page.answers import shown_as
from cnnexp.report.page.content import made

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE_PX = 96
_NO_CLASS = 4


def page_of_map(
    views: Mapping[str, Sequence[Sequence[float]]],
    pictures: Sequence[Image],
    names: Sequence[str],
    labels: Sequence[int] | None,
    classes: Sequence[str],
    *,
    title: str,
    notes: Sequence[str],
) -> dict[str, Any]:
    """The map in plain values.

    Args:
        views: by what they are called, the points (N, 2) of all samples. names: of the samples. labels: the class of
            each. notes: sentences below the map.
    """
    shown = range(len(classes)) if labels is None else sorted(set(labels))
    return {
        "title": title,
        "subtitle": f"{len(pictures):,} samples · {made()}",
        "map": {
            "views": [{"name": name, "points": _rounded(points)} for name, points in views.items()],
            "samples": [
                {
                    "name": name,
                    "label": None if labels is None else labels[place],
                    "source": shown_as(pictures[place], _SIDE_PX),
                }
                for place, name in enumerate(names)
            ],
            "classes": [] if labels is None else [[label, _name(classes, label), _hex(label)] for label in shown],
            "plain": _hex(_NO_CLASS),
        },
        "runs": [],
        "columns": [],
        "notes": list(notes),
        "lower": [],
    }


def _rounded(points: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[float(f"{value:.5g}") for value in point] for point in points]


def _name(classes: Sequence[str], label: int) -> str:
    return classes[label] if label < len(classes) else str(label)


def _hex(label: int) -> str:
    from cnnexp.visualize.palette import class_colour

    return "#{:02x}{:02x}{:02x}".format(*class_colour(label))

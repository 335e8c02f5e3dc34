"""Ascended pictures beside each other, over the photographs that come nearest, and their scores as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.visualize.canvas import above
from cnnexp.visualize.grid import grid_image

COLUMNS = 5
_SIDE_PX = 150
"""Room for a name and a probability below."""
_NAME = 26


@dataclass(frozen=True)
class Ascended:
    """What became of one picture.

    Attributes:
        name: of what it was ascended for. start, score: where it began, and as it is written with 8 bits.
        dead: whether its score had no gradient to follow, at any step. probability: of the class.
        part: of the pixels that are called so, where each pixel has a class.
        photo, photo_score: the best one of those that it was compared with.
    """

    name: str
    start: float
    score: float
    dead: bool
    probability: float | None = None
    part: float | None = None
    photo: str | None = None
    photo_score: float | None = None

    @property
    def ratio(self) -> float | None:
        """Of its score to that of the photograph; None where that is not above 0."""
        return self.score / self.photo_score if self.photo_score is not None and self.photo_score > 0 else None

    @property
    def caption(self) -> str:
        if self.dead:
            return f"{self.name}: no gradient"
        return f"{self.name}: {self.score:.4g}" if self.probability is None else f"{self.name}: {self.probability:.1%}"

    def figures(self) -> dict[str, Any]:
        return {name: value for name, value in {**asdict(self), "ratio": self.ratio}.items() if value is not None}


def median_ratio(rows: Sequence[Ascended]) -> float | None:
    """None where no photograph has a score above 0."""
    ratios = [row.ratio for row in rows if row.ratio is not None]
    return median(ratios) if ratios else None


def sheet(
    rows: Sequence[Ascended],
    pictures: Sequence[NDArray[np.uint8]],
    photos: Sequence[NDArray[np.uint8]] | None = None,
) -> Image.Image:
    """Ascended pictures (H, W, C), five in a row; below each row that of their best photographs, if there are any."""
    lines = []
    columns = min(COLUMNS, len(rows))
    for start in range(0, len(rows), columns):
        part = slice(start, start + columns)
        dead = [place for place, row in enumerate(rows[part]) if row.dead]
        captions = [row.caption for row in rows[part]]
        lines.append(grid_image(pictures[part], captions, columns=columns, marked=dead, least_side=_SIDE_PX))
        if photos is not None:
            captions = [f"best photo: {row.photo_score:.4g}" for row in rows[part]]
            lines.append(grid_image(photos[part], captions, columns=columns, least_side=_SIDE_PX))
    return above(lines, 0)


def table(rows: Sequence[Ascended]) -> list[str]:
    """Scores before and behind, a line for each."""
    first = rows[0]
    said = next((one for one in ("probability", "part") if getattr(first, one) is not None), None)
    compared = first.photo is not None
    head = f"{'':<{_NAME}}{'start':>9}{'ascended':>10}" + (f"{said:>13}" if said else "")
    lines = [head + (f"{'best photo':>12}{'ratio':>8}" if compared else "")]
    for row in rows:
        name = row.name if len(row.name) < _NAME else f"{row.name[: _NAME - 2]}…"
        line = f"{name:<{_NAME}}{row.start:>9.3g}{row.score:>10.4g}" + (f"{getattr(row, said):>13.4f}" if said else "")
        ratio = "-" if row.ratio is None else f"{row.ratio:.1f}"
        lines.append(line + (f"{row.photo_score:>12.3g}{ratio:>8}" if compared else ""))
    if compared:
        median = median_ratio(rows)
        lines += ["", "no photograph has a score above 0" if median is None else f"median ratio {median:.1f}"]
    dead = [row.name for row in rows if row.dead]
    if dead:
        lines += ["", f"{len(dead)} of {len(rows)}: the score had no gradient at any step, and nothing was climbed."]
        lines.append("Begin elsewhere: another --seed, or --from a picture.")
    return lines

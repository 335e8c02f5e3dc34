"""What a slid window says: of every place at each scale whether something is there, and the boxes that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.boxes import boxes_image
from cnnexp.visualize.canvas import above, beside, enlarged, framed, to_image, whole_factor
from cnnexp.visualize.palette import class_colour

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.models.window_lenet import WindowLeNet

_SIDE_PX = 360
_HOT = (230, 60, 0)
_OPACITY = 0.75
"""Of a window that is sure."""


@dataclass(frozen=True)
class Heat:
    """Objectness of a picture's windows at a scale.

    Attributes:
        values: (rows, columns) in [0, 1]. x, y: centres of the windows, (columns,) and (rows,), and ``span``, their
            side: in pixels of the picture.
    """

    scale: float
    values: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    span: float


@dataclass(frozen=True)
class Found:
    """Boxes (n, 4) in pixels, scores (n,) and classes (n,)."""

    boxes: NDArray[Any]
    scores: NDArray[Any]
    labels: NDArray[Any]

    def surer(self, score: float) -> Found:
        """Those with at least this score."""
        kept = self.scores >= score
        return Found(self.boxes[kept], self.scores[kept], self.labels[kept])


def look(net: WindowLeNet, x: Tensor) -> tuple[list[Heat], Found, Found]:
    """The windows of a prepared picture (1, C, H, W) at all scales, the boxes they say, and those that are kept."""
    import torch

    from cnnexp.models.window_lenet import STRIDE

    heats = []
    with torch.no_grad():
        for scale in net.scales:
            view = net.view(x, scale)
            values = net(view.picture)[0, 0].sigmoid()
            (across, down), middle = view.factors, net.window / 2 - view.margin
            columns, rows = (
                (np.arange(count) * STRIDE + middle) / factor
                for count, factor in ((values.shape[1], across), (values.shape[0], down))
            )
            heats.append(Heat(scale, values.double().cpu().numpy(), columns, rows, net.window / across))
        (said,), (kept,) = net.candidates(x), net.detect(x)
    found_boxes, found_scores = (part.float().cpu().numpy() for part in (said.boxes, said.scores))
    before = Found(found_boxes, found_scores, said.labels.cpu().numpy())
    boxes, scores, labels = (kept[key].cpu().numpy() for key in ("boxes", "scores", "labels"))
    return heats, before, Found(boxes, scores, labels)


def windows_image(
    picture: NDArray[Any], heats: Sequence[Heat], before: Found, after: Found, names: Sequence[str]
) -> Image.Image:
    """Objectness at each scale in one row; below it the boxes before and after suppression."""
    maps = [_heat_image(picture, heat) for heat in heats]
    captions = [f"scale {heat.scale:g}: {heat.values.size:,} windows of {heat.span:.0f} pixels" for heat in heats]
    marked = [
        framed(_outlined(picture, before), 12),
        boxes_image(picture, after.boxes, after.labels, names, scores=after.scores),
    ]
    boxes = [f"{len(before.boxes)} boxes before suppression", f"{len(after.boxes)} kept"]
    return framed(above([beside(maps, captions), beside(marked, boxes)]))


def _heat_image(picture: NDArray[Any], heat: Heat) -> Image.Image:
    """The picture, each pixel the redder, the surer the window is whose centre is nearest."""
    image = to_image(picture)
    height, width = picture.shape[:2]
    column, row = (_nearest(*one) for one in ((heat.x, width), (heat.y, height)))
    there = (row >= 0)[:, None] & (column >= 0)
    share = (_OPACITY * heat.values[row[:, None], column] * there)[..., None]
    blended = share * np.array(_HOT) + (1 - share) * np.asarray(image, np.float64)
    drawn = Image.fromarray(blended.round().astype(np.uint8))
    return enlarged(drawn, whole_factor(image.size, _SIDE_PX))


def _nearest(centres: NDArray[np.float64], side: int) -> NDArray[np.int64]:
    """Which of some evenly spaced centres is nearest to each pixel of a row; -1 beyond the first and the last one."""
    apart = np.abs(np.arange(side)[:, None] + 0.5 - centres)
    step = centres[1] - centres[0] if len(centres) > 1 else np.inf
    found: NDArray[np.int64] = np.where(apart.min(1) <= step / 2, apart.argmin(1), -1)
    return found


def _outlined(picture: NDArray[Any], found: Found) -> Image.Image:
    """Thin outlines without words: there are too many."""
    image = to_image(picture)
    factor = whole_factor(image.size, _SIDE_PX)
    image = enlarged(image, factor)
    pen = ImageDraw.Draw(image)
    for place in np.argsort(found.scores, kind="stable"):
        x1, y1, x2, y2 = (round(float(edge) * factor) for edge in found.boxes[place])
        pen.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=class_colour(int(found.labels[place])))
    return image

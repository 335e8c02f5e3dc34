"""Where in a picture a view looks, so that boxes that a net says of the view can be put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.inputs.picture_files import Size


@dataclass(frozen=True)
class Turn:
    """A view of the same pixels in another order: transposed first, then turned over in what came of it."""

    transposed: bool = False
    upside_down: bool = False
    mirrored: bool = False


AS_IT_IS = Turn()


@dataclass(frozen=True)
class Place:
    """The window of a picture that a view shows, brought to the net's size.

    Attributes:
        top, left, height, width: of the window in the turned picture, in pixels; it may reach beyond the edges.
        picture: height and width of the picture before it was turned.
    """

    top: float
    left: float
    height: float
    width: float
    picture: Size
    turn: Turn = AS_IT_IS

    def back(self, boxes: NDArray[Any]) -> NDArray[np.float64]:
        """Boxes (n, 4), x1 y1 x2 y2 as parts of the view → the same in pixels of the picture."""
        corner, size = np.array([self.left, self.top] * 2), np.array([self.width, self.height] * 2)
        x1, y1, x2, y2 = (np.asarray(boxes, np.float64).reshape(-1, 4) * size + corner).T
        height, width = self._turned_size()
        if self.turn.mirrored:
            x1, x2 = width - x2, width - x1
        if self.turn.upside_down:
            y1, y2 = height - y2, height - y1
        if self.turn.transposed:
            x1, y1, x2, y2 = y1, x1, y2, x2
        return np.stack([x1, y1, x2, y2], 1)

    def sees(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether points of the picture, in its pixels, lie in the window."""
        if self.turn.transposed:
            x, y = y, x
        height, width = self._turned_size()
        x = width - x if self.turn.mirrored else x
        y = height - y if self.turn.upside_down else y
        inside = (x >= self.left) & (x <= self.left + self.width) & (y >= self.top) & (y <= self.top + self.height)
        return np.asarray(inside)

    def _turned_size(self) -> Size:
        height, width = self.picture
        return (width, height) if self.turn.transposed else (height, width)

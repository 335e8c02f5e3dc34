"""Outlines that a net draws in several views of a picture, made one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.averaging.views import View, centred
from cnnexp.inputs.picture_files import Size

LEAST = 0.5
"""Part of the votes from which on a pixel belongs to an object."""


def joined_masks(
    of_views: Sequence[tuple[View, NDArray[np.bool_], NDArray[np.float64]]],
    joined: NDArray[np.int64],
    count: int,
    whole: Size,
    size: Size,
) -> NDArray[np.bool_]:
    """The masks of objects that several views found, bool (count, H, W) at the net's size.

    Each mask of an object is moved back into the picture, and its pixels vote, by its score; a view that does not see a
    pixel has no vote there. What more than half of the votes are for is the object's.

    Args:
        of_views: for each view its masks, bool (n, h, w), and their scores (n,). joined: for each mask, one view after
            the other, the object that it is of, -1 for none. whole: the pictures' size. size: the net's.
    """
    votes, seen = torch.zeros(count, *size), torch.zeros(count, *size)
    first = 0
    for view, masks, scores in of_views:
        numbers = joined[first : first + len(masks)]
        first += len(masks)
        kept = torch.from_numpy(numbers >= 0)
        if not kept.any():
            continue
        rows, weights = torch.from_numpy(numbers)[kept], torch.from_numpy(scores).float()[kept][:, None, None]
        shown = torch.from_numpy(masks).float()[None]
        votes.index_add_(0, rows, weights * _back(view, shown, whole, size)[kept])
        seen.index_add_(0, rows, weights * _back(view, torch.ones_like(shown[:, :1]), whole, size))
    return (votes > LEAST * seen).numpy()


def _back(view: View, maps: Tensor, whole: Size, size: Size) -> Tensor:
    """Maps (1, n, h, w) over a view → (n, H, W) over what the net takes of the picture."""
    return centred(view.undo(maps, whole), size)[0]

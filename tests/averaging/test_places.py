"""Boxes that are moved back lie where the view's pixels came from: a rectangle is painted, seen and looked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.averaging.places import Place, Turn
from cnnexp.averaging.views import DIHEDRAL, FLIP, View, multi_scale, ten_crop, views_of
from cnnexp.averaging.words import Choice
from cnnexp.inputs.pictures import Pictures

SIZE = (24, 24)
BOX = (9, 11, 15, 14)
"""x1 y1 x2 y2, seen by every view below."""


def painted(height: int, width: int) -> torch.Tensor:
    picture = torch.zeros(1, 1, height, width)
    x1, y1, x2, y2 = BOX
    picture[..., y1:y2, x1:x2] = 1
    return picture


def box_in(view: torch.Tensor) -> np.ndarray:
    """The edges of what is bright, as parts of the view; resampled pixels count by how bright they are."""
    bright = view[0, 0].double().clamp(0, 1)
    down, across = bright.amax(1), bright.amax(0)
    edges = []
    for one in (across, down):
        middle = float((one * (torch.arange(len(one)) + 0.5)).sum() / one.sum())
        edges.append(((middle - float(one.sum()) / 2) / len(one), (middle + float(one.sum()) / 2) / len(one)))
    (x1, x2), (y1, y2) = edges
    return np.array([[x1, y1, x2, y2]])


@pytest.mark.parametrize("view", DIHEDRAL, ids=lambda view: view.name)
def test_flips_and_quarter_turns_are_exact(view: View) -> None:
    seen = view.see(painted(*SIZE), SIZE)
    back = view.place(SIZE, SIZE).back(box_in(seen))
    assert back == pytest.approx(np.array([BOX], float), abs=1e-9)


@pytest.mark.parametrize("view", DIHEDRAL, ids=lambda view: view.name)
def test_turning_and_undoing_is_the_map_itself(view: View) -> None:
    maps = torch.arange(2.0 * 3 * 24 * 24).view(2, 3, 24, 24)
    assert torch.equal(view.undo(view.see(maps, SIZE), SIZE), maps)


def test_the_eight_views_of_a_square_are_different_ones() -> None:
    seen = {tuple(view.see(torch.arange(9.0).view(1, 1, 3, 3), (3, 3)).flatten().tolist()) for view in DIHEDRAL}
    assert len(seen) == 8
    square, oblong = (Pictures(channels=1, image_size=size) for size in ((8, 8), (8, 6)))
    assert views_of(Choice("dihedral"), square, False) == DIHEDRAL
    assert views_of(Choice("dihedral"), oblong, False) == DIHEDRAL[:4]


@pytest.mark.parametrize("stored", [(24, 24), (31, 28)])
@pytest.mark.parametrize("view", [*FLIP, *ten_crop(0.9), *multi_scale((0.875, 1.25))], ids=lambda view: view.name)
def test_what_is_resampled_is_put_back_to_a_part_of_a_pixel(view: View, stored: tuple[int, int]) -> None:
    seen = view.see(painted(*stored), SIZE)
    place = view.place(stored, SIZE)
    if view in FLIP and stored != SIZE:  # what is stored larger is cut by the preparation
        top, left = (round((there - side) / 2) for there, side in zip(stored, SIZE, strict=True))
        seen = seen[..., top : top + SIZE[0], left : left + SIZE[1]]
    assert place.back(box_in(seen)) == pytest.approx(np.array([BOX], float), abs=0.35)
    x, y = np.array([12.0]), np.array([12.5])
    assert place.sees(x, y).all()


def test_what_a_crop_does_not_see() -> None:
    place = Place(0, 0, 6, 6, (8, 8), Turn(mirrored=True))
    x, y = np.array([1.0, 1.0, 7.0]), np.array([1.0, 7.0, 1.0])
    assert place.sees(x, y).tolist() == [False, False, True], "it sees the right part, as its left one in the mirror"

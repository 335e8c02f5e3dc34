"""How pictures moved, for what lies in them: three ways of moving pixels that agree where they say the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.augmentation.geometry import Frame, Geometry
from cnnexp.augmentation.motion import VOID, Motion
from cnnexp.augmentation.resample import make_grid

COUNT = 5


def mask(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(7, (COUNT, height, width), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("size", [(9, 12), (8, 8)])
def test_a_cut_is_what_copied_and_what_resampled_pixels_are(size: tuple[int, int]) -> None:
    values, frame = mask(*size), Frame(size, (5, 6))
    top, left = (size[0] - 5) // 2, (size[1] - 6) // 2
    way = Geometry.shift(COUNT, left - (size[1] - 6) / 2, top - (size[0] - 5) / 2)
    cut = Motion(way, frame, cut=(top, left)).nearest(values)
    assert torch.equal(cut, values[:, top : top + 5, left : left + 6]) and cut.is_contiguous()
    assert torch.equal(Motion(way, frame, reach=(2, 2)).nearest(values), cut)
    grid = make_grid(way, frame, values.float()[:, None])
    assert torch.equal(Motion(way, frame, grid).nearest(values), cut)


def test_what_comes_in_from_outside_is_void() -> None:
    values, frame = mask(6, 7), Frame((6, 7), (6, 7))
    way = Geometry(np.broadcast_to(np.eye(2), (COUNT, 2, 2)), np.tile([2.0, -1.0], (COUNT, 1)))
    expected = torch.full_like(values, VOID)
    expected[:, 1:, :5] = values[:, :5, 2:]
    assert torch.equal(Motion(way, frame, reach=(2, 2)).nearest(values), expected)
    grid = make_grid(way, frame, values.float()[:, None])
    assert torch.equal(Motion(way, frame, grid).nearest(values), expected)


@pytest.mark.parametrize("size", [(9, 12), (8, 8)])
def test_numbers_of_objects_move_alike_also_above_what_a_byte_holds(size: tuple[int, int]) -> None:
    generator, frame = torch.Generator().manual_seed(1), Frame(size, size)
    values = torch.randint(2**15, (COUNT, *size), dtype=torch.int16, generator=generator)
    signs = np.array([[1, 1], [-1, 1], [1, -1], [-1, -1], [1, 1]], float)
    linear = np.eye(2) * signs[:, :, None]
    way = Geometry(linear, np.tile([2.0, -1.0], (COUNT, 1)))
    copied = Motion(way, frame, reach=(2, 2)).nearest_number(values)
    grid = make_grid(way, frame, values.double()[:, None])
    assert torch.equal(Motion(way, frame, grid).nearest_number(values), copied)
    assert torch.equal(copied[0, 1:, :-2], values[0, :-1, 2:])
    assert not copied[0, 0].any() and not copied[0, :, -2:].any()
    assert copied.dtype == torch.int16
    cut = Motion(way, Frame(size, (5, 6)), cut=(1, 2)).nearest_number(values)
    assert torch.equal(cut, values[:, 1:6, 2:8])

"""Margins of mirror images: numpy's, as wide as one likes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.models.mirrored import Sides, mirrored


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [((5, 7), (2, 4), (6, 1)), ((5, 7), (0, 0), (0, 3)), ((3, 4), (11, 5), (0, 20)), ((1, 2), (3, 2), (4, 5))],
)
def test_margins_are_those_of_numpy(size: tuple[int, int], rows: Sides, columns: Sides) -> None:
    picture = torch.arange(2.0 * size[0] * size[1]).view(1, 2, *size)
    expected = np.pad(picture.numpy(), ((0, 0), (0, 0), rows, columns), mode="reflect")
    assert np.array_equal(mirrored(picture, rows, columns).numpy(), expected)


def test_a_figure_by_hand() -> None:
    row = torch.tensor([1.0, 2, 3]).view(1, 1, 1, 3)
    assert mirrored(row, (0, 0), (5, 2)).flatten().tolist() == [2, 1, 2, 3, 2, 1, 2, 3, 2, 1]

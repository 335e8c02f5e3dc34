"""Which pictures are met, and that no number of the generator is out of range."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.augmentation.noise import Noise, gaussian

WHITE = torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1, 1)


def test_pictures_that_are_not_met_stay_exactly_as_they_are() -> None:
    image = torch.rand(6, 3, 5, 5)
    before, u = image.clone(), np.array([[0.1 * i, 0.3 + 0.1 * i] for i in range(6)])
    result = Noise(0.1, 0.25).add(image, u, WHITE)
    assert result is image
    same = (image == before).flatten(1).all(1)
    assert same.tolist() == [False, False, False, True, True, True]


def test_each_channel_s_noise_is_measured_from_its_black_to_its_white() -> None:
    u = np.random.default_rng(0).random((40, 2))
    noise = Noise(0.1, 1.0).add(torch.zeros(40, 3, 20, 20), u, WHITE)
    assert noise.std((0, 2, 3)).tolist() == pytest.approx([0.1, 0.2, 0.4], rel=0.03)
    assert (noise[0] != noise[1]).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_pictures_keep_their_precision(dtype: torch.dtype) -> None:
    image = torch.zeros(2, 3, 4, 4, dtype=dtype)
    assert Noise(0.1, 1.0).add(image, np.array([[0.0, 0.1], [0.0, 0.2]]), WHITE).dtype == dtype
    assert (image != 0).any()


def test_the_last_key_is_one_of_its_own() -> None:
    u = np.array([[0.0, 0.0], [0.0, 0.5], [0.0, np.nextafter(1.0, 0.0)]])
    rows = Noise(1.0, 1.0).add(torch.zeros(3, 1, 3, 3), u, torch.ones(1, 1, 1, 1)).flatten(1)
    assert torch.isfinite(rows).all() and len({tuple(row) for row in rows.tolist()}) == 3


@pytest.mark.parametrize("count", [1, 2, 7, 100_001])
def test_so_many_numbers_as_asked_for_all_finite(count: int) -> None:
    numbers = gaussian(torch.tensor([0, 2**31 - 1, -1], dtype=torch.int32), count)
    assert numbers.shape == (3, count) and numbers.dtype == torch.float32
    # the least of the uniform numbers is 2^-25
    assert float(numbers.abs().max()) <= (2 * 25 * np.log(2)) ** 0.5 + 1e-5
    assert len(numbers.flatten().unique()) > 0.99 * 3 * count

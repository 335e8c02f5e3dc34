"""The augmentation of volumes against numpy, one axis at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.augmentation.volumes import PLANES, Turned, VolumeAugmentation, cut
from cnnexp.errors import InputError


def volume(count: int = 2, side: tuple[int, int, int] = (3, 3, 3)) -> torch.Tensor:
    return torch.randn(count, 2, *side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirrored_along_one_axis(axis: int) -> None:
    mirrored = np.zeros((1, 3), bool)
    mirrored[0, axis] = True
    given = volume(1)
    said = Turned(mirrored, np.zeros((1, 3), np.int64)).nearest(given)
    assert np.array_equal(said[0], np.flip(given[0].numpy(), axis + 1))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_about_one_axis(axis: int, quarters: int) -> None:
    turns = np.zeros((1, 3), np.int64)
    turns[0, axis] = quarters
    given = volume(1)
    said = Turned(np.zeros((1, 3), bool), turns).nearest(given)
    plane = [one for one in range(3) if one != axis]
    assert np.array_equal(said[0], np.rot90(given[0].numpy(), quarters, (plane[0] + 1, plane[1] + 1)))
    four = given
    for _ in range(4):
        four = Turned(np.zeros((1, 3), bool), np.where(turns, 1, 0)).nearest(four)
    assert torch.equal(four, given)


def test_a_plane_with_two_sides_is_turned_by_halves_alone() -> None:
    augmentation = VolumeAugmentation(seed=0, quarter_turn=(1.0, 1.0, 1.0))
    u = np.random.default_rng(0).random((200, 6))
    quarters = augmentation.motion(np.ones((200, 3)), u, (4, 5, 5)).quarters
    assert set(quarters[:, 0]) == {1, 2, 3} and set(quarters[:, 1]) == set(quarters[:, 2]) == {2}
    assert list(PLANES) == ["depth", "height", "width"]


def test_factor_and_summand_are_one_for_a_volume() -> None:
    augmentation, given = VolumeAugmentation(seed=1, gain=0.2, offset=0.3), volume(40)
    said, _ = augmentation(given, torch.arange(40), 0)
    for one, before in zip(said, given, strict=True):
        gain, offset = np.polyfit(before.ravel(), one.ravel(), 1)
        assert 0.8 <= gain <= 1.2 and -0.3 <= offset <= 0.3
        np.testing.assert_allclose(one, gain * before + offset, atol=1e-5)
    assert not torch.equal(said, augmentation(given, torch.arange(40), 1)[0])


def test_noise_is_of_its_deviation() -> None:
    said, _ = VolumeAugmentation(seed=0, noise=0.25)(torch.zeros(4, 1, 20, 20, 20), torch.arange(4), 0)
    assert abs(float(said.std()) - 0.25) < 0.005 and abs(float(said.mean())) < 0.01


def test_a_sample_is_moved_alike_in_any_batch() -> None:
    augmentation = VolumeAugmentation(seed=0, mirror=(0.5, 0.5, 0.5), gain=0.1, noise=0.1)
    given = volume(6)
    together = augmentation(given, torch.arange(6), 2)[0]
    alone = [augmentation(given[i : i + 1], torch.tensor([i]), 2)[0] for i in range(6)]
    assert torch.equal(torch.cat(alone), together)


def test_a_part_from_a_place_of_its_own() -> None:
    given = torch.arange(2 * 4 * 4 * 4).view(2, 4, 4, 4)
    said = cut(given, np.array([[0, 1, 2], [2, 2, 0]]), (2, 1, 2))
    assert said[0].tolist() == given[0, 0:2, 1:2, 2:4].tolist()
    assert said[1].tolist() == given[1, 2:4, 2:3, 0:2].tolist()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mirror": (0.5, 1.5, 0.0)}, r"augmentation\.mirror=\[0\.5,1\.5,0\]: expected numbers from 0 to 1"),
        ({"noise": -0.1}, r"augmentation\.noise=-0\.1: expected numbers from 0 on"),
        ({"gain": 2.0}, r"augmentation\.gain=2: expected numbers from 0 to 1"),
    ],
)
def test_numbers_out_of_range(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        VolumeAugmentation(seed=0, **changes)

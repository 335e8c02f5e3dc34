"""Volumes of digits: what lasts is in the mask, what flashes up is not, and each is a function of its number alone."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.data import digit_volumes
from cnnexp.data.base import SplitName
from cnnexp.data.digit_volumes import NOISE, SIZE, SLICES, _normal, compose
from cnnexp.data.mnist5k import digits_of
from tests.data.tiny import make_data_set, read_conf


def made(count: int, split: SplitName = "train") -> tuple[np.ndarray, np.ndarray]:
    digits = digits_of(split)[0]
    volumes, masks = zip(*(compose(digits, 0, split, i) for i in range(count)), strict=True)
    return np.stack(volumes), np.stack(masks)


def test_a_volume_is_a_function_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = digits_of("train")[0]
    one, again = compose(digits, 0, "train", 7), compose(digits, 0, "train", 7)
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[1], again[1])
    others = [compose(digits, 1, "train", 7), compose(digits, 0, "train", 8), compose(digits, 0, "val", 7)]
    assert all(not np.array_equal(one[0], other[0]) for other in others)
    monkeypatch.setattr(digit_volumes, "COUNTS", {"train": 2, "val": 1, "test": 1})
    digit_volumes._all.cache_clear()
    split = make_data_set("digit_volumes", volume_seed=5).load("train")
    digit_volumes._all.cache_clear()
    batch = split.batch([1])
    assert np.array_equal(batch["volume"][0, 0], compose(digits, 5, "train", 1)[0])
    assert np.array_equal(batch["mask"][0], compose(digits, 5, "train", 1)[1])
    assert split.names == ["digit_volumes/train/0", "digit_volumes/train/1"]


def test_what_lasts_goes_through_many_slices_and_moves() -> None:
    from scipy.ndimage import center_of_mass, label

    volumes, masks = made(12)
    assert volumes.shape == masks.shape == (12, *SIZE) and set(np.unique(masks)) == {0, 1}
    moved = []
    for mask in masks:
        pieces, count = label(mask, np.ones((3, 3, 3)))
        lengths = [np.ptp(np.nonzero(pieces == one)[0]) + 1 for one in range(1, count + 1)]
        assert max(lengths) >= SLICES[0]
        slices = np.flatnonzero(mask.any((1, 2)))
        ends = [np.array(center_of_mass(mask[place])) for place in slices[[0, -1]]]
        moved.append(np.linalg.norm(ends[0] - ends[1]))
    assert np.median(moved) > 3


def test_a_slice_alone_does_not_tell() -> None:
    """Strokes outside of the mask are as bright as those in it, and nearly as many, but end within two slices."""
    volumes, masks = made(40)
    bright = volumes > 140
    inside, outside = bright & (masks > 0), bright & (masks == 0)
    assert 0.15 < outside.sum() / inside.sum() < 1.5
    before, after = (np.roll(bright, step, 1) for step in (2, -2))
    lasting = [float((where & before & after)[:, 2:-2].sum() / where[:, 2:-2].sum()) for where in (inside, outside)]
    assert lasting[0] > 3 * lasting[1]


def test_the_noise_is_of_its_deviation_everywhere() -> None:
    noise = _normal((0, 0, 3))
    assert noise.shape == SIZE and abs(noise.std() - 1) < 0.01 and abs(noise.mean()) < 0.01
    neighbours = np.corrcoef(noise.ravel()[:-1], noise.ravel()[1:])[0, 1]
    assert abs(neighbours) < 0.02 and 3 < np.abs(noise).max() < 3.5, "a sum of four ends at twice the root of three"
    volumes, masks = made(4)
    dark = volumes[(masks == 0)]
    assert abs(np.sqrt((dark[(dark > 0) & (dark < 100)].astype(float) ** 2).mean()) - NOISE) < 5


def test_the_stated_mean_is_that_of_the_volumes() -> None:
    volumes, masks = made(60)
    stated = read_conf("digit_volumes")["data"]
    assert abs(volumes.mean() - stated["mean"][0]) < 1 and abs(volumes.std() - stated["std"][0]) < 1
    assert 0.02 < masks.mean() < 0.06


def test_splits_have_digits_of_their_own() -> None:
    rows = [set(digits_of(split)[2].tolist()) for split in ("train", "val", "test")]
    assert not (rows[0] & rows[1] | rows[0] & rows[2] | rows[1] & rows[2])

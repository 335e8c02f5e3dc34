"""Moving digits: each frame is the last one moved by the step, a frame says nothing; orders, seeds, bad numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.data.base import TensorSplit
from cnnexp.data.mnist5k import digits_of
from cnnexp.data.moving_digits import DIRECTIONS, SIDE, plans_of
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


def split_of(name: str = "val", **changes: Any) -> TensorSplit:
    return make_data_set("moving_digits", **changes).load(name)  # type: ignore[arg-type, return-value]


def steps(shift: torch.Tensor) -> np.ndarray:
    """From frame to frame on the torus, -16 to 15."""
    return (np.diff(shift.numpy().astype(int), axis=1) + SIDE // 2) % SIDE - SIDE // 2


def test_each_frame_is_the_digit_moved_and_what_leaves_comes_in_again() -> None:
    split = split_of()
    plan, batch = split.tensors, split.batch(range(40))
    assert batch["clip"].shape == (40, 16, 1, 32, 32) and batch["clip"].dtype == torch.uint8
    digits = np.pad(digits_of("val")[0], ((0, 0), (2, 2), (2, 2)))
    for clip in range(40):
        for frame, (x, y) in enumerate(plan["shift"][clip].tolist()):
            expected = np.roll(digits[plan["digit"][clip]], (y, x), (0, 1))
            assert np.array_equal(batch["clip"][clip, frame, 0].numpy(), expected)


def test_a_clip_goes_its_direction_and_jumps_where_it_is_cut() -> None:
    plan = plans_of(0, "train", 16, 8, "forward")
    moved, way = steps(plan["shift"]), np.array(DIRECTIONS)[plan["label"]]
    within = np.delete(moved, 7, axis=1)
    speed = abs(within[:, 0]).max(1)
    assert set(speed) == {1, 2, 3}
    assert np.array_equal(within, np.broadcast_to((way * speed[:, None])[:, None], within.shape))
    assert len(np.unique(moved[:, 7], axis=0)) > 500, "where it jumps to is anywhere"
    whole = steps(plans_of(0, "train", 16, None, "forward")["shift"])
    assert np.array_equal(whole, np.broadcast_to(whole[:, :1], whole.shape)), "without a cut it never jumps"


def test_a_frame_says_nothing_of_the_direction() -> None:
    plan = plans_of(0, "train", 16, 8, "forward")
    for frame in (0, 5, 15):
        for way in range(len(DIRECTIONS)):
            places = plan["shift"][plan["label"] == way, frame].numpy()
            counts = np.histogram2d(*places.T, bins=4, range=[[0, SIDE]] * 2)[0]
            expected = len(places) / 16
            assert ((counts - expected) ** 2 / expected).sum() < 44.3, "chi-squared of 15 degrees, 1 in 10,000"
    labels = torch.bincount(plan["label"])
    assert len(labels) == 8 and labels.min() > 400


def test_orders_of_frames() -> None:
    forward, reverse, shuffled = (plans_of(0, "test", 16, 8, order) for order in ("forward", "reversed", "shuffled"))
    assert torch.equal(reverse["shift"], forward["shift"].flip(1))
    assert torch.equal(shuffled["label"], forward["label"])
    ways = np.array(DIRECTIONS)
    assert np.array_equal(ways[reverse["label"]], -ways[forward["label"]])

    def rows(shift: torch.Tensor) -> list[list[tuple[int, ...]]]:
        return [sorted(map(tuple, one)) for one in shift.tolist()]

    assert rows(shuffled["shift"]) == rows(forward["shift"])
    same = (shuffled["shift"] == forward["shift"]).all(2).float().mean()
    assert same < 0.15, "a frame in sixteen stays where it was, by chance"


def test_a_clip_is_a_function_of_its_number() -> None:
    one, again, other = (plans_of(seed, "val", 16, 8, "forward") for seed in (0, 0, 1))
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert not torch.equal(one["shift"], other["shift"])
    longer = plans_of(0, "val", 20, 8, "forward")
    assert torch.equal(longer["shift"][:, :16], one["shift"]), "more frames go on where fewer end"


def test_other_sizes_and_colours() -> None:
    batch = split_of(image_size=(64, 48), channels=3, frames=4).batch([3, 5])
    assert batch["clip"].shape == (2, 4, 3, 64, 48)
    assert torch.equal(batch["clip"][:, :, 0], batch["clip"][:, :, 2])


def test_mean_and_deviation_are_those_of_the_training_clips() -> None:
    clips = all_of(split_of("train"))["clip"]
    mean, std = measured(clips.flatten(0, 1))
    conf = read_conf("moving_digits")["data"]
    assert (conf["mean"], conf["std"]) == ([pytest.approx(mean[0], abs=1e-4)], [pytest.approx(std[0], abs=1e-4)])


def test_digits_of_a_split_stay_in_it() -> None:
    assert {name: len(one) for name, one in load_all(make_data_set("moving_digits")).items()} == {
        "train": 4000,
        "val": 500,
        "test": 1000,
    }
    for name in ("train", "val", "test"):
        assert int(split_of(name).tensors["digit"].max()) < len(digits_of(name)[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["frames", "cut"])
def test_numbers_below_one_are_refused(word: str) -> None:
    with pytest.raises(InputError, match=rf"^data.{word}=0: expected a whole number of at least 1$"):
        make_data_set("moving_digits", **{word: 0})

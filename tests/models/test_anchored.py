"""Samples of anchors: as many as torchvision takes, and the same wherever a picture stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler

from cnnexp.draws import fold
from cnnexp.errors import InputError
from cnnexp.models.anchored import anchor_sizes_of, choose, ranks, refuse_large, refuse_small, same_number, truth_of


GAMMA = np.uint64(0x9E3779B97F4A7C15)


def mixed(state: Any) -> Any:
    """A fold of 0 into a state is the mix of the state one gamma on."""
    return fold(state - GAMMA, 0)


def labels(*counts: tuple[int, int, int]) -> torch.Tensor:
    """Rows with so many positives, negatives and left out, in some order."""
    rows = [torch.tensor([1] * one + [0] * two + [-1] * three) for one, two, three in counts]
    generator = torch.Generator().manual_seed(0)
    return torch.stack([row[torch.randperm(len(row), generator=generator)] for row in rows])


def test_ranks_are_splitmix64() -> None:
    """Its state goes on by the golden gamma: a fold of a zero from the state before."""
    found = ranks(torch.tensor([7, 123456789]), 3, stream=0)
    with np.errstate(over="ignore"):
        for row, key in zip(found, (7, 123456789), strict=True):
            state = mixed(mixed(np.uint64(key)))
            expected = [mixed(state + GAMMA * np.uint64(place)) >> np.uint64(1) for place in (1, 2, 3)]
            assert row.tolist() == [int(one) for one in expected]
    assert (found >= 0).all()
    assert not torch.equal(found, ranks(torch.tensor([7, 123456789]), 3, stream=1))


def test_as_many_of_each_as_torchvision() -> None:
    rows = labels((30, 60, 10), (2, 90, 8), (90, 5, 5), (0, 100, 0), (0, 3, 97), (0, 0, 100))
    chosen = choose(rows, ranks(torch.arange(6), 100, 0), 16, 0.25)
    theirs = BalancedPositiveNegativeSampler(16, 0.25)(list(rows))
    for ours, other in zip(chosen, theirs, strict=True):
        assert ours.sum(1).tolist() == [int(one.sum()) for one in other]
    assert (rows[chosen.positive] == 1).all() and (rows[chosen.negative] == 0).all()
    assert chosen.positive.sum(1).tolist() == [4, 2, 4, 0, 0, 0]


def test_a_picture_draws_the_same_in_any_batch() -> None:
    rows, draws = labels((30, 60, 10), (40, 50, 10)), torch.tensor([5, 6])
    both = choose(rows, ranks(draws, 100, 0), 16, 0.5)
    alone = choose(rows[1:], ranks(draws[1:], 100, 0), 16, 0.5)
    assert torch.equal(both.positive[1:], alone.positive) and torch.equal(both.negative[1:], alone.negative)
    other = choose(rows, ranks(draws + 10, 100, 0), 16, 0.5)
    assert not torch.equal(both.negative, other.negative)


def test_every_candidate_comes_as_often() -> None:
    """Of 20 positives 5 are taken: in 2,000 draws each some 500 times, five deviations of 19 around it."""
    rows = torch.ones(2000, 20, dtype=torch.int64)
    taken = choose(rows, ranks(torch.arange(2000), 20, 0), 10, 0.5).positive.sum(0)
    assert taken.sum() == 10_000
    assert ((taken - 500).abs() < 100).all()


def test_padding_is_no_truth() -> None:
    boxes = torch.arange(16.0).view(2, 2, 4)
    one, none = truth_of(boxes, torch.tensor([[-1, 2], [-1, -1]]))
    assert one["boxes"].tolist() == [[4, 5, 6, 7]] and one["labels"].tolist() == [2]
    assert none["boxes"].shape == (0, 4)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(InputError, match=r"anchors of 80, 100 pixels for pictures of 48x64; take sizes up to 64"):
        refuse_large([[32.0, 80.0], [100.0]], (48, 64))
    with pytest.raises(InputError, match=r"data\.image_size=\[12,64\]: smaller than .* 16 .* data\.image_size=\[16,16\]"):
        refuse_small((12, 64), 16)
    with pytest.raises(InputError, match=r"1 lists of sizes for 2 maps, at strides of 8,16 pixels"):
        anchor_sizes_of([[3.0]], [8, 16])
    with pytest.raises(InputError, match=r"expected as many for each map"):
        same_number([3, 6])

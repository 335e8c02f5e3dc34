"""Weights of gaps by brute force, and the weighed mean."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnexp.augmentation.motion import VOID
from cnnexp.losses import border_weighted
from cnnexp.losses.border_weighted import border_weights

BorderWeighted = partial(border_weighted.BorderWeighted, num_classes=3)
W0, SIGMA = 10.0, 2.0


def objects_of(mask: np.ndarray, background: list[int]) -> list[list[tuple[int, ...]]]:
    """The pixels of each object, found by walking from neighbour to neighbour."""
    waiting = {place for place in np.ndindex(mask.shape) if mask[place] not in (*background, VOID)}
    found = []
    while waiting:
        edge = [waiting.pop()]
        own = list(edge)
        while edge:
            place = edge.pop()
            for axis in range(mask.ndim):
                for step in (-1, 1):
                    near = (*place[:axis], place[axis] + step, *place[axis + 1 :])
                    if near in waiting and mask[near] == mask[place]:
                        waiting.remove(near)
                        edge.append(near)
                        own.append(near)
        found.append(own)
    return found


def by_brute_force(mask: np.ndarray, background: list[int]) -> np.ndarray:
    objects, weights = objects_of(mask, background), np.zeros(mask.shape)
    for place in np.ndindex(mask.shape):
        if mask[place] in background and len(objects) > 1:
            near, next_ = sorted(min(math.dist(place, one) for one in own) for own in objects)[:2]
            weights[place] = W0 * math.exp(-((near + next_) ** 2) / (2 * SIGMA**2))
    return weights


def a_mask(size: tuple[int, ...], seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.choice([0, 1, 2, VOID], size, p=[0.7, 0.15, 0.1, 0.05])


@pytest.mark.parametrize(
    ("size", "background"), [((13, 18), [0]), ((13, 18), [1, 2]), ((40, 7), [0]), ((4, 6, 5), [0])]
)
def test_weights_of_gaps_by_brute_force(size: tuple[int, ...], background: list[int]) -> None:
    mask = a_mask(size, 1)
    if size == (40, 7):  # two specks, farther from others than is looked
        mask[:] = 0
        mask[1, 1], mask[4, 5], mask[39, 3] = 1, 2, 1
    expected = by_brute_force(mask, background)
    assert expected.max() > 0.05
    np.testing.assert_allclose(border_weights(mask, background, W0, SIGMA), expected, rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize("lone", [0, 1, VOID])
def test_a_mask_without_two_objects_has_no_gap(lone: int) -> None:
    mask = np.zeros((5, 5), np.int64)
    mask[2, 2] = lone
    assert not border_weights(mask, [0], W0, SIGMA).any()


def test_a_gap_of_one_pixel_by_hand() -> None:
    """1 + 10 exp(-(1 + 1)² / (2 · 25)) between the two, and 1 + 10 exp(-(2 + 4)² / 50) behind the second."""
    mask = torch.tensor([[[1, 0, 1, 0, 0]]])
    gap, behind, last = 1 + 10 * math.exp(-4 / 50), 1 + 10 * math.exp(-((1 + 3) ** 2) / 50), 1 + 10 * math.exp(-36 / 50)
    weights = BorderWeighted(w0=10, sigma=5).weights(mask)
    torch.testing.assert_close(weights, torch.tensor([[[1, gap, 1, behind, last]]]))


@pytest.mark.parametrize("of_class", [None, (0.5, 2.0, 0.25)])
def test_the_mean_is_weighed_and_void_takes_no_part(of_class: Any) -> None:
    masks = torch.from_numpy(np.stack([a_mask((9, 8), 2), a_mask((9, 8), 3)]))
    loss = BorderWeighted(w0=W0, sigma=SIGMA, class_weights=of_class)
    answer = torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    term = loss(answer, {"mask": masks.to(torch.uint8)}, train=True)
    total = count = 0.0
    for place in np.ndindex(*masks.shape):
        if masks[place] != VOID:
            true = int(masks[place])
            weight = (of_class or (1, 1, 1))[true] + by_brute_force(masks[place[0]].numpy(), [0])[place[1:]]
            total -= weight * answer[place[0], :, place[1], place[2]].log_softmax(0)[true]
            count += weight
    assert float(term.count) == pytest.approx(count, rel=1e-5)
    torch.testing.assert_close(term.mean, total / count, rtol=1e-5, atol=0)
    assert torch.autograd.grad(term.mean, answer)[0].abs().sum((0, 1)).gt(0).any()
    assert (
        not torch.autograd.grad(loss(answer, {"mask": masks}, True).mean, answer)[0].movedim(1, -1)[masks == VOID].any()
    )


def test_parts_of_a_batch_add_up() -> None:
    """As processes and accumulation add them: sums of weighed losses over sums of weights."""
    masks = torch.from_numpy(np.stack([a_mask((9, 8), 4), a_mask((9, 8), 5)]))
    answer, loss = torch.randn(2, 3, 9, 8), BorderWeighted(w0=W0, sigma=SIGMA)
    whole = loss(answer, {"mask": masks}, True)
    parts = [loss(answer[i : i + 1], {"mask": masks[i : i + 1]}, True) for i in range(2)]
    torch.testing.assert_close(sum(one.mean * one.count for one in parts), whole.mean * whole.count)
    assert not torch.isclose(parts[0].count, parts[1].count)


def test_without_borders_it_is_the_cross_entropy() -> None:
    mask, answer = torch.from_numpy(a_mask((1, 9, 8), 6)), torch.randn(1, 3, 9, 8)
    term = BorderWeighted(w0=0, sigma=5)(answer, {"mask": mask}, True)
    torch.testing.assert_close(term.mean, functional.cross_entropy(answer, mask, ignore_index=VOID))
    nothing = BorderWeighted(w0=1, sigma=5)(answer, {"mask": torch.full((1, 9, 8), VOID)}, True)
    assert (float(nothing.mean), float(nothing.count)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"w0": -1}, "loss.w0=-1"),
        ({"sigma": 0}, "loss.sigma=0"),
        ({"background": [3]}, r"loss.background=\[3\]: expected numbers of classes from 0 to 2"),
        ({"background": [0, -1]}, "loss.background="),
        ({"background": []}, "loss.background="),
        ({"background": [2, 0, 1]}, r"loss.background=\[2,0,1\]: .*not all of them"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        BorderWeighted(**({"w0": 10, "sigma": 5} | wrong))

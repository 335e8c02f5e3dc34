"""Soft Dice, by hand, in a loop over pixels, and by its gradient; void takes no part."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnexp.augmentation.motion import VOID
from cnnexp.losses.dice import Dice
from tests.tasks import tiny

WEIGHTS = (0.5, 2.0, 0.25)


def by_hand(answer: Tensor, mask: Tensor, squares: bool, weights: tuple[float, ...] | None) -> tuple[float, int]:
    """The mean over samples that show something, pixel by pixel, and their number."""
    losses = []
    for logits, true in zip(answer.flatten(2), mask.flatten(1), strict=True):
        kept = [place for place in range(len(true)) if true[place] != VOID]
        p = [logits[:, place].softmax(0).tolist() for place in kept]
        sums = weight = 0.0
        for c in sorted({int(true[place]) for place in kept}):
            overlap = sum(one[c] for one, place in zip(p, kept, strict=True) if true[place] == c)
            said = sum(one[c] ** (2 if squares else 1) for one in p)
            shown = sum(int(true[place]) == c for place in kept)
            factor = 1.0 if weights is None else weights[c]
            sums, weight = sums + factor * (1 - 2 * overlap / (said + shown)), weight + factor
        if weight:
            losses.append(sums / weight)
    return (sum(losses) / len(losses) if losses else 0.0), len(losses)


def test_two_pixels_by_hand() -> None:
    """p of the true class 3/4 and 1/2: D_0 = 2 · 3/4 / (3/4 + 1/2 + 1) = 2/3, D_1 = 2 · 1/2 / (1/4 + 1/2 + 1) = 4/7."""
    answer = torch.tensor([[[[3.0, 1.0]], [[1.0, 1.0]]]]).log()
    term = Dice()(answer, {"mask": torch.tensor([[[0, 1]]])}, train=True)
    assert float(term.mean) == pytest.approx(1 - (2 / 3 + 4 / 7) / 2, rel=1e-6)
    assert (term.name, int(term.count)) == ("dice_loss", 1)


@pytest.mark.parametrize("squares", [False, True])
@pytest.mark.parametrize("weights", [None, WEIGHTS, (0.0, 1.0, 0.0)])
@pytest.mark.parametrize("void", [0.0, 0.4])
def test_the_mean_is_that_of_a_loop(squares: bool, weights: tuple[float, ...] | None, void: float) -> None:
    mask = tiny.samples(4, void=void)["mask"]
    mask[0], mask[1] = 0, VOID
    answer = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    term = Dice(squares=squares, class_weights=weights)(answer, {"mask": mask}, train=True)
    expected, count = by_hand(answer, mask, squares, weights)
    assert (float(term.mean), int(term.count)) == (pytest.approx(expected, rel=1e-5), count)
    assert int(Dice(class_weights=weights).count({"mask": mask})) == count


def test_a_volume_is_a_picture_of_as_many_voxels() -> None:
    answer, mask = torch.randn(2, 3, 2, 4, 4), torch.randint(3, (2, 2, 4, 4))
    flat = Dice()(answer.flatten(2)[..., None], {"mask": mask.flatten(1)[..., None]}, True)
    torch.testing.assert_close(Dice()(answer, {"mask": mask}, True).mean, flat.mean)


@pytest.mark.parametrize("squares", [False, True])
def test_the_gradient_is_that_of_differences(squares: bool) -> None:
    answer = torch.randn(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[[0, 1, 2], [VOID, 1, 0]], [[0, 0, 0], [0, VOID, 1]]])
    loss = Dice(squares=squares)
    assert torch.autograd.gradcheck(lambda logits: loss(logits, {"mask": mask}, True).mean, (answer,))


def test_void_and_nothing_but_void_learn_nothing() -> None:
    answer = torch.randn(2, 3, 2, 2, requires_grad=True)
    mask = torch.tensor([[[0, VOID], [1, 2]], [[VOID, VOID], [VOID, VOID]]])
    term = Dice()(answer, {"mask": mask}, True)
    (slope,) = torch.autograd.grad(term.mean, answer)
    assert not slope[0, :, 0, 1].any() and not slope[1].any() and bool(slope[0, :, 1, 1].any())
    nothing = Dice()(answer, {"mask": torch.full_like(mask, VOID)}, True)
    assert (float(nothing.mean.detach()), int(nothing.count)) == (0.0, 0)


def test_balanced_weights_come_when_the_data_has_been_read() -> None:
    truth, answer = {"mask": tiny.samples(4)["mask"]}, torch.randn(4, 3, 8, 8)
    later = Dice()
    later.weigh(torch.tensor(WEIGHTS))
    assert torch.equal(later(answer, truth, True).mean, Dice(class_weights=WEIGHTS)(answer, truth, True).mean)
    assert later.state_dict() == {}


def test_in_half_precision_the_sums_are_in_single() -> None:
    answer, truth = torch.randn(1, 3, 40, 40).bfloat16(), {"mask": torch.randint(3, (1, 40, 40))}
    found = Dice()(answer, truth, True).mean
    assert found.dtype == torch.float32 and torch.equal(found, Dice()(answer.float(), truth, True).mean)

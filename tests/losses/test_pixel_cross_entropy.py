"""Cross entropy pixel by pixel; void takes no part."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from cnnexp.augmentation.motion import VOID
from cnnexp.losses.pixel_cross_entropy import PixelCrossEntropy
from tests.tasks import tiny

WEIGHTS = (0.5, 2.0, 0.25)


@pytest.mark.parametrize("weights", [None, WEIGHTS, (1, 2, 4)])
@pytest.mark.parametrize("void", [0.0, 0.4])
def test_the_mean_is_that_of_torch(weights: tuple[float, ...] | None, void: float) -> None:
    mask = tiny.samples(4, void=void)["mask"]
    answer = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    term = PixelCrossEntropy(class_weights=weights)(answer, {"mask": mask}, train=True)
    of_class = torch.tensor(weights or (1.0, 1.0, 1.0), dtype=torch.float32)
    expected = functional.cross_entropy(answer, mask.long(), of_class, ignore_index=VOID)
    torch.testing.assert_close(term.mean, expected)
    torch.testing.assert_close(*(torch.autograd.grad(one, answer)[0] for one in (term.mean, expected)))
    assert float(term.count) == pytest.approx(float(of_class[mask[mask != VOID].long()].sum()), rel=1e-6)


def test_balanced_weights_come_when_the_data_has_been_read() -> None:
    truth, answer = {"mask": tiny.samples(4)["mask"]}, torch.randn(4, 3, 8, 8)
    later = PixelCrossEntropy()
    later.weigh(torch.tensor(WEIGHTS))
    assert torch.equal(
        later(answer, truth, True).mean, PixelCrossEntropy(class_weights=WEIGHTS)(answer, truth, True).mean
    )
    assert later.state_dict() == {}


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_nothing_but_void_is_a_loss_of_nothing(weights: tuple[float, ...] | None) -> None:
    answer = torch.randn(2, 3, 4, 4, requires_grad=True)
    mask = torch.full((2, 4, 4), VOID, dtype=torch.uint8)
    term = PixelCrossEntropy(class_weights=weights)(answer, {"mask": mask}, train=True)
    assert (float(term.mean.detach()), float(term.count)) == (0.0, 0.0)
    assert not torch.autograd.grad(term.mean, answer)[0].any()

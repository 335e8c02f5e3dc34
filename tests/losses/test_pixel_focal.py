"""Focal loss of pixels: by hand, against torchvision's, and by its gradient; void takes no part."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from cnnexp.augmentation.motion import VOID
from cnnexp.errors import InputError
from cnnexp.losses.pixel_cross_entropy import PixelCrossEntropy
from cnnexp.losses.pixel_focal import PixelFocal
from tests.tasks import tiny

WEIGHTS = (0.5, 2.0, 0.25)


def focal(gamma: float = 2.0, classes: int = 3, **keys: float | Sequence[float] | None) -> PixelFocal:
    return PixelFocal(gamma=gamma, num_classes=classes, **keys)  # type: ignore[arg-type]


def test_three_pixels_by_hand() -> None:
    """p = 3/4, 1/2 and a void pixel: the mean of (1/4)² ln(4/3) and (1/2)² ln 2."""
    answer = torch.tensor([[[[3.0, 1.0, 9.0]], [[1.0, 1.0, 1.0]]]]).log()
    term = focal(classes=2)(answer, {"mask": torch.tensor([[[0, 1, VOID]]])}, train=True)
    assert float(term.mean) == pytest.approx((0.2876821 / 16 + 0.6931472 / 4) / 2, rel=1e-6)
    assert (term.name, int(term.count)) == ("focal", 2)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("alpha", [None, 0.25])
def test_of_two_classes_it_is_torchvisions(gamma: float, alpha: float | None) -> None:
    """A softmax of two logits is a sigmoid of their difference."""
    answer, mask = torch.randn(3, 2, 4, 4), torch.randint(2, (3, 4, 4))
    found = focal(gamma, 2, alpha=alpha)(answer, {"mask": mask}, train=True)
    known = sigmoid_focal_loss(answer[:, 1] - answer[:, 0], mask.float(), alpha or -1.0, gamma, "mean")
    torch.testing.assert_close(found.mean, known)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_gamma_0_is_cross_entropy(weights: tuple[float, ...] | None) -> None:
    truth, answer = {"mask": tiny.samples(4, void=0.4)["mask"]}, torch.randn(4, 3, 8, 8)
    losses = focal(0.0, class_weights=weights), PixelCrossEntropy(class_weights=weights)
    one, other = (loss(answer, truth, True) for loss in losses)
    torch.testing.assert_close(one.mean, other.mean)
    assert torch.equal(torch.as_tensor(one.count), torch.as_tensor(other.count))


def test_factors_of_classes_do_not_change_what_the_mean_is_over() -> None:
    truth, answer = {"mask": torch.tensor([[[0, 1, 2, 2]]])}, torch.zeros(1, 3, 1, 4)
    plain, by_class = focal()(answer, truth, True), focal(alpha=[1.0, 2.0, 0.0])(answer, truth, True)
    assert float(by_class.mean) == pytest.approx(float(plain.mean) * 3 / 4) and int(by_class.count) == 4


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_gradient_is_that_of_differences(gamma: float) -> None:
    answer = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[[0, 1], [VOID, 2]], [[2, 2], [0, VOID]]])
    loss = focal(gamma, class_weights=WEIGHTS)
    assert torch.autograd.gradcheck(lambda logits: loss(logits, {"mask": mask}, True).mean, (answer,))


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_what_is_sure_beyond_rounding_has_a_finite_slope(gamma: float) -> None:
    answer = torch.tensor([[[[90.0]], [[-90.0]], [[0.0]]]], requires_grad=True)
    for true in (0, 1):
        (slope,) = torch.autograd.grad(focal(gamma)(answer, {"mask": torch.tensor([[[true]]])}, True).mean, answer)
        assert bool(slope.isfinite().all())


def test_nothing_but_void_is_a_loss_of_nothing() -> None:
    answer = torch.randn(2, 3, 4, 4, requires_grad=True)
    term = focal()(answer, {"mask": torch.full((2, 4, 4), VOID)}, train=True)
    assert (float(term.mean.detach()), int(term.count)) == (0.0, 0)
    assert not torch.autograd.grad(term.mean, answer)[0].any()


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"gamma": -1.0}, "loss.gamma=-1: must be 0 or more"),
        ({"alpha": 0.25}, "loss.alpha=0.25: .* there are 3; give a list"),
        ({"alpha": [1.0, 2.0]}, r"loss.alpha=\[1,2\]: expected a factor of 0 or more for each of the 3"),
        ({"alpha": [1.0, 2.0, -1.0]}, "loss.alpha="),
    ],
)
def test_what_does_not_fit(keys: dict[str, float], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        focal(**keys)


def test_classes_are_weighed_once() -> None:
    with pytest.raises(InputError, match=r"loss.alpha: .*class_weights.*take one of the two"):
        focal(alpha=[1.0, 1.0, 1.0], class_weights=WEIGHTS)
    weighed: Tensor | None = focal(class_weights=WEIGHTS).class_weights
    assert weighed is not None and weighed.tolist() == list(WEIGHTS)


def test_in_half_precision_the_logarithms_are_in_single() -> None:
    answer, truth = torch.randn(1, 3, 40, 40).bfloat16(), {"mask": torch.randint(3, (1, 40, 40))}
    assert torch.equal(focal()(answer, truth, True).mean, focal()(answer.float(), truth, True).mean)

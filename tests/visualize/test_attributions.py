from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnexp.visualize.attributions import gradient, integrated, smoothgrad
from cnnexp.visualize.section import NotFitting


def picture() -> Tensor:
    return torch.randn(1, 2, 9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def small_net() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 7 * 5, 3), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(3, 1)).double().eval()


def test_the_gradient_of_a_quadratic() -> None:
    """d/dx of x² / 2 is x, of each picture by itself; an in-place net writes into no picture of ours."""
    x = torch.cat([picture(), 2 * picture()])
    assert torch.equal(gradient(lambda x: x.square().sum((1, 2, 3)) / 2, x), x)
    before = x.clone()
    gradient(lambda x: x.relu_().sum((1, 2, 3)), x)
    assert torch.equal(x, before)


def test_integrated_gradients_of_a_quadratic() -> None:
    """Of Σ x² they are x² - b x + (x - b) b = (x - b)(x + b): midpoints are exact for a straight slope."""
    x, baseline = picture(), 0.3 * torch.ones_like(picture())
    found = integrated(lambda x: x.square().sum((1, 2, 3)), x, baseline, steps=3)
    torch.testing.assert_close(found, (x - baseline) * (x + baseline))


@pytest.mark.parametrize("steps", [8, 64, 512])
def test_integrated_gradients_are_complete_as_far_as_the_steps_go(steps: int) -> None:
    """A ReLU that switches on the way costs up to a step's part of its share: the error falls as 1 / steps."""
    net, x = small_net(), picture()
    baseline = torch.zeros_like(x)
    wanted = float((net(x) - net(baseline)).detach())
    found = float(integrated(lambda x: net(x)[:, 0], x, baseline, steps).sum())
    assert found == pytest.approx(wanted, abs=0.15 / steps) and abs(wanted) > 0.01


def test_integrated_gradients_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = small_net(), picture()
    whole = integrated(lambda x: net(x)[:, 0], x, torch.zeros_like(x), 10)
    noisy = smoothgrad(lambda x: net(x)[:, 0], x, 10, 0.2, seed=3)
    monkeypatch.setattr("cnnexp.visualize.attributions.BATCH_PIXELS", 3 * 9 * 7)
    torch.testing.assert_close(integrated(lambda x: net(x)[:, 0], x, torch.zeros_like(x), 10), whole)
    torch.testing.assert_close(smoothgrad(lambda x: net(x)[:, 0], x, 10, 0.2, seed=3), noisy)
    assert not torch.equal(smoothgrad(lambda x: net(x)[:, 0], x, 10, 0.2, seed=4), noisy)


def test_smoothgrad_of_a_step_is_the_bell_of_its_noise() -> None:
    """The mean slope of ReLU(x) under noise of deviation s is Φ(x / s)."""
    x = torch.tensor([-1.0, 0.0, 0.5, 1.0], dtype=torch.float64).view(1, 1, 1, 4)
    found = smoothgrad(lambda x: x.relu().sum((1, 2, 3)), x, 4000, noise=0.5, seed=0)  # the range is 2, so s is 1
    wanted = torch.distributions.Normal(0.0, 1.0).cdf(x)
    torch.testing.assert_close(found, wanted, atol=0.03, rtol=0)


def test_a_score_without_gradient() -> None:
    with pytest.raises(NotFitting, match="no gradient in the picture"):
        gradient(lambda x: (x > 0).double().sum((1, 2, 3)), picture())
    weight = torch.ones(1, requires_grad=True)
    with pytest.raises(NotFitting, match="no gradient"):
        gradient(lambda x: weight * x.detach().sum((1, 2, 3)), picture())

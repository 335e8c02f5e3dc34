"""What Captum finds by the same names, on a net whose ReLUs are modules (its rules see no others)."""

from __future__ import annotations

import pytest
import torch
from captum import attr
from torch import Tensor, nn

from cnnexp.visualize.attributions import by_rule, gradient, integrated
from cnnexp.visualize.cams import grad_cam
from cnnexp.visualize.relu_rules import Rule
from cnnexp.visualize.scores import class_score

CLASS = 3
LAYER = "4"


@pytest.fixture
def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(48, 5),
    ).double().eval()  # fmt: skip


@pytest.fixture
def pictures() -> Tensor:
    return torch.rand(2, 3, 24, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_the_gradient_and_times_the_input(net: nn.Sequential, pictures: Tensor) -> None:
    found = gradient(class_score(net, CLASS), pictures)
    theirs = attr.Saliency(net).attribute(asked(pictures), target=CLASS, abs=False)
    torch.testing.assert_close(found, theirs)
    times = attr.InputXGradient(net).attribute(asked(pictures), target=CLASS)
    torch.testing.assert_close(found * pictures, times.detach())


def test_integrated_gradients(net: nn.Sequential, pictures: Tensor) -> None:
    one, baseline = pictures[:1], torch.full_like(pictures[:1], 0.3)
    theirs = attr.IntegratedGradients(net).attribute(
        one.clone(), baseline, target=CLASS, n_steps=40, method="riemann_middle"
    )
    torch.testing.assert_close(integrated(class_score(net, CLASS), one, baseline, 40), theirs)


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
@pytest.mark.parametrize(("rule", "theirs"), [("guided", "GuidedBackprop"), ("deconvnet", "Deconvolution")])
def test_the_rules_of_relus(net: nn.Sequential, pictures: Tensor, rule: Rule, theirs: str) -> None:
    found, met = by_rule(class_score(net, CLASS), pictures, rule)
    assert met == 3
    torch.testing.assert_close(found, getattr(attr, theirs)(net).attribute(asked(pictures), target=CLASS))
    assert not torch.allclose(found, gradient(class_score(net, CLASS), pictures))


def test_grad_cam(net: nn.Sequential, pictures: Tensor) -> None:
    one = pictures[:1]
    theirs = attr.LayerGradCam(net, net.get_submodule(LAYER)).attribute(
        one.clone(), target=CLASS, relu_attributions=True
    )
    found = grad_cam(net, class_score(net, CLASS), one, LAYER)
    assert found is not None and found.any()
    torch.testing.assert_close(found, theirs[0, 0].detach())


def asked(pictures: Tensor) -> Tensor:
    """Pictures that have gradients already: Captum warns of others."""
    return pictures.clone().requires_grad_()

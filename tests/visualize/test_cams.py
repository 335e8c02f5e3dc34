from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.visualize.cams import cam, grad_cam, hirescam, last_maps, pooled
from cnnexp.visualize.scores import class_score, layer_score


class Averaging(nn.Module):
    """Two convolutions, the mean over all places taken by a function, and a linear layer."""

    def __init__(self, relu_behind: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.head = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 5, 3, stride=2), nn.Linear(5, 4)
        self.relu_behind = relu_behind

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(F.relu(self.first(x), inplace=True))
        x = F.relu(x, inplace=True) if self.relu_behind else x
        return self.head(x.mean((2, 3)))


def picture() -> Tensor:
    return torch.randn(1, 1, 16, 14, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("relu_behind", [False, True])
def test_grad_cam_is_cam_where_maps_are_averaged(relu_behind: bool) -> None:
    net, x = Averaging(relu_behind).eval(), picture()
    how = pooled(net, x)
    assert how is not None and (how.layer, how.rectified) == ("second", relu_behind)
    for number in range(4):
        found = cam(net, how, x, number)
        with torch.no_grad():
            maps = net.second(F.relu(net.first(x)))
            maps = F.relu(maps) if relu_behind else maps
            by_hand = sum(net.head.weight[number, k] * maps[0, k] for k in range(5))
            score = net(x)[0, number]
        torch.testing.assert_close(found, by_hand)
        assert float(found.mean()) + net.head.bias[number].item() == pytest.approx(float(score), abs=1e-5)
        slopes = grad_cam(net, class_score(net, number), x, "second")
        if not relu_behind:
            torch.testing.assert_close(slopes, found.clamp(min=0) / found.numel())
            torch.testing.assert_close(slopes, hirescam(net, class_score(net, number), x, "second"))


def test_grad_cam_is_cam_at_the_maps_that_are_averaged_of_a_residual_net() -> None:
    from cnnexp.models.resnet_cifar import CifarResNet

    torch.manual_seed(0)
    net = CifarResNet(in_channels=3, num_classes=4, depth=8).eval()
    x = torch.randn(1, 3, 32, 32)
    how = pooled(net, x)
    score = class_score(net, 2)
    layer = last_maps(net, score, x)
    assert how is not None and layer is not None and how.weights is not None
    found, slopes = cam(net, how, x, 2), grad_cam(net, score, x, layer)
    torch.testing.assert_close(slopes, found.clamp(min=0) / found.numel(), rtol=1e-4, atol=1e-6)
    assert float(found.max()) > 0


def test_maps_that_are_the_classes_own() -> None:
    """As SqueezeNet, NiN and All-CNN have them: a 1×1 convolution to the classes, and the mean."""
    torch.manual_seed(0)
    maps = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(inplace=True), nn.Conv2d(6, 4, 1), nn.ReLU(inplace=True))
    net, x = nn.Sequential(*maps, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval(), picture()
    how = pooled(net, x)
    assert how is not None and how.weights is None
    with torch.no_grad():
        torch.testing.assert_close(cam(net, how, x, 3), maps(x)[0, 3])


def test_dense_layers_behind_maps_have_no_cam() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 14 * 12, 3))
    assert pooled(net, picture()) is None
    two = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 8), nn.Linear(8, 3))
    assert pooled(two, picture()) is None


def test_the_last_maps_are_the_last_of_the_smallest_that_the_score_depends_on() -> None:
    net, x = Averaging(True).eval(), picture()
    assert last_maps(net, class_score(net, 0), x) == "second"
    assert last_maps(net, layer_score(net, "first", 1), x, "first") is None
    assert last_maps(net, layer_score(net, "second", 1), x, "second") == "first"


def test_a_net_that_pads_its_picture_has_last_maps() -> None:
    """A U-Net brings 18×22 to 20×24 by a function, so that no layer's stride is known."""
    from cnnexp.models.unet import UNet

    torch.manual_seed(0)
    net = UNet(in_channels=1, num_classes=2, width=2, depth=2, norm="batch").eval()
    x = torch.randn(1, 1, 18, 22)
    assert last_maps(net, class_score(net, 1), x) == last_maps(net, class_score(net, 1), x[..., :16, :20]) == "down.2.3"


def test_layers_without_maps() -> None:
    net, x = Averaging(True).eval(), picture()
    assert grad_cam(net, class_score(net, 0), x, "head") is None
    assert grad_cam(net, layer_score(net, "first", 1), x, "second") is None


def test_hirescam_stays_where_the_score_looks() -> None:
    """A score of one place: Grad-CAM weighs the map as a whole and lights up elsewhere too."""
    net = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Identity())
    net[0].weight.data.fill_(2.0)
    x = torch.ones(1, 1, 4, 4)
    score = layer_score(net, "1", 0, (1, 2))
    where = torch.zeros(4, 4)
    where[1, 2] = 2.0
    assert torch.equal(hirescam(net, score, x, "0"), where)  # type: ignore[arg-type]
    assert torch.equal(grad_cam(net, score, x, "0"), torch.full((4, 4), 2 / 16))  # type: ignore[arg-type]

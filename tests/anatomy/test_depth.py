"""Layers on the longest path, against the numbers in the nets' names and by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from cnnexp.anatomy.depth import depth_of


class Branches(nn.Module):
    """Three layers beside one, an attention, a weight that is used as a function's."""

    def __init__(self) -> None:
        super().__init__()
        self.long = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(3)))
        self.short = nn.Conv2d(3, 3, 1)
        self.norm = nn.BatchNorm2d(3)
        self.weight = nn.Parameter(torch.ones(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.long(x)) + self.short(x)
        tokens = x.flatten(2).transpose(1, 2)
        mixed = (tokens @ tokens.transpose(1, 2)).softmax(2) @ tokens
        return mixed.mean(1) @ self.weight.t()


def test_by_hand() -> None:
    assert depth_of(Branches(), torch.rand(1, 3, 4, 4)) == 3 + 1
    assert depth_of(nn.ReLU(), torch.rand(1, 3, 4, 4)) == 0


@pytest.mark.parametrize(
    ("name", "layers"),
    [("alexnet", 8), ("vgg16", 16), ("vgg11_bn", 11), ("resnet18", 18), ("resnet50", 50), ("mobilenet_v2", 53)],
)
def test_papers_count_the_same(name: str, layers: int) -> None:
    with torch.device("meta"):
        net = models.get_model(name, weights=None)
        assert depth_of(net, torch.empty(1, 3, 224, 224)) == layers


def test_googlenet_has_twenty_two() -> None:
    with torch.device("meta"):
        net = models.googlenet(weights=None, init_weights=False, aux_logits=False)
        assert depth_of(net, torch.empty(1, 3, 224, 224)) == 22


def test_a_transformer_has_four_a_block() -> None:
    """Queries, keys and values are one layer, behind attention stands one, then come two."""
    with torch.device("meta"):
        net = models.VisionTransformer(32, 16, num_layers=3, num_heads=2, hidden_dim=8, mlp_dim=16, num_classes=4)
        assert depth_of(net, torch.empty(1, 3, 32, 32)) == 1 + 3 * 4 + 1

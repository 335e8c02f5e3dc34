"""Residual blocks that are skipped at random."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.models.resnet import ResNet
from cnnexp.models.resnet_cifar import CifarResNet


def net_of(which: int, probability: float | None) -> nn.Module:
    """A small net, one of basic blocks and one of bottlenecks."""
    torch.manual_seed(0)
    if which == 0:
        return CifarResNet(in_channels=3, num_classes=4, depth=20, stochastic_depth=probability)
    given: dict[str, Any] = dict(in_channels=3, num_classes=4, image_size=(32, 32), stem="auto")
    return ResNet(**given, depth=(18, 50)[which - 1], stochastic_depth=probability)


def test_the_probability_rises_linearly_to_the_last_block() -> None:
    net = net_of(0, 0.6)
    blocks = [*net.layer1, *net.layer2, *net.layer3]  # type: ignore[union-attr, misc]
    assert [block.drop.p for block in blocks] == pytest.approx([0.6 * place / 9 for place in range(1, 10)])


@pytest.mark.parametrize("which", range(3))
def test_nothing_is_different_in_evaluation_and_the_weights_have_the_same_names(which: int) -> None:
    with_it, without = net_of(which, 0.5), net_of(which, None)
    without.load_state_dict(with_it.state_dict())
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(with_it.eval()(x), without.eval()(x))


@pytest.mark.parametrize("which", range(3))
def test_a_block_that_is_dropped_is_its_shortcut(which: int) -> None:
    """With a probability of 1 the last block of a stage, whose input is not negative, is the identity."""
    net = net_of(which, 0.9).train()
    stage = net.layer3 if which == 0 else net.layer4
    block = stage[-1]  # type: ignore[index]
    x = torch.rand(4, stage[-2].conv2.out_channels if which < 2 else 2048, 4, 4)  # type: ignore[index]
    drop = block.drop if which == 0 else (block.bn2 if which == 1 else block.bn3).drop
    drop.p = 1.0
    assert torch.equal(block(x), x)
    kept = copy.deepcopy(block).eval()
    assert not torch.equal(kept(x), x)


def test_samples_are_dropped_one_by_one_and_kept_ones_are_scaled() -> None:
    block = net_of(0, 0.5).layer3[-1]  # type: ignore[union-attr, index]
    residual = torch.ones(4000, 2, 1, 1)
    found = block.train().drop(residual)  # type: ignore[union-attr]
    assert set(found.flatten().tolist()) == {0.0, 2.0}
    assert (found[:, 0] == found[:, 1]).all()
    assert found.mean().item() == pytest.approx(1.0, abs=0.06)

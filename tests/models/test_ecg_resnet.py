"""The net for electrocardiograms: its count by hand, its stride, its shortcuts, and a block as a formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.ecg_resnet import Block, ECGResNet
from tests.models.made import counted, learns


def ecg_resnet(**changes: Any) -> ECGResNet:
    arguments: dict[str, Any] = dict(
        in_channels=1, num_classes=4, width=32, kernel_size=16, blocks=16, sequence=False, dropout=0.2
    )
    return ECGResNet(**(arguments | changes))


def small(**changes: Any) -> ECGResNet:
    return ecg_resnet(**{"width": 4, "kernel_size": 5, "blocks": 6, **changes})


def test_the_published_number_of_parameters() -> None:
    """By hand: filters 32, 64, 128, 256 in four groups of eight convolutions, the first of a group half as deep."""
    widths = [32, 64, 128, 256]
    convolutions = 16 * 1 * 32 + 32
    norms = 2 * 32  # behind the first convolution
    for before, width in zip([32, *widths], widths, strict=False):
        convolutions += (16 * before * width + width) + 7 * (16 * width * width + width)
        norms += 2 * before + 7 * 2 * width
    norms += 2 * 256 - 2 * 32  # before the linear layer; the first block has one less
    assert counted(ecg_resnet) == convolutions + norms + (256 * 4 + 4) == 10_466_148


def test_it_has_34_layers() -> None:
    net = small(blocks=16)
    kinds = [type(module) for module in net.modules() if isinstance(module, nn.Conv1d | nn.Linear)]
    assert len(kinds) == 34 and kinds[-1] is nn.Linear


@pytest.mark.parametrize(("length", "outputs"), [(1, 1), (96, 1), (256, 1), (257, 2), (1000, 4), (1024, 4)])
def test_an_answer_for_each_256_samples(length: int, outputs: int) -> None:
    net = small(blocks=16, sequence=True, in_channels=2).eval()
    assert net.stride == 2**8
    assert net(torch.randn(3, 2, length)).shape == (3, 4, outputs)


def test_the_sixteen_blocks_halve_every_second_time_and_double_every_fourth() -> None:
    net, shapes = small(blocks=16, width=2).eval(), []
    for block in net.blocks:
        block.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    net(torch.randn(1, 1, 512))
    assert shapes == [(2 * 2 ** (k // 4), 512 // 2 ** ((k + 1) // 2)) for k in range(16)]


def test_one_answer_is_the_mean_over_the_sequence() -> None:
    torch.manual_seed(0)
    net, x = small().eval(), torch.randn(2, 1, 40)
    one = net(x)
    net.sequence = True
    torch.testing.assert_close(one, net(x).mean(dim=2))


def test_a_short_signal_is_filled_up_with_zeros() -> None:
    net, x = small(sequence=True).eval(), torch.randn(2, 1, 13)
    assert torch.equal(net(x), net(F.pad(x, (0, 3))))


def test_an_answer_moves_with_the_signal_by_its_stride() -> None:
    """Far from the edges: eight samples later is one answer later."""
    torch.manual_seed(0)
    net, x = small(sequence=True, kernel_size=3).eval(), torch.randn(1, 1, 400)
    torch.testing.assert_close(net(x)[:, :, 15:35], net(x.roll(8, 2))[:, :, 16:36])


@pytest.mark.parametrize("training", [True, False])
def test_a_residual_of_zero_leaves_the_shortcut(training: bool) -> None:
    x = torch.randn(2, 4, 12)
    for width, stride in [(4, 1), (4, 2), (8, 2)]:
        block = Block(4, width, 5, stride, 0.2, begins_bare=False).train(training)
        nn.init.zeros_(block.residual[-1].weight)
        nn.init.zeros_(block.residual[-1].bias)
        pooled = x if stride == 1 else torch.maximum(x[:, :, 0::2], x[:, :, 1::2])
        assert torch.equal(block(x), torch.cat([pooled, torch.zeros(2, width - 4, 12 // stride)], 1))


def same(x: Tensor, convolution: nn.Conv1d, before: int, after: int, stride: int = 1) -> Tensor:
    return F.conv1d(F.pad(x, (before, after)), convolution.weight, convolution.bias, stride)


def test_a_block_is_its_formula() -> None:
    """Sixteen samples see seven before and eight behind; with a stride of two, seven on both sides."""
    torch.manual_seed(0)
    block, x = Block(3, 6, 16, 2, 0.2, begins_bare=False).eval(), torch.randn(2, 3, 20)
    first, second = (module for module in block.residual if isinstance(module, nn.Conv1d))
    scale = (1 + 1e-5) ** -0.5
    hidden = same((x * scale).relu(), first, 7, 7, stride=2)
    residual = same((hidden * scale).relu(), second, 7, 8)
    torch.testing.assert_close(block(x), residual + F.pad(F.max_pool1d(x, 2), (0, 0, 0, 3)))


def test_dropout_stands_between_the_convolutions_of_a_block() -> None:
    names = [type(module).__name__ for module in small().blocks[1].residual]
    convolution, norm = "SameConv1d", "BatchNorm1d"
    assert names == [norm, "ReLU", convolution, norm, "ReLU", "Dropout", convolution]
    assert [type(module).__name__ for module in small().blocks[0].residual] == names[2:]
    assert not any(isinstance(module, nn.Dropout) for module in small(dropout=None).modules())


def test_first_weights_have_the_variance_of_he() -> None:
    torch.manual_seed(0)
    net = ecg_resnet(blocks=4)
    for module in net.modules():
        if isinstance(module, nn.Conv1d):
            fan_in = module.in_channels * 16
            assert float(module.weight.detach().var() * fan_in) == pytest.approx(2, rel=0.25)
            assert module.bias is not None and not module.bias.any()


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    learns(small(dropout=0.1), torch.randn(8, 1, 64))
    learns(small(sequence=True), torch.randn(8, 1, 64))


def test_numbers_below_one_are_refused() -> None:
    with pytest.raises(InputError, match=r"model.width=0.*\n.*model.kernel_size=0.*\n.*model.blocks=0"):
        ecg_resnet(width=0, kernel_size=0, blocks=0)

"""The fully convolutional net for signals: its count by hand and its formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.fcn_1d import FCN1d
from tests.models.made import counted, learns


def fcn_1d(**changes: Any) -> FCN1d:
    arguments: dict[str, Any] = dict(in_channels=1, num_classes=2, widths=[128, 256, 128], kernel_sizes=[8, 5, 3])
    return FCN1d(**(arguments | changes))


def test_the_number_of_parameters() -> None:
    convolutions = (8 * 1 * 128 + 128) + (5 * 128 * 256 + 256) + (3 * 256 * 128 + 128)
    norms = 2 * (128 + 256 + 128)
    assert counted(fcn_1d) == convolutions + norms + (128 * 2 + 2) == 264_962


def test_it_is_its_formula() -> None:
    torch.manual_seed(0)
    net, x = fcn_1d(widths=[3, 4], kernel_sizes=[8, 5], in_channels=2).eval(), torch.randn(2, 2, 11)
    first, second = (module for module in net.features if isinstance(module, nn.Conv1d))
    scale = (1 + 1e-5) ** -0.5
    hidden = (F.conv1d(F.pad(x, (3, 4)), first.weight, first.bias) * scale).relu()
    hidden = (F.conv1d(hidden, second.weight, second.bias, padding=2) * scale).relu()
    torch.testing.assert_close(net(x), hidden.mean(dim=2) @ net.linear.weight.T + net.linear.bias)


@pytest.mark.parametrize("length", [1, 96, 140])
def test_any_length_passes(length: int) -> None:
    assert fcn_1d(widths=[4, 4, 4]).eval()(torch.randn(3, 1, length)).shape == (3, 2)


def test_dropout_stands_before_the_linear_layer() -> None:
    net = fcn_1d(widths=[4], kernel_sizes=[3], dropout=0.9).train()
    dropped = [float((net.drop(torch.ones(50, 4)) == 0).float().mean()) for _ in range(5)]
    assert all(0.8 < part < 1 for part in dropped)
    assert len(fcn_1d().drop) == 0


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    learns(fcn_1d(widths=[4, 8, 4], dropout=0.1), torch.randn(8, 1, 20))


def test_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"2 for 3 model.widths"):
        fcn_1d(kernel_sizes=[8, 5])
    with pytest.raises(InputError, match="0 for 0"):
        fcn_1d(widths=[], kernel_sizes=[])
    with pytest.raises(InputError, match=r"model.widths=\[0,1,1\]"):
        fcn_1d(widths=[0, 1, 1])

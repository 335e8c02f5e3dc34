"""The nets for waveforms: counts by hand, published sizes, lengths along the net, the first layer by its formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.wave_cnn import WaveCNN
from tests.models.made import counted, learns


def wave_cnn(**changes: Any) -> WaveCNN:
    return WaveCNN(**(dict(in_channels=1, num_classes=10, layers=5) | changes))


def test_the_number_of_parameters() -> None:
    convolutions = 80 * 128 + 3 * 128 * 128 + 3 * 128 * 256 + 3 * 256 * 512
    assert counted(wave_cnn) == convolutions + 2 * (128 + 128 + 256 + 512) + (512 * 10 + 10) == 558_090


@pytest.mark.parametrize(("layers", "millions"), [(3, 0.2), (5, 0.5), (11, 1.8), (18, 3.7)])
def test_sizes_and_layers_are_the_published_ones(layers: int, millions: float) -> None:
    with torch.device("meta"):
        net = wave_cnn(layers=layers)
    weights = [module for module in net.modules() if isinstance(module, (nn.Conv1d, nn.Linear))]
    assert len(weights) == layers
    # M5 has 0.55 million, which the paper cuts to 0.5
    assert sum(module.weight.numel() for module in weights) / 1e6 == pytest.approx(millions, abs=0.06)


@pytest.mark.parametrize(
    ("layers", "lengths"),
    [(3, [8000, 2000, 500]), (5, [8000, 2000, 500, 125, 32]), (18, [8000, 2000, 500, 125, 32])],
)
def test_lengths_are_the_published_ones(layers: int, lengths: list[int]) -> None:
    net, found = wave_cnn(layers=layers, width=1 / 64).eval(), list[int]()
    x = torch.zeros(1, 1, 32_000)
    for module in net.features:
        x = module(x)
        if x.shape[2] not in found:
            found.append(x.shape[2])
    assert found == lengths


def test_the_first_layer_is_its_formula() -> None:
    torch.manual_seed(0)
    net, x = wave_cnn(width=1 / 32).eval(), torch.randn(2, 1, 400)
    first = net.features[0]
    made = (F.conv1d(F.pad(x, (38, 38)), first.weight, stride=4) * (1 + 1e-5) ** -0.5).relu()
    torch.testing.assert_close(net.features[:3](x), made)


@pytest.mark.parametrize("length", [1, 5, 700])
def test_any_length_passes(length: int) -> None:
    assert wave_cnn(width=1 / 32).eval()(torch.randn(3, 1, length)).shape == (3, 10)


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    learns(wave_cnn(width=1 / 16, dropout=0.1), torch.randn(8, 1, 4096))


def test_a_width_without_filters_is_refused() -> None:
    with pytest.raises(InputError, match=r"width=0\.001: leaves no filter of 128"):
        wave_cnn(width=0.001)

"""DCGAN against the paper's shapes and a count by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnexp.models.dcgan import DCGAN


def made(side: int = 28, channels: int = 1, width: int = 8, classes: int = 1, conditional: bool = False) -> DCGAN:
    torch.manual_seed(0)
    return DCGAN(
        in_channels=channels,
        image_size=(side, side),
        num_classes=classes,
        noise=10,
        width=width,
        conditional=conditional,
    )


def test_the_papers_net_doubles_four_times_from_4x4_with_1024_maps() -> None:
    with torch.device("meta"):
        net = DCGAN(in_channels=3, image_size=(64, 64), num_classes=1, noise=100, width=128)
    shapes = [tuple(one.weight.shape) for one in net.generator if isinstance(one, nn.ConvTranspose2d)]
    assert shapes == [(100, 1024, 4, 4), (1024, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 3, 4, 4)]


def test_parameters_by_hand() -> None:
    net = made(width=8)
    generator = 10 * 16 * 49 + 2 * 16 + 16 * 8 * 16 + 2 * 8 + 8 * 1 * 16 + 1
    discriminator = 1 * 8 * 16 + 8 + 8 * 16 * 16 + 2 * 16 + 16 * 49 + 1
    assert sum(one.numel() for one in net.generator.parameters()) == generator
    assert sum(one.numel() for one in net.discriminator.parameters()) == discriminator


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3), (64, 3)])
def test_pictures_come_out_as_large_as_they_go_in(side: int, channels: int) -> None:
    net = made(side, channels)
    pictures = net.generate(torch.randn(3, 10))
    assert pictures.shape == (3, channels, side, side)
    assert float(pictures.detach().abs().max()) <= 1
    assert net(pictures).shape == (3,)


def test_weights_begin_narrow() -> None:
    weights = torch.cat(
        [one.weight.detach().flatten() for one in made(width=32).modules() if isinstance(one, nn.Conv2d)]
    )
    assert float(weights.std()) == pytest.approx(0.02, rel=0.05)


def test_an_odd_side_is_refused() -> None:
    with pytest.raises(ValueError, match="27x27 cannot be halved"):
        made(27)


def test_a_conditional_net_is_told_the_class_by_one_of_k_numbers_and_maps() -> None:
    net = made(classes=4, conditional=True)
    first, second = net.generator[0].weight, net.discriminator[0].weight
    assert (first.shape[0], second.shape[1]) == (10 + 4, 1 + 4)
    seen: list[torch.Tensor] = []
    for part in (net.generator, net.discriminator):
        part.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    noise, label = torch.randn(2, 10), torch.tensor([3, 0])
    net(net.generate(noise, label), label)
    told, shown = seen
    assert torch.equal(told[:, :10, 0, 0], noise) and told[:, 10:, 0, 0].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert shown[:, 1:].flatten(2).unique(dim=2)[:, :, 0].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert net(net.generate(noise)).shape == (2,), "class 0 where none is said"


def test_classes_that_the_data_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match=r"model\.conditional=true: the data has no classes"):
        made(conditional=True)

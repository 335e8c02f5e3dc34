"""The textbook's net: its count, its shapes, and every choice that it gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.fft_conv import FFTConv2d
from cnnexp.models.local_response_norm import LocalResponseNorm
from cnnexp.models.plain_cnn import PlainCNN
from tests.models.made import counted, learns, meta_shapes, parameters

TEXTBOOK: dict[str, Any] = dict(
    in_channels=1,
    num_classes=10,
    image_size=(28, 28),
    widths=(64, 128, 256),
    convolutions=(1, 2, 2),
    kernel_sizes=(7, 3, 3),
    convolution="plain",
    activation="relu",
    leaky_slope=None,
    norm="none",
    squeeze_excitation=None,
    pool="max",
    pool_size=2,
    head="flatten",
    hidden=(128, 64),
    dropout=0.5,
)
SMALL = dict(widths=(8, 16), convolutions=(1, 2), kernel_sizes=(3, 3), hidden=(12,), image_size=(12, 14))


def plain_cnn(**changes: Any) -> PlainCNN:
    return PlainCNN(**(TEXTBOOK | changes))


def small(**changes: Any) -> PlainCNN:
    return plain_cnn(**(SMALL | changes))


def test_the_textbooks_net_has_1413834_parameters() -> None:
    assert counted(plain_cnn) == 1_413_834


def test_maps_of_each_stage() -> None:
    names = ["features.0.conv1", "features.0", "features.1", "features.2", "flatten", "hidden"]
    assert meta_shapes(plain_cnn, names, (1, 28, 28)) == {
        "features.0.conv1": (64, 28, 28),
        "features.0": (64, 14, 14),
        "features.1": (128, 7, 7),
        "features.2": (256, 3, 3),
        "flatten": (2_304,),
        "hidden": (64,),
    }


@pytest.mark.parametrize(
    "changes",
    [
        *({"activation": name} for name in ("tanh", "sigmoid", "leaky_relu", "prelu", "elu", "maxout")),
        *({"norm": norm} for norm in ("batch", "lrn")),
        *({"pool": name, "pool_size": size} for name in ("average", "l2", "max") for size in (2, 3)),
        {"convolution": "separable", "squeeze_excitation": 4, "norm": "batch"},
        {"head": "global_average", "hidden": ()},
        {"dropout": None, "in_channels": 3},
    ],
    ids=str,
)
def test_every_choice_learns_with_every_weight(changes: dict[str, Any]) -> None:
    torch.manual_seed(0)
    net = small(**changes)
    picture = torch.randn(16, changes.get("in_channels", 1), 12, 14)
    assert net(picture).shape == (16, 10)
    learns(net, picture)


def test_a_plain_net_equals_the_formula() -> None:
    torch.manual_seed(0)
    net, x = small(widths=(4,), convolutions=(1,), kernel_sizes=(5,), hidden=()).eval(), torch.randn(2, 1, 12, 14)
    convolution = net.features.get_submodule("0.conv1")
    maps = torch.nn.functional.conv2d(x, convolution.weight, convolution.bias, padding=2)  # type: ignore[arg-type]
    pooled = torch.nn.functional.max_pool2d(maps.relu(), 2).flatten(1)
    torch.testing.assert_close(net(x), pooled @ net.head.weight.T + net.head.bias)


def test_maxout_keeps_the_maps_of_a_stage_and_doubles_those_of_its_convolutions() -> None:
    names = ["features.1.conv2", "features.1.act2"]
    found = meta_shapes(lambda: small(activation="maxout"), names, (1, 12, 14))
    assert found == {"features.1.conv2": (32, 6, 7), "features.1.act2": (16, 6, 7)}


def test_convolutions_by_fft_have_the_weights_and_answers_of_plain_ones() -> None:
    plain, by_fft = (small(convolution=kind, dropout=0.0) for kind in ("plain", "fft"))
    by_fft.load_state_dict(plain.state_dict())
    assert sum(isinstance(one, FFTConv2d) for one in by_fft.modules()) == 3
    x = torch.randn(2, 1, 12, 14)
    torch.testing.assert_close(by_fft(x), plain(x), atol=1e-5, rtol=1e-4)


def test_separable_convolutions_and_excitation_cost_what_they_should() -> None:
    plain, separable = small(), small(convolution="separable")
    weights = (8 * 16 + 16 * 16) * 9 - (8 * 9 + 8 * 16 + 16 * 9 + 16 * 16)  # the very first convolution stays plain
    assert parameters(plain) - parameters(separable) == weights
    assert parameters(small(squeeze_excitation=4)) - parameters(plain) == (2 * 8 * 2 + 2 + 8) + (2 * 16 * 4 + 4 + 16)


def test_lrn_stands_behind_the_activation_and_batch_norm_before_it() -> None:
    lrn, batch = small(norm="lrn").features[1], small(norm="batch").features[1]
    assert [type(one) for one in lrn][:3] == [nn.Conv2d, nn.ReLU, LocalResponseNorm]  # type: ignore[union-attr]
    assert [type(one) for one in batch][:3] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]  # type: ignore[union-attr]


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    net, picture = small(), torch.randn(2, 1, 12, 14)
    assert not torch.equal(net.train()(picture), net(picture))
    assert torch.equal(net.eval()(picture), net(picture))


@pytest.mark.parametrize(("pool_size", "smallest"), [(2, 8), (3, 15)])
def test_the_smallest_picture_passes_and_one_pixel_less_is_refused(pool_size: int, smallest: int) -> None:
    given = dict(pool_size=pool_size, widths=(2, 2, 2), convolutions=(1, 1, 1), kernel_sizes=(3, 3, 3))
    net = small(**given, image_size=(smallest, 40))
    assert net(torch.randn(2, 1, smallest, 40)).shape == (2, 10)
    with pytest.raises(InputError, match=rf"at least {smallest} pixels a side; give data.image_size=\[{smallest},"):
        small(**given, image_size=(smallest - 1, 40))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"widths": (8, 16, 32)}, "model.widths has 3, model.convolutions has 2, model.kernel_sizes has 2"),
        ({"widths": (8, -1)}, r"model.widths=\[8,-1\]: expected whole numbers of at least 1"),
        ({"kernel_sizes": (3, 4)}, "4 is even; .* take 3 or 5"),
        ({"widths": (), "convolutions": (), "kernel_sizes": ()}, "model.widths"),
        ({"squeeze_excitation": 3}, "divides the 8 maps"),
    ],
)
def test_impossible_nets_are_refused_in_one_line(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        small(**changes)
    assert len(refused.value.lines) == 1

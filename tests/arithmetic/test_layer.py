from __future__ import annotations

import itertools
import random

import pytest
import torch
from torch import nn

from cnnexp.arithmetic.equivalents import Equivalent, equivalents
from cnnexp.arithmetic.layer import Convolution, FullyConnected, Pooling, activation_bytes, checked
from cnnexp.errors import InputError


def named(layer: Convolution, bottleneck: int | None = None) -> dict[str, Equivalent]:
    return {one.name: one for one in equivalents(layer, bottleneck)}


@pytest.mark.parametrize(
    ("layer", "output", "parameters", "cost"),
    [
        # AlexNet's first layer on 227 and on 224 pixels
        (Convolution(227, 227, 3, (11, 11), (4, 4), filters=96), (55, 55, 96), 34_944, 105_415_200),
        (Convolution(224, 224, 3, (11, 11), (4, 4), filters=96), (54, 54, 96), 34_944, 101_616_768),
        # where the floor matters
        (Convolution(224, 224, 3, (7, 7), (2, 2), (3, 3), filters=64), (112, 112, 64), 9_472, 118_013_952),
        # LeNet's second
        (Convolution(14, 14, 6, (5, 5), filters=16), (10, 10, 16), 2_416, 240_000),
        # a depthwise one: 9 weights for each of 9 maps
        (Convolution(8, 8, 9, (3, 3), padding=(1, 1), filters=9, groups=9, bias=False), (8, 8, 9), 81, 5_184),
        (FullyConnected((200, 200, 3), 1), (1,), 120_001, 120_000),
        (FullyConnected((6, 6, 256), 4096), (4096,), 37_752_832, 37_748_736),
        (Pooling(55, 55, 96, (3, 3), (2, 2)), (27, 27, 96), 0, 0),
    ],
)  # fmt: skip
def test_layers_by_hand(layer: object, output: tuple[int, ...], parameters: int, cost: int) -> None:
    found = checked(layer)  # type: ignore[arg-type]
    assert (found.output, found.parameters, found.multiply_adds) == (output, parameters, cost)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 5)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 2)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_sizes_and_parameters_are_torchs(
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int]
) -> None:
    layer = Convolution(17, 20, 6, kernel, stride, padding, dilation, filters=4, groups=2)
    module = nn.Conv2d(6, 4, kernel, stride, padding, dilation, groups=2, device="meta")
    height, width, channels = layer.output
    assert module(torch.empty(1, 6, 17, 20, device="meta")).shape == (1, channels, height, width)
    assert layer.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert activation_bytes(layer) == 4 * height * width * channels


def test_widths_of_six_without_padding_shrink_sixteen_to_one() -> None:
    side, sides = 16, []
    for _ in range(3):
        side = Convolution(side, side, 1, (6, 6)).side(0)
        sides.append(side)
    assert sides == [11, 6, 1]


def test_three_small_layers_in_place_of_a_large_one() -> None:
    found = named(Convolution(14, 14, 512, (7, 7), padding=(3, 3), filters=512))
    assert found["the convolution"].weights == 12_845_056
    assert found["3 layers of 3×3"].weights == 7_077_888


def test_a_separable_convolution_and_a_bottleneck() -> None:
    found = named(Convolution(14, 14, 256, (3, 3), padding=(1, 1), filters=256))
    assert found["the convolution"].weights == 589_824
    assert found["depthwise separable"].weights == 67_840
    reduced = named(Convolution(28, 28, 192, (5, 5), padding=(2, 2), filters=32), 16)
    assert reduced["the convolution"].multiply_adds == 120_422_400
    assert reduced["1×1 to 16 maps first"].multiply_adds == 2_408_448 + 10_035_200


def test_a_difference_of_neighbours_as_a_matrix() -> None:
    found = named(Convolution(280, 320, 1, (1, 2), bias=False))
    assert (found["the convolution"].weights, found["as a matrix"].weights) == (2, 8_003_072_000)


def test_by_fft_the_cost_does_not_grow_with_the_kernel() -> None:
    costs = [named(Convolution(64, 64, 8, (k, k), filters=8))["by FFT"].multiply_adds for k in (3, 31)]
    assert costs[0] == costs[1] == 16 * 64 * 64 * 12 + 2 * 64 * 64 * 64


def test_only_what_can_take_its_place_is_named() -> None:
    assert set(named(Convolution(8, 8, 4, (3, 3), (2, 2), filters=4, groups=4))) == {
        "the convolution",
        "by FFT",
        "as a matrix",
    }
    assert not [name for name in named(Convolution(9, 9, 4, (7, 7), (2, 2), filters=4)) if "3×3" in name]


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (Convolution(5, 5, 3, (9, 9)), ["--kernel 9 covers 9 pixels", "with its padding has 5", "--padding 2"]),
        (Convolution(5, 5, 3, (3, 3), dilation=(3, 3)), ["--kernel 3 covers 7 pixels"]),
        (Convolution(5, 5, 3, (3, 3), padding=(-1, -1)), ["--padding -1: expected whole numbers of at least 0"]),
        (Convolution(5, 5, 3, (3, 3), (0, 1)), ["--stride 0x1"]),
        (Convolution(5, 5, 6, (3, 3), filters=4, groups=3), ["--groups 3 does not divide 4 filters", "are 1, 2"]),
        (Convolution(5, 5, 3, (3, 3), filters=0), ["--filters 0"]),
        (FullyConnected((4,), 0), ["--units 0"]),
    ],
)  # fmt: skip
def test_the_impossible_is_refused_in_a_line(layer: object, says: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        checked(layer)  # type: ignore[arg-type]
    assert len(refused.value.lines) == 1
    assert [word for word in says if word not in refused.value.lines[0]] == []


def random_window(draw: random.Random) -> dict[str, tuple[int, int]]:
    def pair(least: int, most: int) -> tuple[int, int]:
        return draw.randint(least, most), draw.randint(least, most)

    return {"kernel": pair(1, 5), "stride": pair(1, 6), "padding": pair(0, 4), "dilation": pair(1, 3)}


def counted(module: nn.Conv1d, side: int) -> tuple[int, int]:
    """Pixels that no window reads: behind the last one that is read, and all of them.

    Counted by the gradient of the sum of all outputs, with every weight 1.
    """
    nn.init.ones_(module.weight)
    line = torch.ones(1, 1, side, requires_grad=True)
    module(line).sum().backward()
    assert line.grad is not None
    read = line.grad[0, 0] > 0
    last = int(read.nonzero().max()) if read.any() else -1
    return side - 1 - last, int((~read).sum())


def test_what_no_window_reads_is_counted_by_the_gradient() -> None:
    """Many settings at random; the end is what lies behind the last window's last pixel."""
    draw, tried, kinds = random.Random(0), 0, set()
    for _ in itertools.count():
        window, size = random_window(draw), (draw.randint(1, 14), draw.randint(1, 14))
        layer = Convolution(*size, 1, **window)
        if layer.problems():
            continue
        for axis in (0, 1):  # along one axis at a time: where no row is read, no column is
            side, own = size[axis], {name: values[axis] for name, values in window.items()}
            at_end, everywhere = counted(nn.Conv1d(1, 1, *own.values(), bias=False), side)
            assert layer.unseen_at_end(axis) + layer.unseen_between(axis) == everywhere, layer
            # dilation may leave out pixels before the last one that is read, never behind it
            if layer.beyond(axis) >= layer.padding[axis]:
                assert layer.unseen_at_end(axis) == at_end, layer
            kinds.add((layer.unseen_at_end(axis) > 0, layer.unseen_between(axis) > 0, layer.left_over(axis) > 0))
        tried += 1
        if tried == 400:
            break
    assert len(kinds) >= 5, "settings of every kind were among them"


def test_poolings_that_round_up_are_torchs() -> None:
    draw, tried, dropped = random.Random(1), 0, 0
    while tried < 400:
        window, size = random_window(draw), (draw.randint(1, 14), draw.randint(1, 14))
        layer = Pooling(*size, 3, **window, ceil=True)
        if layer.problems():
            continue
        module = nn.MaxPool2d(*window.values(), ceil_mode=True)  # type: ignore[arg-type]
        assert layer.output == (*module(torch.zeros(1, 3, *size)).shape[2:], 3), layer
        overhang = [
            (side - 1) * layer.stride[axis] + layer.covered(axis) - layer.padded(axis)
            for axis, side in enumerate(layer.output[:2])
        ]
        assert [-layer.beyond(axis) for axis in (0, 1)] == overhang
        tried, dropped = tried + 1, dropped + any(layer.dropped(axis) for axis in (0, 1))
    assert dropped > 20


def test_a_pooling_with_too_much_padding_is_refused_as_by_torch() -> None:
    layer = Pooling(9, 9, 1, (3, 3), (2, 2), (2, 1))
    with pytest.raises(InputError, match=r"--padding 2x1: a pooling's is half of its kernel at most; give 1$"):
        checked(layer)
    assert Pooling(110, 110, 96, (3, 3), (2, 2), ceil=True).output == (55, 55, 96)
    assert Pooling(110, 110, 96, (3, 3), (2, 2)).output == (54, 54, 96)

"""What can take a convolution's place, against the modules themselves, and its formulas worked once more."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
import torch
from torch import nn

from cnnexp.arithmetic.equivalents import Equivalent, equivalents
from cnnexp.arithmetic.layer import Convolution

WIDE = Convolution(12, 15, 32, (7, 7), padding=(3, 3), filters=24)


def named(layer: Convolution, bottleneck: int | None = None) -> dict[str, Equivalent]:
    return {one.name: one for one in equivalents(layer, bottleneck)}


def cost(*modules: nn.Conv2d) -> tuple[int, int]:
    """Weights and multiply-adds of modules one after another: every weight is met once at each position."""
    x, multiply_adds = torch.empty(1, 32, 12, 15, device="meta"), 0
    for module in modules:
        x = module.to("meta")(x)
        multiply_adds += module.weight.numel() * x.shape[2] * x.shape[3]
    return sum(module.weight.numel() for module in modules), multiply_adds


def conv(into: int, out: int, kernel: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(into, out, kernel, padding=kernel // 2, groups=groups, bias=False)


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("the convolution", [conv(32, 24, 7)]),
        ("3 layers of 3×3", [conv(32, 24, 3), conv(24, 24, 3), conv(24, 24, 3)]),
        ("depthwise separable", [conv(32, 32, 7, groups=32), conv(32, 24, 1)]),
        ("1×1 to 8 maps first", [conv(32, 8, 1), conv(8, 24, 7)]),
    ],
)
def test_weights_and_costs_are_those_of_the_modules(name: str, modules: list[nn.Conv2d]) -> None:
    found = named(WIDE)[name]
    assert (found.weights, found.multiply_adds) == cost(*modules)


def test_only_what_computes_the_same_is_called_so() -> None:
    assert {one.name for one in equivalents(WIDE) if one.same} == {"the convolution", "by FFT", "as a matrix"}
    assert equivalents(WIDE)[0].name == "the convolution"


def products(formula: str) -> int:
    """The numbers of a formula, multiplied and added."""
    terms = formula.split(" weights")[0].split(";")[0].split(" + ")
    return sum(math.prod(int(factor.replace(",", "")) for factor in term.split("·")) for term in terms)


@pytest.mark.parametrize("kernel", [5, 7, 11])
def test_a_formula_gives_the_number_of_weights(kernel: int) -> None:
    layer = replace(WIDE, kernel=(kernel, kernel), channels=1200)
    found = named(layer)
    for name in ("the convolution", f"{(kernel - 1) // 2} layers of 3×3", "depthwise separable"):
        assert products(found[name].formulas[0]) == found[name].weights, name
    assert found[f"{(kernel - 1) // 2} layers of 3×3"].formulas[0].endswith(f"2 + 1 = {kernel} pixels")


def test_a_bottleneck_s_formulas_give_both_of_its_costs() -> None:
    found = named(WIDE, 5)["1×1 to 5 maps first"]
    left, right = found.formulas[0].removesuffix(" multiply-adds, then").split(" = ")
    assert products(left) == int(right.replace(",", "")) == 12 * 15 * 32 * 5
    left, right = found.formulas[1].split(" = ")
    assert products(left) == int(right.replace(",", "")) == found.multiply_adds - 12 * 15 * 32 * 5


def test_a_bottleneck_of_few_maps_is_shown_where_it_is_asked_for() -> None:
    grey = replace(WIDE, channels=15)
    assert not [name for name in named(grey) if "maps first" in name]
    assert "1×1 to 2 maps first" in named(grey, 2)
    assert "1×1 to 4 maps first" in named(replace(WIDE, channels=16))


@pytest.mark.parametrize(
    "changes",
    [
        {"kernel": (3, 3)},
        {"kernel": (6, 6)},
        {"kernel": (5, 7)},
        {"stride": (2, 2)},
        {"dilation": (2, 2)},
        {"groups": 4},
    ],
)
def test_what_small_layers_cannot_do_is_not_offered(changes: dict[str, tuple[int, int]]) -> None:
    assert not [name for name in named(replace(WIDE, **changes)) if "3×3" in name]


def test_by_one_pixel_there_is_nothing_to_separate() -> None:
    assert set(named(replace(WIDE, kernel=(1, 1), padding=(0, 0)))) == {"the convolution", "by FFT", "as a matrix"}
    assert "depthwise separable" not in named(replace(WIDE, channels=1))


def test_a_transform_is_of_the_padded_picture_and_a_stride_saves_nothing() -> None:
    dense, strided = (named(replace(WIDE, stride=stride))["by FFT"] for stride in ((1, 1), (2, 2)))
    numbers = 18 * 21
    expected = (32 + 24) * round(numbers * math.log2(numbers)) + 2 * numbers * 32 * 24
    assert dense.multiply_adds == strided.multiply_adds == expected
    assert "18·21 = 378" in dense.formulas[0]
    assert len(dense.formulas) == 2 and "the stride only throws results away" in strided.formulas[2]


def test_a_matrix_has_a_row_for_each_output() -> None:
    layer = Convolution(5, 6, 2, (3, 3), (2, 2), filters=4, groups=2)
    found = named(layer)["as a matrix"]
    assert found.weights == found.multiply_adds == (5 * 6 * 2) * (2 * 2 * 4)


@pytest.mark.parametrize(
    ("size", "padding"), [((9, 11), (0, 0)), ((9, 11), (1, 2)), ((3, 9), (4, 5)), ((9, 8), (3, 3))]
)
def test_small_layers_that_share_a_padding_end_at_the_same_size(
    size: tuple[int, int], padding: tuple[int, int]
) -> None:
    layer = replace(WIDE, height=size[0], width=size[1], padding=padding)
    x, multiply_adds, channels = torch.empty(1, 32, *size, device="meta"), 0, 32
    for number in range(3):
        own = tuple(side // 3 + (number < side % 3) for side in padding)
        module = nn.Conv2d(channels, 24, 3, padding=own, bias=False, device="meta")  # type: ignore[arg-type]
        x, channels = module(x), 24
        multiply_adds += module.weight.numel() * x.shape[2] * x.shape[3]
    assert tuple(x.shape[2:]) == layer.output[:2]
    assert named(layer)["3 layers of 3×3"].multiply_adds == multiply_adds


def test_the_zeros_of_a_matrix_are_counted() -> None:
    """Column by column: the answers to unit pictures are the matrix."""
    draw = random.Random(2)
    for _ in range(40):
        window = {"kernel": (draw.randint(1, 4), draw.randint(1, 4)), "stride": (draw.randint(1, 3),) * 2}
        window |= {"padding": (draw.randint(0, 2), 1), "dilation": (draw.randint(1, 2),) * 2}
        layer = Convolution(5, 4, 2, **window, filters=4, groups=draw.choice((1, 2)))
        if layer.problems():
            continue
        module = nn.Conv2d(2, 4, *window.values(), groups=layer.groups, bias=False)  # type: ignore[arg-type]
        nn.init.ones_(module.weight)
        matrix = module(torch.eye(40).view(40, 2, 5, 4)).flatten(1)
        zeros = int((matrix == 0).sum())
        (formula,) = named(layer)["as a matrix"].formulas
        assert formula.endswith(f", {zeros:,} of them 0" if zeros else ", none of them 0"), layer

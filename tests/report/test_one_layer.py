from __future__ import annotations

import json

import pytest

from cnnexp.arithmetic.layer import Convolution, FullyConnected, Pooling
from cnnexp.report.one_layer import as_content, as_text

ALEXNET = Convolution(227, 227, 3, (11, 11), (4, 4), filters=96)


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (ALEXNET, "(227 − 11 + 2·0)/4 + 1 = 55"),
        (ALEXNET, "parameters     (11·11·3 + 1)·96 = 34,944"),
        (ALEXNET, "multiply-adds  55·55·96·11·11·3 = 105,415,200"),
        (Convolution(224, 224, 3, (7, 7), (2, 2), (3, 3), filters=64), "⌊(224 − 7 + 2·3)/2⌋ + 1 = 112"),
        (Convolution(224, 224, 3, (7, 7), (2, 2), (3, 3)), "the floor leaves 1 row and 1 column at the end unseen"),
        (Convolution(280, 320, 1, (1, 2)), "height (280 − 1 + 2·0)/1 + 1 = 280"),
        (Convolution(16, 16, 1, (3, 3), dilation=(2, 2)), "(16 − (2·(3 − 1) + 1) + 2·0)/1 + 1 = 12"),
        (Convolution(8, 8, 8, (3, 3), filters=4, groups=2), "(3·3·8/2 + 1)·4 = 148"),
        (Pooling(55, 55, 96, (3, 3), (2, 2)), "output         27×27×96"),
        (FullyConnected((200, 200, 3), 1), "200·200·3 = 120,000 weights a unit; (120,000 + 1)·1 = 120,001"),
    ],
)
def test_formulas_have_their_numbers(layer: Convolution | Pooling | FullyConnected, line: str) -> None:
    assert line in as_text(layer)


@pytest.mark.parametrize("layer", [ALEXNET, Convolution(56, 56, 512, (7, 7), padding=(3, 3), filters=512)])
def test_no_line_is_wider_than_eighty(layer: Convolution) -> None:
    assert max(map(len, as_text(layer).splitlines())) <= 80


def test_for_other_programs() -> None:
    content = json.loads(json.dumps(as_content(Convolution(28, 28, 192, (5, 5), padding=(2, 2), filters=32), 16)))
    assert (content["output"], content["multiply_adds"]) == ([28, 28, 32], 120_422_400)
    bottleneck = next(one for one in content["equivalents"] if one["name"].startswith("1×1"))
    assert (bottleneck["multiply_adds"], bottleneck["same"]) == (12_443_648, False)
    assert "equivalents" not in as_content(Pooling(4, 4, 1, (2, 2), (2, 2)))

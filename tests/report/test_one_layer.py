from __future__ import annotations

import json
import random
import re

import pytest
import torch
import torch.nn.functional as F

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
        (
            Convolution(224, 224, 3, (7, 7), (2, 2), (3, 3)),
            "the floor leaves out 1 row and 1 column of padding, and nothing",
        ),
        (Convolution(224, 224, 3, (11, 11), (4, 4)), "the floor leaves 1 row and 1 column at the end unseen"),
        (Convolution(9, 10, 1, (2, 1), (3, 4)), "no window reads 2 rows and 6 columns in between"),
        (Pooling(110, 110, 9, (3, 3), (2, 2), ceil=True), "⌈(110 − 3 + 2·0)/2⌉ + 1 = 55"),
        (Pooling(110, 111, 9, (3, 3), (2, 2), ceil=True), "the last windows reach 1 row over the end"),
        (Pooling(7, 8, 9, (2, 2), (3, 3), (1, 1), ceil=True), "⌈(8 − 2 + 2·1)/3⌉ + 1 − 1 = 3"),
        (Pooling(7, 8, 9, (2, 2), (3, 3), (1, 1), ceil=True), "a last window that would begin in the padding is left"),
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


def said(text: str, sentence: str, noun: str) -> int:
    """The number of rows or columns in the line that holds a sentence; 0 where there is no such line."""
    lines = [line for line in text.splitlines() if sentence in line]
    found = re.search(rf"(\d+) {noun}", lines[0]) if lines else None
    return int(found[1]) if found else 0


def read(side: int, kernel: int, stride: int, dilation: int) -> list[bool]:
    """Which pixels of a line without padding are read: those whose unit picture gives an answer."""
    answers = F.conv1d(torch.eye(side)[:, None], torch.ones(1, 1, kernel), stride=stride, dilation=dilation)
    return (answers.amax((1, 2)) > 0).tolist()


@pytest.mark.parametrize("ceil", [False, True])
def test_every_sentence_about_rows_and_columns_is_true(ceil: bool) -> None:
    """Against the pixels that are read, over many settings at random, with the padding laid around the picture."""
    draw, tried, said_so = random.Random(3), 0, set[str]()
    while tried < 300:
        kernel, stride, padding, dilation = ((draw.randint(a, b), draw.randint(a, b)) for a, b in RANGES)
        size = draw.randint(1, 13), draw.randint(1, 13)
        window = (*size, 1, kernel, stride, padding, dilation)
        layer = Pooling(*window, ceil=True) if ceil else Convolution(*window)
        if layer.problems():
            continue
        text, tried = as_text(layer), tried + 1
        for axis, noun in enumerate(("row", "column")):
            before, behind = padding[axis], padding[axis] + size[axis]
            reach = (layer.output[axis] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1
            length = max(reach, behind + padding[axis])
            seen = read(length, kernel[axis], stride[axis], dilation[axis])[:reach]
            seen += [False] * (length - reach)
            at_end = max(0, min(behind - reach, size[axis]))
            unread = size[axis] - sum(seen[before:behind])
            assert said(text, "at the end unseen", noun) == (0 if ceil else at_end), text
            assert said(text, "no window reads", noun) == (unread if ceil else unread - at_end), text
            assert said(text, "over the end", noun) == max(0, reach - behind - padding[axis]), text
            if "of padding, and nothing else" in text:
                assert at_end == 0 and said(text, "of padding", noun) == behind + padding[axis] - reach, text
        said_so |= {one for one in SENTENCES if one in text}
    assert said_so == (set(SENTENCES[2:]) if ceil else set(SENTENCES[:3]))


RANGES = ((1, 5), (1, 6), (0, 3), (1, 3))
SENTENCES = (
    "at the end unseen",
    "of padding, and nothing else",
    "no window reads",
    "over the end",
    "is left out, as in",
)

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnexp.visualize.words import Loudest, analogous_words, loudest, nearest_words
from cnnexp.visualize.words_sheet import WordsRow, words_image

TEXTS = torch.tensor([[2, 3, 4, 0], [5, 0, 0, 0], [4, 5, 2, 3]])
WORDS = [["how", "far", "is"], ["who"], ["is", "who", "how", "far"]]


def answers(tokens: Tensor) -> list[Tensor]:
    """A filter over two words that answers the number of the last word times 10 plus that of the one before."""
    before = torch.nn.functional.pad(tokens, (1, 0))
    last = torch.nn.functional.pad(tokens, (0, 1))
    return [(10.0 * last + before).masked_fill(last + before == 0, -torch.inf)[:, None]]


def test_the_loudest_window_of_each_text_is_found() -> None:
    (found,) = loudest(answers, TEXTS, [2])
    assert found.values[:, 0].tolist() == [43.0, 50.0, 54.0]
    assert found.places[:, 0].tolist() == [2, 0, 1]
    assert found.best(0, WORDS, 5) == [("is who", 54.0), ("who", 50.0), ("far is", 43.0)]
    assert found.best(0, WORDS, 1) == [("is who", 54.0)]


def test_a_group_of_words_is_named_once_and_windows_may_end_behind_the_text() -> None:
    found = Loudest(3, torch.tensor([[1.0], [3.0], [2.0]]), torch.tensor([[2], [2], [4]]))
    texts = [["a", "b", "c"], ["a", "b", "c"], ["x", "y", "z"]]
    assert found.best(0, texts, 5) == [("a b c", 3.0), ("z", 2.0)]


def test_filters_that_stand_out_go_first_and_dead_ones_are_left_out() -> None:
    values = torch.tensor([[1.0, 0.0, -1.0, 5.0], [1.0, 0.0, -2.0, 5.1], [1.1, 9.0, -1.0, 5.0], [1.0, 0.1, -1.0, 5.1]])
    found = Loudest(2, values, torch.zeros(4, 4, dtype=torch.int64))
    # filter 1: 9 beside 0; filter 0: 1.1 beside 1, the same in deviations but for the 0.1; filter 2 is never above zero
    assert sorted(found.choosiest(9)) == [0, 1, 3] and found.choosiest(9)[-1] == 3


def test_near_words_have_the_smallest_angles() -> None:
    weight = torch.tensor([[0.0, 0], [9, 9], [1, 0], [5, 1], [0, 1], [-1, 0]])
    assert [number for number, _ in nearest_words(weight, 2, 2, 2)] == [3, 4], "rows before the first word are none"
    assert abs(nearest_words(weight, 2, 2, 1)[0][1] - 5 / 26**0.5) < 1e-12
    assert len(nearest_words(weight, 2, 2, 99)) == 3


def test_rows_are_drawn_the_darker_the_louder() -> None:
    image = words_image([WordsRow("2 words, 0: place", [("how far", 2.0), ("who", 1.0)])], "title")
    pixels = image.convert("L").getcolors(maxcolors=999) or []
    assert image.width > 500 and len({shade for count, shade in pixels if count > 1000}) >= 3


def test_an_analogy_is_3cosadd_over_directions() -> None:
    # directions in the plane, whatever their lengths: 2 east, 3 north, 4 north-east, 5 west, 6 north again
    weight = torch.tensor([[9.0, 9], [9, 9], [2, 0], [0, 5], [1, 1], [-3, 0], [0.1, 1]])
    found = analogous_words(weight, [4, 3], [2], 2, 9)
    # (1,1)/√2 + (0,1) - (1,0) = (-0.293, 1.707): nearest to 6, then to 5; the question's words are left out
    asked = torch.tensor([2**-0.5 - 1, 2**-0.5 + 1])
    cosines = {word: float(weight[word] @ asked / weight[word].norm() / asked.norm()) for word in (6, 5)}
    assert [word for word, _ in found] == [6, 5]
    assert dict(found) == pytest.approx(cosines)
    assert nearest_words(weight, 3, 2, 1)[0][0] == 6

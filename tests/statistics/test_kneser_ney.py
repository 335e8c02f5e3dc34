from __future__ import annotations

import math

import numpy as np
import pytest

from cnnexp.statistics.kneser_ney import KneserNeyBigram, discount

TEXTS = [np.array(text) for text in ([0, 1, 0, 1, 2], [0, 1], [3, 1, 3])]
"""Of five words; 4 does not occur. Begins: 0 twice, 3 once."""
K = 5


def made() -> KneserNeyBigram:
    return KneserNeyBigram(TEXTS, K)


def after(model: KneserNeyBigram, before: int) -> np.ndarray:
    return model.probabilities(np.full(K, before), np.arange(K))


def test_values_worked_out_by_hand() -> None:
    # pairs, ^ begins: ^0 2, ^3 1, 01 3, 10 1, 12 1, 31 1, 13 1 - seven different ones
    # n1 = 5 (^3 10 12 31 13), n2 = 1 (^0): D = 5 / 7
    # met after different words: 0: ^ 1 = 2; 1: 0 3 = 2; 2: 1 = 1; 3: ^ 1 = 2. n1 = 1, n2 = 3: D' = 1 / 7
    model = made()
    assert model.discount == pytest.approx(5 / 7) and model.lower_discount == pytest.approx(1 / 7)
    left = 1 / 7 * 4 / 7 / 5  # D' N / N(··) / K
    lower = [(2 - 1 / 7) / 7 + left, (2 - 1 / 7) / 7 + left, (1 - 1 / 7) / 7 + left, (2 - 1 / 7) / 7 + left, left]
    # after 1: c(1·) = 3, three different words
    share = 5 / 7 * 3 / 3
    met = (1 - 5 / 7) / 3
    assert after(model, 1) == pytest.approx([met + share * lower[0], share * lower[1], met + share * lower[2],
                                             met + share * lower[3], share * lower[4]])  # fmt: skip
    # after 0: c(0·) = 3, one word
    assert after(model, 0)[1] == pytest.approx((3 - 5 / 7) / 3 + 5 / 7 / 3 * lower[1])
    # nothing follows 4, nor 2 at the end of its text
    assert after(model, 4) == pytest.approx(lower) and after(model, 2) == pytest.approx(lower)


def test_probabilities_sum_to_1_after_every_word_and_none_is_0() -> None:
    generator = np.random.default_rng(0)
    texts = [generator.zipf(1.5, 60) % 30 for _ in range(9)]
    model = KneserNeyBigram(texts, 31)
    for before in range(32):
        said = model.probabilities(np.full(31, before), np.arange(31))
        assert said.sum() == pytest.approx(1) and said.min() > 0


def test_perplexity_is_that_of_the_mean_logarithm() -> None:
    model, texts = made(), [np.array([0, 1, 4]), np.array([3])]
    said = [after(model, model.begin)[0], after(model, 0)[1], after(model, 1)[4], after(model, model.begin)[3]]
    assert model.perplexity(texts) == pytest.approx(math.exp(-sum(map(math.log, said)) / 4))
    assert model.perplexity(TEXTS) < model.perplexity(texts)


def test_discounts() -> None:
    assert discount(np.array([1, 1, 2, 5])) == pytest.approx(2 / 4)
    assert discount(np.array([1, 3])) == 1 and discount(np.array([2, 2])) == 0


def test_where_no_word_is_left_to_others_what_was_not_met_is_impossible() -> None:
    model = KneserNeyBigram([np.array([0, 1, 0, 1])] * 2, 3)
    assert model.discount == 0 and model.perplexity([np.array([1, 1])]) == math.inf

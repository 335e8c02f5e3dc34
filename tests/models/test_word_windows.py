from __future__ import annotations

import torch

from cnnexp.models.word_windows import around, distances, known_words, moved_together

X = torch.tensor([[5, 1, 7, 3, 0], [1, 1, 0, 0, 0]])


def test_what_is_kept_stands_together() -> None:
    assert known_words(X).tolist() == [[5, 7, 3], [0, 0, 0]]
    kept = torch.tensor([[False, True, False, True, True], [False] * 5])
    assert moved_together(X, kept).tolist() == [[1, 3, 0], [0, 0, 0]]
    assert moved_together(X, torch.zeros_like(X, dtype=torch.bool)).tolist() == [[0], [0]], "at least one place"


def test_the_words_around_each_place() -> None:
    assert around(torch.tensor([[2, 3, 4]]), 2).tolist() == [[[0, 0, 3, 4], [0, 2, 4, 0], [2, 3, 0, 0]]]
    assert distances(2, X.device).tolist() == [2, 1, 1, 2]

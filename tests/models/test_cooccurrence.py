from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.models.cooccurrence import Cooccurrences, beside_each_other

V = 7
TEXTS = torch.tensor([[2, 3, 1, 2, 2, 5, 0], [6, 1, 1, 0, 0, 0, 0], [3, 6, 3, 2, 0, 0, 0]])


def counted(texts: torch.Tensor, window: int) -> np.ndarray:
    """X word by word, as the paper says it: words that are d apart count 1 / d, to either side."""
    table = np.zeros((V, V))
    for row in texts.tolist():
        words = [word for word in row if word > 1]
        for place, word in enumerate(words):
            for other in range(max(0, place - window), min(len(words), place + window + 1)):
                if other != place:
                    table[word, words[other]] += 1 / abs(other - place)
    return table


def whole(found: Cooccurrences) -> np.ndarray:
    i, j = (part.flatten() for part in torch.meshgrid(torch.arange(V), torch.arange(V), indexing="ij"))
    return found.at(torch.minimum(i, j) * V + torch.maximum(i, j)).view(V, V).numpy()


@pytest.mark.parametrize("window", [1, 2, 3, 10])
def test_counts_are_those_of_the_papers_words(window: int) -> None:
    found = Cooccurrences.of([TEXTS], V, window)
    expected = counted(TEXTS, window)
    assert np.allclose(whole(found), expected) and expected.sum() > 0
    assert found.entries == np.count_nonzero(expected)


def test_batches_add_up() -> None:
    apart, together = (whole(Cooccurrences.of(texts, V, 3)) for texts in (TEXTS.split(1), [TEXTS]))
    assert np.allclose(apart, together)


def test_texts_with_nothing_beside_each_other_have_none() -> None:
    keys, counts = beside_each_other(TEXTS[1:2], V, 3)
    assert len(keys) == len(counts) == 0
    found = Cooccurrences.of([TEXTS[1:2]], V, 3)
    assert found.entries == 0 and found.at(torch.tensor([17])).tolist() == [0]

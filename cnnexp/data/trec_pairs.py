"""Pairs of questions of TREC: does the same kind of thing answer both?"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fixed_splits import hold_out
from cnnexp.data.trec import TEST, TRAIN, VALIDATION
from cnnexp.draws import fold, unit
from cnnexp.inputs.words import bytes_of

COUNTS = {"train": 10_000, "val": 1_000, "test": 1_000}
_KEYS = {"train": 0, "val": 1, "test": 2}
# Any constant would do; it must never change, or every recorded score changes its meaning.
_KEY = 20_020_824


class TRECPairs(DataSet):
    """10,000 / 1,000 / 1,000 pairs of ``trec``'s questions, each within its split; half of them of one coarse kind.

    The first questions are drawn evenly from a split; the second for every other pair from those of the same kind, else
    from those of another. No question is in two splits, and a pair is never a question and itself.

    Args:
        encoding: of the files; they are Latin-1.
    """

    targets = ("label",)

    def __init__(self, *, encoding: str, mirror: str | None) -> None:
        self.encoding, self.mirror = encoding, mirror

    def prepare(self) -> None:
        for file in (TRAIN, TEST):
            file.ensure(self.mirror, self.encoding)

    def load(self, split: SplitName) -> TensorSplit:
        texts, kinds = (TEST if split == "test" else TRAIN).read(self.mirror, self.encoding)
        rows = np.arange(len(kinds)) if split == "test" else hold_out(kinds, VALIDATION)[split == "val"]
        first, second = drawn_pairs(kinds[rows], COUNTS[split], _KEYS[split])
        label = (kinds[rows][first] == kinds[rows][second]).astype(np.int64)
        part = "test" if split == "test" else "train"
        return TensorSplit(
            {"label": torch.from_numpy(label)},
            ragged={
                "first.text": [bytes_of(texts[row]) for row in rows[first]],
                "second.text": [bytes_of(texts[row]) for row in rows[second]],
            },
            names=[f"{part}/{a + 1}+{b + 1}" for a, b in zip(rows[first], rows[second], strict=True)],
        )


def drawn_pairs(kinds: NDArray[np.int64], count: int, key: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the first and the second of each pair, (count,) both; those at even places are of one kind.

    Args:
        kinds: (N,). key: of the draws.
    """
    state = fold(np.zeros((), np.uint64), _KEY, key, np.arange(count))
    first = np.floor(unit(fold(state, 0)) * len(kinds)).astype(np.int64)
    part, second = unit(fold(state, 1)), np.empty(count, np.int64)
    for place, one in enumerate(first):
        same = kinds == kinds[one]
        same[one] = False
        others = np.flatnonzero(same if place % 2 == 0 else kinds != kinds[one])
        second[place] = others[int(part[place] * len(others))]
    return first, second

"""People dealt out whole, so that whoever is tested was never trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnnexp.data.base import SplitName
from cnnexp.draws import permutation
from cnnexp.errors import InputError

SHARES: Mapping[SplitName, float] = {"val": 0.15, "test": 0.15}
"""Of the people with two pictures or more; the others train. A test of a tenth of few people would have few pairs."""
LEAST = 2
"""People with two pictures or more in each split: one alone makes no pair of two people."""
# Any constant would do; it must never change, or the splits of recorded runs are others.
_PEOPLE_KEY = 20_150_317


def deal_people(pictures: Mapping[str, int], splits: Sequence[SplitName], where: str) -> dict[SplitName, list[str]]:
    """Who is taken out of the training for other splits; a function of the names and of who has two pictures.

    Args:
        pictures: of each person, how many. splits: that are to be filled. where: the people are, for the error.

    Raises:
        InputError: there are fewer people with two pictures than ``LEAST`` for each split and the training.
    """
    paired = sorted(name for name, count in pictures.items() if count > 1)
    needed = LEAST * (1 + len(splits))
    if splits and len(paired) < needed:
        raise InputError(
            f"{where}: {len(paired)} people with two pictures or more; it takes {needed}, {LEAST} in each of "
            f"{', '.join(['train', *splits])}: of one person there is no pair of two"
        )
    order = [paired[place] for place in permutation(len(paired), _PEOPLE_KEY)]
    dealt: dict[SplitName, list[str]] = {}
    for split in splits:
        count = max(LEAST, round(SHARES[split] * len(paired)))
        dealt[split], order = sorted(order[:count]), order[count:]
    return dealt

"""Every class equally often, however many samples it has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import permutation
from cnnexp.sampling.base import Known, Sampling

_KEY, _PLACES_KEY = 0xBA1, 0xBA2


class Balanced(Sampling):
    """An epoch of as many batches as a shuffled one, in which each class that occurs has the same number of places.

    The samples of a class come in one permutation after another, so none comes a second time in an epoch before all of
    its class have come once. A large class shows another part of its samples in every epoch.
    """

    needs_labels = True

    def epoch(self, count: int, known: Known, batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
        labels = known.labels
        assert labels is not None
        total = self.batches(count, batch_size) * batch_size
        classes = np.unique(labels)
        share = -(-total // len(classes))
        picked = [endless(np.flatnonzero(labels == one), share, seed, epoch, int(one)) for one in classes]
        # place by place through the classes, so that a cut at the end takes one of each
        order = np.stack(picked, 1).reshape(-1)[:total]
        return order[permutation(total, _PLACES_KEY, seed, epoch)].reshape(-1, batch_size)


def endless(members: NDArray[np.int64], count: int, seed: int, epoch: int, label: int) -> NDArray[np.int64]:
    """The first ``count`` of permutation after permutation of a class's samples."""
    rounds = -(-count // len(members))
    parts = [members[permutation(len(members), _KEY, seed, epoch, label, one)] for one in range(rounds)]
    return np.concatenate([members[:0], *parts])[:count]

"""Random numbers that are a function of their place alone: the same on every machine, in any order, vectorised.

Each number is splitmix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators") of a key that
is folded from integers such as (seed, split, index). No generator is carried along, so the i-th number is had without
the ones before it, and a new version of numpy can't change a data set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def uniform(*key: int | NDArray[np.integer]) -> NDArray[np.float64]:
    """Numbers in [0, 1) for keys of integers ≥ 0 that broadcast against each other; the result has their shape."""
    return unit(fold(np.zeros((), dtype=np.uint64), *key))


def fold(state: NDArray[np.uint64], *key: int | NDArray[np.integer]) -> NDArray[np.uint64]:
    """The state after more integers; beginnings that many keys share can be folded once."""
    with np.errstate(over="ignore"):
        for part in key:
            state = _mix(state + _GAMMA + np.asarray(part).astype(np.uint64))
    return state


def unit(state: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The number in [0, 1) of a folded key."""
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def keys(*key: int | NDArray[np.integer]) -> NDArray[np.int64]:
    """Numbers of 63 bits for keys that broadcast, from which somebody else draws."""
    return (fold(np.zeros((), dtype=np.uint64), *key) >> np.uint64(1)).astype(np.int64)


def permutation(count: int, *key: int) -> NDArray[np.int64]:
    """The positions 0 ... count-1 in a fixed random order that depends on ``key`` alone."""
    return np.argsort(uniform(*key, np.arange(count)), kind="stable")


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    return state ^ (state >> np.uint64(31))

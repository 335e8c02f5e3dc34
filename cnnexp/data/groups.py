"""Samples that belong together (one patient, one film) and so may not stand in two splits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import permutation
from cnnexp.errors import InputError

# Any constant would do; it must never change, or the splits of recorded runs are others.
_GROUP_KEY = 20_161_107

KEY = "data.split.group"
FOLDER = "folder"
"""The word that takes the folder in a sample's name for its group."""


def groups_of(word: str, names: Sequence[str] | None, columns: Mapping[str, Sequence[str]]) -> list[str]:
    """The group of every sample.

    Args:
        word: a column of the data set; ``folder``; or a regular expression over the names, of which the part in
            brackets is the group (all that matched, where nothing is in brackets).
        names: of the samples. columns: what else the data set knows of each of them, by column.

    Raises:
        InputError: there is no such column and the word is no pattern, or a name does not match it.
    """
    if word in columns:
        return list(columns[word])
    if names is None:
        known = f"; its columns are {', '.join(columns)}" if columns else ""
        raise InputError(f"{KEY}={word}: the samples of this data set have no names that could tell groups{known}")
    if word == FOLDER:
        return [PurePosixPath(name).parent.as_posix() for name in names]
    pattern = _compiled(word)
    found = [pattern.search(name) for name in names]
    missed = [name for name, match in zip(names, found, strict=True) if match is None]
    if missed:
        raise InputError(
            f"{KEY}={word}: {len(missed)} of {len(names)} names do not match, such as {missed[0]}{_instead(columns)}"
        )
    return [match.group(pattern.groups) or "" for match in found if match is not None]


def deal_groups(
    labels: Sequence[int] | NDArray[np.integer], groups: Sequence[str], shares: Sequence[float]
) -> NDArray[np.int64]:
    """The part that every sample goes to, so that a group is in one part only.

    Groups are dealt out from the largest to the smallest, each to the part that thereby comes nearest to its share of
    every class (the sum of (count - wanted)² / wanted over classes grows least). The last groups go to parts that are
    still empty. It is a function of the groups' names, labels and shares: the order of samples is of no account.

    Args:
        labels: (N,), classes. groups: N names. shares: of the parts, each above 0, 1 together.

    Raises:
        InputError: there are fewer groups than parts, or one of several classes is in one group only, so that it would
            be tested without having been learnt or the other way round.
    """
    classes, label = np.unique(np.asarray(labels), return_inverse=True)
    names, of_sample = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    if len(names) < len(shares):
        listed = ", ".join(names[:5].tolist())
        raise InputError(f"{KEY}: {len(names)} groups ({listed}) for {len(shares)} parts; it takes one for each")
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (of_sample, label), 1)
    alone = np.flatnonzero((counts > 0).sum(0) == 1)
    if len(alone):
        group = names[counts[:, alone[0]].argmax()]
        raise InputError(
            f"{KEY}: class {classes[alone[0]]} (counted from 0) is in one group only, {group}: it could not be both "
            "learnt and tested; take other groups, or leave the class out"
        )
    wanted = np.outer(shares, counts.sum(0))
    held = np.zeros_like(wanted)
    part_of = np.empty(len(names), dtype=np.int64)
    order = np.lexsort((permutation(len(names), _GROUP_KEY), -counts.sum(1)))
    for place, group in enumerate(order):
        growth = (counts[group] * (2 * (held - wanted) + counts[group]) / wanted).sum(1)
        empty = held.sum(1) == 0
        if empty.sum() >= len(names) - place:
            growth = np.where(empty, growth, np.inf)
        part_of[group] = growth.argmin()
        held[part_of[group]] += counts[group]
    return part_of[of_sample]


def refuse_shared(groups: Mapping[Any, Sequence[str]], word: str) -> None:
    """Raises InputError if a group stands in two splits. ``groups``: by split, of its samples."""
    splits_of: dict[str, list[str]] = {}
    for split, names in groups.items():
        for name in dict.fromkeys(names):
            splits_of.setdefault(name, []).append(split)
    shared = sorted(name for name, splits in splits_of.items() if len(splits) > 1)
    if shared:
        where = " and in ".join(splits_of[shared[0]])
        raise InputError(
            f"{KEY}={word}: {len(shared)} of {len(splits_of)} groups stand in two splits, such as {shared[0]} in "
            f"{where}; this data set has splits of its own: data.split.folds=5 data.split.fold=0 deals all out anew"
        )


def _compiled(word: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(word)
    except re.error as error:
        raise InputError(f"{KEY}={word}: no column, and not a regular expression ({error})") from error
    if pattern.groups > 1:
        raise InputError(f"{KEY}={word}: puts {pattern.groups} parts in brackets; the one that is the group is enough")
    return pattern


def _instead(columns: Mapping[str, Sequence[str]]) -> str:
    return f"; columns of this data set are {', '.join(columns)}" if columns else ""

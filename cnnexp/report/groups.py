"""Runs in groups that differ in nothing but the seed: their means, and which of them differ by more than chance."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.report.comparison import Runs
from cnnexp.report.examples import Paired, paired_test, same_pictures
from cnnexp.report.scores import higher_is_better
from cnnexp.report.settings import canonical
from cnnexp.statistics.means import LEVEL, Difference, Estimate, difference, estimate, holm

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

EVERYTHING = "settings"
"""In place of keys: all that differ, but the seed."""
MOST_COMPARED = 30
"""So many groups are compared pair by pair; of more, nobody reads the pairs."""


@dataclass(frozen=True)
class Group:
    """Runs that share the grouped settings.

    Attributes:
        settings: by key. records: of its runs. units: a value for each seed (or what else its runs differ in).
    """

    settings: Mapping[str, Any]
    records: tuple[Record, ...]
    units: Mapping[Hashable, float]
    estimate: Estimate


@dataclass(frozen=True)
class Pair:
    """Two groups of the same data, by their places.

    Attributes:
        seeds: what repeated runs say; None where one of the groups has a single one.
        p: of it, corrected for all pairs by Holm's method.
        examples: what the test pictures of two runs say, or why they say nothing.
    """

    first: int
    second: int
    seeds: Difference | None
    p: float | None = None
    examples: Paired | str | None = None


@dataclass(frozen=True)
class Grouped:
    """Groups of runs, the best first.

    Attributes:
        metric: full name. keys: that were grouped by. varying: in which runs of a group differ, the seed among them.
        left_out: runs that are not finished, or do not have the metric.
    """

    metric: str
    keys: tuple[str, ...]
    varying: tuple[str, ...]
    groups: tuple[Group, ...]
    pairs: tuple[Pair, ...] = field(default=())
    left_out: int = 0

    @property
    def compared(self) -> bool:
        return len(self.groups) <= MOST_COMPARED


def group_runs(runs: Runs, words: Sequence[str], metric: str | None = None) -> Grouped:
    """Put runs together by settings, and compare the groups.

    Args:
        words: keys, whose last part will do; or ``settings`` for all that differ but the seed. Runs on different data
            are never put together. metric: a full name or its last part; None is the score of most runs.

    Raises:
        InputError: a key or metric that no run has, or no finished run.
    """
    name = _metric(runs, metric)
    values = runs.values(name)
    whole = [
        place
        for place, (record, value) in enumerate(zip(runs.records, values, strict=True))
        if record.status == "finished" and not record.partial and isinstance(value, float)
    ]
    if not whole:
        raise InputError(f"--group-by: none of these runs is finished and has {name}")
    chosen = runs.only(whole)
    keys = _keys(chosen, words)
    columns = {key: chosen.values(key) for key in keys}
    places: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(whole)):
        places.setdefault(tuple(canonical(columns[key][place]) for key in keys), []).append(place)
    varying = _varying(chosen, list(places.values()), keys)
    groups = [_group(chosen, one, columns, varying, name) for one in places.values()]
    groups.sort(key=lambda group: group.estimate.mean, reverse=higher_is_better(name))
    left_out = len(runs.records) - len(whole)
    return Grouped(name, keys, varying, tuple(groups), _pairs(groups), left_out)


def _metric(runs: Runs, asked: str | None) -> str:
    if asked is not None:
        name = runs.resolve(asked, "--metric")
        if name not in runs.measured:
            hint = did_you_mean(asked, runs.measured) or f"{next(iter(runs.measured), 'test/accuracy')} is one"
            raise InputError(f"--metric {asked}: this is no metric; {hint}")
        return name
    names = [score[0] for score in runs.scores if score]
    if not names:
        raise InputError("--group-by: none of these runs has a score yet")
    return max(dict.fromkeys(names), key=names.count)


def _keys(runs: Runs, words: Sequence[str]) -> tuple[str, ...]:
    differing = runs.differing
    if list(words) == [EVERYTHING]:
        keys = [key for key in differing if key not in ("seed", "name")] or ["model"]
    else:
        keys = [runs.resolve(word, "--group-by") for word in words]
    if "data" in differing and "data" not in keys:
        keys.append("data")
    return tuple(dict.fromkeys(keys))


def _varying(runs: Runs, groups: Sequence[Sequence[int]], keys: Sequence[str]) -> tuple[str, ...]:
    """The settings in which runs of one group differ."""
    found = []
    for key in runs.differing:
        values = [canonical(value) for value in runs.values(key)]
        if key not in (*keys, "name") and any(len({values[place] for place in places}) > 1 for places in groups):
            found.append(key)
    return tuple(found)


def _group(
    runs: Runs, places: Sequence[int], columns: Mapping[str, Sequence[Any]], varying: Sequence[str], metric: str
) -> Group:
    """Runs of one seed are one unit: what is repeated to the bit says nothing new."""
    marks = [runs.settings.values(key) for key in varying]
    values = runs.values(metric)
    units: dict[Hashable, list[float]] = {}
    for place in places:
        units.setdefault(tuple(canonical(mark[place]) for mark in marks), []).append(values[place])
    means = {unit: sum(some) / len(some) for unit, some in units.items()}
    settings = {key: column[places[0]] for key, column in columns.items()}
    records = tuple(runs.records[place] for place in places)
    return Group(settings, records, means, estimate(list(means.values())))


def _pairs(groups: Sequence[Group]) -> tuple[Pair, ...]:
    if len(groups) > MOST_COMPARED:
        return ()
    together = [
        (first, second)
        for first, second in combinations(range(len(groups)), 2)
        if groups[first].settings.get("data") == groups[second].settings.get("data")
    ]
    tested = [
        (first, second) for first, second in together if min(groups[first].estimate.n, groups[second].estimate.n) > 1
    ]
    level = LEVEL / max(1, len(tested))
    found = {pair: difference(groups[pair[0]].units, groups[pair[1]].units, level) for pair in tested}
    judged = [(pair, one.p) for pair, one in found.items() if one is not None and one.p is not None]
    corrected = dict(zip((pair for pair, _ in judged), holm([p for _, p in judged]), strict=True))
    pairs = []
    for first, second in together:
        pictures = None
        if len(together) == 1 and all(len(groups[place].records) == 1 for place in (first, second)):
            pictures = compare_pictures(groups[first].records[0], groups[second].records[0])
        pairs.append(Pair(first, second, found.get((first, second)), corrected.get((first, second)), pictures))
    return tuple(pairs)


def compare_pictures(first: Record, second: Record) -> Paired | str:
    """What the test pictures of two runs say of their difference, or why they say nothing."""
    examples = same_pictures(first, second)
    return examples if isinstance(examples, str) else paired_test(examples)

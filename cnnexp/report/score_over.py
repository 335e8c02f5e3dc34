"""A score over a setting: what more data, a higher rate or a wider net gains, a line for each kind of run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.report.comparison import differing_keys, settings_of
from cnnexp.report.notation import is_number, setting_figure
from cnnexp.report.scores import known_metrics, main_metric, monitored
from cnnexp.statistics.means import Estimate, estimate

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

MOST_LINES = 7
"""So many are told apart by colour."""


@dataclass(frozen=True)
class Line:
    """The runs that differ in the setting and in their seed alone.

    Attributes:
        label: what tells them from the other lines. points: the setting's value with a score for each seed, rising.
    """

    label: str
    points: tuple[tuple[float, tuple[float, ...]], ...]

    @cached_property
    def estimates(self) -> Mapping[float, Estimate]:
        """The mean over the seeds with its interval, for each value of the setting."""
        return {place: estimate(values) for place, values in self.points}


def lines_over(records: Sequence[Record], over: str, metric: str | None) -> tuple[str, list[Line]]:
    """The metric's name and a line for each kind of run.

    Runs that are not finished, or have no number for the metric or the setting, are left out. A seed that ran twice
    counts once, with the mean of both.

    Args:
        over: a configuration key with numbers, such as ``data.fraction``. metric: such as ``test/accuracy``; None is
            the score that the runs are judged by.

    Raises:
        InputError: no run has the metric or a number for the key, or there are too many kinds of runs.
    """
    settings = {record.id: settings_of(record) for record in records}
    if not any(is_number(one.get(over)) for one in settings.values()):
        hint = did_you_mean(over, {key for one in settings.values() for key, value in one.items() if is_number(value)})
        raise InputError(f"--over {over}: no run has a number there" + (f"; {hint}" if hint else ""))
    scores = {record.id: known_metrics(record) for record in records}
    name = metric or _common_score(records, scores)
    chosen = [
        one
        for one in records
        if one.status == "finished"
        and not one.partial
        and is_number(settings[one.id].get(over))
        and is_number(scores[one.id].get(name))
    ]
    if not chosen:
        hint = did_you_mean(name, {key for one in scores.values() for key in one})
        raise InputError(f"--metric {name}: no finished run has it" + (f"; {hint}" if hint else ""))
    lines = []
    for label, kind in _kinds(chosen, settings, over).items():
        points: dict[float, dict[str, list[float]]] = {}
        for record in kind:
            seeds = points.setdefault(float(settings[record.id][over]), {})
            seeds.setdefault(repr(settings[record.id].get("seed")), []).append(scores[record.id][name])
        means = {place: tuple(sum(some) / len(some) for some in seeds.values()) for place, seeds in points.items()}
        lines.append(Line(label, tuple(sorted(means.items()))))
    if len(lines) > MOST_LINES:
        raise InputError(f"--over {over}: {len(lines)} kinds of runs are too many lines; name fewer runs")
    return name, lines


def _common_score(records: Sequence[Record], scores: Mapping[str, Mapping[str, float]]) -> str:
    found = [main_metric(scores[record.id], monitored(record)) for record in records]
    names = [name for name in found if name is not None]
    if not names:
        raise InputError("none of these runs has a score yet")
    return max(names, key=names.count)


def _kinds(records: Sequence[Record], settings: Mapping[str, Mapping[str, Any]], over: str) -> dict[str, list[Record]]:
    """The runs by what tells them apart beside the setting and the seed, in as few keys as do it."""
    keys = [key for key in differing_keys(records) if key not in (over, "seed", "name")]
    telling: list[str] = []
    for key in keys:
        if len(_parted(records, settings, [*telling, key])) > len(_parted(records, settings, telling)):
            telling.append(key)
    found: dict[str, list[Record]] = {}
    for record in records:
        label = ", ".join(f"{key}={_short(settings[record.id].get(key))}" for key in telling)
        found.setdefault(label, []).append(record)
    return found


def _parted(
    records: Sequence[Record], settings: Mapping[str, Mapping[str, Any]], keys: Sequence[str]
) -> set[tuple[str, ...]]:
    return {tuple(repr(settings[record.id].get(key)) for key in keys) for record in records}


def _short(value: Any) -> str:
    """A path is known by its last part."""
    return setting_figure(value).rsplit("/", 1)[-1]

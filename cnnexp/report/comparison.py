"""Many runs together: what is known of each by name, those that fit a filter, their order."""

from __future__ import annotations

import fnmatch
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.report.notation import is_number, setting_figure
from cnnexp.report.scores import higher_is_better, known_metrics, score_of
from cnnexp.report.settings import FIRST_KEYS, MISSING, Settings, differing_keys, flatten, settings_of

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

__all__ = ["FIRST_KEYS", "Runs", "differing_keys", "flatten", "settings_of", "sort_records"]

Rank = tuple[int, float, str]
COSTS = ("parameters", "multiply_adds", "images_per_second", "frames_per_second")
"""What a net costs, as summary.json names it; ``duration`` is the time of the whole run."""


def _of_summary(name: str, record: Record) -> Any:
    return record.summary.get(name)


FACTS: Mapping[str, Callable[[Record], Any]] = {
    "id": lambda record: record.id,
    "status": lambda record: record.status,
    "created": lambda record: record.created or None,
    "tags": lambda record: ",".join(record.tags),
    "duration": lambda record: record.duration_s,
    **{name: partial(_of_summary, name) for name in (*COSTS, "best_epoch", "steps")},
}
"""What is known of a run beside its settings and its metrics."""


def _counts(record: Record) -> dict[str, int]:
    titles = record.summary.get("counts")
    return {
        f"{title}.{word}": count
        for title, words in (titles.items() if isinstance(titles, Mapping) else ())
        for word, count in (words.items() if isinstance(words, Mapping) else ())
        if is_number(count)
    }


class Runs:
    """Runs with their metrics and settings, each looked up once.

    Args:
        records: none of them may be changed afterwards.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        self.metrics = [known_metrics(record) for record in records]
        self.settings = Settings(records)

    @cached_property
    def scores(self) -> list[tuple[str, float] | None]:
        """The name and value of the metric that each run is judged by."""
        return [score_of(record, metrics) for record, metrics in zip(self.records, self.metrics, strict=True)]

    @cached_property
    def differing(self) -> list[str]:
        """The settings in which the runs differ, the most telling first."""
        return self.settings.differing()

    @cached_property
    def measured(self) -> dict[str, None]:
        """The metrics that any run has."""
        return dict.fromkeys(name for one in self.metrics for name in one)

    @cached_property
    def counted(self) -> dict[str, None]:
        """What was counted in the test of any run, such as ``mistakes.missed``."""
        return dict.fromkeys(name for record in self.records for name in _counts(record))

    def resolve(self, key: str, asked: str) -> str:
        """The full name of a metric, a setting or a fact; its last part will do (``accuracy``, ``lr``).

        Args:
            asked: the option that names the key, for the error.

        Raises:
            InputError: none of the runs has such a key.
        """
        if key in ("duration_s", "time"):
            return "duration"
        if key in FACTS or key in self.measured:
            return key
        known = {**self.settings.keys(), **dict.fromkeys(FACTS), **self.counted, **self.measured}
        if key in known:
            return key
        candidates = [f"{stage}/{key}" for stage in ("test", "val", "train")]
        candidates += [name for name in known if name.endswith(f".{key}")]
        for candidate in candidates:
            if candidate in known:
                return candidate
        short = {name.rsplit(separator, 1)[-1] for name in known for separator in "./"}
        hint = did_you_mean(key, set(known) | short)
        said = f"{asked} {key}: no such metric or configuration key in these runs"
        raise InputError(said + (f"; {hint}" if hint else ""))

    def values(self, name: str) -> list[Any]:
        """A metric, a setting or a fact of every run by its full name; None where a run does not have it."""
        if name in FACTS:
            return [FACTS[name](record) for record in self.records]
        if name in self.counted:
            return [_counts(record).get(name) for record in self.records]
        if name in self.measured:
            return [one.get(name) for one in self.metrics]
        return [None if value is MISSING else value for value in self.settings.values(name)]

    def only(self, places: Sequence[int]) -> Runs:
        """Some of the runs, in the order given."""
        some = Runs(())
        some.records = [self.records[place] for place in places]
        some.metrics = [self.metrics[place] for place in places]
        some.settings = self.settings.only(places)
        return some

    def where(self, texts: Sequence[str]) -> Runs:
        """The runs that fit every one of the filters: see ``Filter``.

        Raises:
            InputError: a filter cannot be read, names a key that no run has, or leaves none.
        """
        places = list(range(len(self.records)))
        for text in texts:
            one = Filter.read(text)
            name = self.resolve(one.key, "--where")
            values = self.values(name)
            kept = [place for place in places if one.fits(values[place])]
            if not kept:
                raise InputError(f"--where {text!r}: {_no_fit(name, [values[place] for place in places])}")
            places = kept
        return self.only(places) if texts else self

    def with_status(self, words: Sequence[str]) -> Runs:
        """The runs of these statuses.

        Raises:
            InputError: no run has one of them.
        """
        found = list(dict.fromkeys(record.status for record in self.records))
        if words and not set(words) & set(found):
            raise InputError(f"--status {','.join(words)}: these runs are {', '.join(found)}")
        places = [place for place, record in enumerate(self.records) if record.status in words]
        return self.only(places) if words else self

    def sorted_by(self, key: str | None) -> Runs:
        """The runs in order: scores fall, losses, durations and settings rise, and a leading ``-`` turns that round.

        Args:
            key: a metric, a configuration key, a group, ``score``, ``duration``, ``created``, ``status`` or ``id``; the
                last part will do (``accuracy``, ``lr``). Without one the oldest comes first.

        Raises:
            InputError: none of the runs has such a key.
        """
        by_age = sorted(range(len(self.records)), key=lambda place: _age(self.records[place]))
        if key is None:
            return self.only(by_age)
        if key.removeprefix("-") == "score":
            return self.only(self._by_score(by_age, not key.startswith("-")))
        name = self.resolve(key.removeprefix("-"), "--sort")
        ranks = [_rank(value) for value in self.values(name)]
        return self.only(_in_order(by_age, ranks, _falls(name) != key.startswith("-")))

    def _by_score(self, by_age: Sequence[int], falls: bool) -> list[int]:
        """The best first; an accuracy and a signal-to-noise ratio have no order, so each kind stays together."""
        ranks = [
            _rank(score[1] if higher_is_better(score[0]) else -score[1]) if score else None for score in self.scores
        ]
        names = [score[0] if score else "" for score in self.scores]
        places = _in_order(by_age, ranks, falls)
        return sorted(places, key=lambda place: (ranks[place] is None, names[place] if ranks[place] else ""))


def sort_records(records: Sequence[Record], key: str | None = None) -> list[Record]:
    """The records in order: see ``Runs.sorted_by``."""
    return Runs(records).sorted_by(key).records


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_FILTER = re.compile(r"(?P<key>[^=<>!]+?)\s*(?P<sign><=|>=|!=|==?|<|>)\s*(?P<value>[^=<>].*)", re.DOTALL)


@dataclass(frozen=True)
class Filter:
    """``model=resnet*``, ``model!=lenet5``, ``test/accuracy>0.9``, ``created>=2026-11-21``.

    ``=`` takes a number, or a pattern (``*``, ``?``, ``[…]``) for the value as a command line has it; case counts.
    ``<`` and the like compare numbers, and text (times) letter by letter. A run without the key fits ``!=`` alone.
    """

    key: str
    sign: str
    value: str

    @classmethod
    def read(cls, text: str) -> Filter:
        """From a word of the command line.

        Raises:
            InputError: it has no sign, key or value.
        """
        found = _FILTER.fullmatch(text.strip())
        if found is None:
            raise InputError(f"--where {text!r}: write KEY=VALUE (or !=, <, <=, >, >=), such as 'test/accuracy>0.9'")
        return cls(found["key"], "=" if found["sign"] == "==" else found["sign"], found["value"])

    def fits(self, value: Any) -> bool:
        """Whether a run's value is what the filter asks for."""
        if self.sign == "!=":
            return not self._equals(value)
        if self.sign == "=":
            return self._equals(value)
        wanted = _as_number(self.value)
        compare = _COMPARISONS[self.sign]
        if is_number(value):
            return wanted is not None and compare(value, wanted)
        return isinstance(value, str) and compare(value, self.value)

    def _equals(self, value: Any) -> bool:
        wanted = _as_number(self.value)
        if wanted is not None and is_number(value):
            return bool(value == wanted)
        return value is not MISSING and fnmatch.fnmatchcase(setting_figure(value), self.value)


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _no_fit(name: str, values: Sequence[Any]) -> str:
    """What there is, where nothing fits."""
    numbers = [value for value in values if is_number(value) and math.isfinite(value)]
    if numbers and len(set(numbers)) > 3:
        return f"no run fits; {name} is {setting_figure(min(numbers))} to {setting_figure(max(numbers))}"
    if name == "created" and (times := [str(value) for value in values if value is not None]):
        return f"no run fits; created is {min(times)} to {max(times)}"
    words = list(dict.fromkeys(setting_figure(value) for value in values))
    return f"no run fits; {name} is {', '.join(words[:6])}{', …' if len(words) > 6 else ''}"


def _age(record: Record) -> tuple[str, str]:
    """The digits of the time at which it was made; a damaged record has them in its id only."""
    digits = re.sub(r"\D", "", record.created or record.id)
    return digits[:14], record.id


def _falls(name: str) -> bool:
    """Whether the best comes first by falling: scores and speeds do, settings and costs do not."""
    is_score = "/" in name or name in ("images_per_second", "frames_per_second")
    return is_score and higher_is_better(name)


def _in_order(places: Sequence[int], ranks: Sequence[Rank | None], falls: bool) -> list[int]:
    """Places by rank, equal ones as they were; those without a rank come last."""
    present = sorted(
        (place for place in places if ranks[place] is not None), key=lambda place: ranks[place] or (), reverse=falls
    )
    return present + [place for place in places if ranks[place] is None]


def _rank(value: Any) -> Rank | None:
    """Numbers before text; nothing for what is missing or not a number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if is_number(value):
        return (0, value, "")
    return (1, 0.0, str(value).casefold())

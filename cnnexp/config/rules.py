"""What a key may hold, and the line for one that holds something else.

Nothing is coerced: a number where a switch is expected is an error, an integer may stand for a float, and ``nan`` and
``inf`` are no values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnexp.config.nearest import any_of, did_you_mean

LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Number:
    """A finite number between two bounds, which belong to the range unless ``above`` or ``below`` says otherwise."""

    low: float | None = None
    high: float | None = None
    whole: bool = False
    nullable: bool = False
    above: bool = False
    below: bool = False

    def problem(self, value: Any) -> str | None:
        if value is None and self.nullable:
            return None
        good = isinstance(value, int) if self.whole else isinstance(value, (int, float))
        if not good or isinstance(value, bool) or not math.isfinite(value) or not self._inside(value):
            return f"expected {self.described()}"
        return None

    def _inside(self, value: float) -> bool:
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return False
        return self.high is None or not (value > self.high or (self.below and value == self.high))

    def described(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = None if self.low is None else f"{'above' if self.above else 'of at least'} {_bound(self.low)}"
        high = None if self.high is None else f"{'below' if self.below else 'at most'} {_bound(self.high)}"
        text = " and ".join(part for part in (low, high) if part)
        return f"{kind} {text}".strip() + (", or null" if self.nullable else "")


def _bound(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True)
class Text:
    """A word, one of ``choices`` where there are any."""

    choices: tuple[str, ...] = ()
    nullable: bool = False

    def problem(self, value: Any) -> str | None:
        if value is None and self.nullable:
            return None
        if isinstance(value, str) and value and (not self.choices or value in self.choices):
            return None
        expected = any_of(self.choices) if self.choices else "a word"
        return f"expected {expected}" + (", or null" if self.nullable else "")


@dataclass(frozen=True)
class Switch:
    """true or false; ``words`` may stand beside them (``auto``)."""

    words: tuple[str, ...] = ()

    def problem(self, value: Any) -> str | None:
        if isinstance(value, bool) or (isinstance(value, str) and value in self.words):
            return None
        return f"expected {any_of(['true', 'false', *self.words])}"


@dataclass(frozen=True)
class Items:
    """A list of values of one kind, of a length where one is given."""

    of: Rule
    length: int | None = None
    nullable: bool = False

    def problem(self, value: Any) -> str | None:
        if value is None and self.nullable:
            return None
        if not isinstance(value, (list, tuple)) or (self.length is not None and len(value) != self.length):
            return f"expected a list of {self.length} values" if self.length else "expected a list"
        return next((f"item {i + 1}: {p}" for i, item in enumerate(value) if (p := self.of.problem(item))), None)


@dataclass(frozen=True)
class Span:
    """Two numbers that each satisfy a rule, the smaller one first."""

    of: Number

    def problem(self, value: Any) -> str | None:
        if problem := Items(self.of, length=2).problem(value):
            return problem
        return "expected the smaller number first" if value[0] > value[1] else None


@dataclass(frozen=True)
class Either:
    """A value that satisfies one of several rules."""

    rules: tuple[Rule, ...]

    def problem(self, value: Any) -> str | None:
        problems = [rule.problem(value) for rule in self.rules]
        if None in problems:
            return None
        return "expected " + ", or ".join(p.removeprefix("expected ") for p in problems if p)


@dataclass(frozen=True)
class Each:
    """Names of one's own, each with a value of one kind."""

    of: Rule | Group

    def problem(self, value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return "expected names with a value each, such as {label: …}"
        found = [line for name, item in value.items() for line in _problems_of_key(item, self.of, str(name))]
        return f"item {found[0]}" if found else None


def allowed(rule: Rule) -> str:
    """What a rule lets in, in words: a number of at least 0, train or test, …"""
    return (rule.problem(_NOTHING) or "").removeprefix("expected ").replace(", or expected ", ", or ")


_NOTHING: Any = object()
"""No value that any rule takes."""

Rule = Number | Text | Switch | Items | Span | Either | Each


@dataclass(frozen=True)
class Group:
    """Named keys, all of them required but the ``optional`` ones.

    An open group may hold further keys, which go to the class that it names. With ``only_where``, the rules of the
    optional keys hold where another key of the group has one of these values, and are nobody's business elsewhere.
    """

    keys: Mapping[str, Rule | Group]
    optional: Mapping[str, Rule | Group] = field(default_factory=dict)
    only_where: tuple[str, tuple[str, ...]] | None = None
    open: bool = False


def problems_of(config: Any, group: Group, prefix: str = "") -> list[str]:
    """Every problem of a configuration, a line each: keys that are missing, unknown, or hold what they must not."""
    if not isinstance(config, Mapping):
        return [f"{prefix.rstrip('.') or 'configuration'}: expected a group of keys"]
    applies = group.only_where is None or config.get(group.only_where[0]) in group.only_where[1]
    known = {**(group.optional if applies else {}), **group.keys}
    found = [f"{prefix}{key}: missing from the configuration" for key in group.keys if key not in config]
    for key, value in config.items():
        if key in known:
            found.extend(_problems_of_key(value, known[key], f"{prefix}{key}"))
        elif not group.open:
            found.append(f"{prefix}{key}: there is no such key; {did_you_mean(str(key), known)}")
        elif not _is_finite(value):
            found.append(f"{prefix}{key}={_shown(value)}: not a finite number")
    return found


def _problems_of_key(value: Any, rule: Rule | Group, name: str) -> list[str]:
    if isinstance(rule, Group):
        return problems_of(value, rule, f"{name}.")
    if isinstance(rule, Each) and isinstance(value, Mapping):
        return [line for key, item in value.items() for line in _problems_of_key(item, rule.of, f"{name}.{key}")]
    problem = rule.problem(value)
    return [f"{name}={_shown(value)}: {problem}"] if problem else []


def _is_finite(value: Any) -> bool:
    """Whether all numbers in a value are finite, at every depth."""
    if isinstance(value, Mapping):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def _shown(value: Any) -> str:
    """A value as one would type it, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    text = "null" if value is None else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"

"""The space of a sweep: words in Hydra's grammar, some of which have more than one value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnexp.config.grammar import parse
from cnnexp.config.nearest import any_of
from cnnexp.config.options import GROUPS, option_files
from cnnexp.config.overrides import read_words, spell
from cnnexp.errors import InputError

DIGITS = 6
"""Significant digits of a drawn number: what is trained is what the command line shows."""


@dataclass(frozen=True)
class Choice:
    """A key and the values it may have, as they are typed; ``plus`` stands before the key of a new argument."""

    key: str
    texts: tuple[str, ...]
    plus: str = ""

    @property
    def ends(self) -> tuple[str, ...]:
        """The values that a check has to try: all of them."""
        return self.texts

    def word(self, text: str) -> str:
        return f"{self.plus}{self.key}={text}"


@dataclass(frozen=True)
class Interval:
    """A key and the numbers between two bounds, both included; ``log`` draws the logarithm evenly."""

    key: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    plus: str = ""

    @property
    def ends(self) -> tuple[str, ...]:
        return number_text(self.low), number_text(self.high)

    def word(self, text: str) -> str:
        return f"{self.plus}{self.key}={text}"


Dimension = Choice | Interval


@dataclass(frozen=True)
class Space:
    """Words that all trials share, and the dimensions in which they differ."""

    fixed: tuple[str, ...]
    dimensions: tuple[Dimension, ...]

    @property
    def count(self) -> int | None:
        """The number of points, None where there is no end of them."""
        if any(isinstance(one, Interval) for one in self.dimensions):
            return None
        return math.prod(len(one.ends) for one in self.dimensions)

    def points(self) -> Iterator[dict[str, str]]:
        """Every combination, key → value as typed, the last dimension fastest."""
        for texts in itertools.product(*(one.ends for one in self.dimensions)):
            yield {one.key: text for one, text in zip(self.dimensions, texts, strict=True)}

    def words(self, point: Mapping[str, str]) -> list[str]:
        """The command line of a trial."""
        return [*self.fixed, *(one.word(point[one.key]) for one in self.dimensions)]

    def without(self, key: str | None) -> Space:
        """The space with a dimension left out."""
        return Space(self.fixed, tuple(one for one in self.dimensions if one.key != key))

    def dimension(self, key: str) -> Dimension | None:
        return next((one for one in self.dimensions if one.key == key), None)

    def described(self) -> dict[str, Any]:
        """For the record: a dictionary of plain values."""
        return {
            "fixed": list(self.fixed),
            "dimensions": [{"kind": type(one).__name__.lower(), **vars(one)} for one in self.dimensions],
        }

    @classmethod
    def from_described(cls, described: Mapping[str, Any]) -> Space:
        """The other way round.

        Raises:
            KeyError, TypeError, ValueError: it is not what ``described`` gives.
        """
        kinds: dict[str, Callable[..., Dimension]] = {"choice": _choice_from, "interval": Interval}
        dimensions = []
        for entry in described["dimensions"]:
            fields = dict(entry)
            dimensions.append(kinds[fields.pop("kind")](**fields))
        return cls(tuple(str(word) for word in described["fixed"]), tuple(dimensions))


def _choice_from(key: str, texts: Sequence[str], plus: str) -> Choice:
    return Choice(key, tuple(str(text) for text in texts), plus)


def number_text(value: float) -> str:
    """A drawn number as it is typed: one that is not drawn among whole numbers doesn't look like one."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:.{DIGITS}g}"
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def read_space(texts: Sequence[str], folders: Sequence[Path]) -> Space:
    """Parse the words of a sweep.

    Args:
        folders: where options lie, for ``model=glob(resnet*)``.

    Raises:
        InputError: a line for each word that cannot be read, a dimension that is empty or turned round, a key that is
            there twice, or nothing that varies.
    """
    fixed: list[str] = []
    dimensions: list[Dimension] = []
    problems: list[str] = []
    for text in texts:
        try:
            found = _read(text, folders)
        except InputError as error:
            problems.extend(error.lines)
            continue
        if found is None:
            fixed.append(text)
        elif isinstance(found, Choice) and len(found.texts) == 1:
            fixed.append(found.word(found.texts[0]))
        else:
            dimensions.append(found)
    problems += _repeated(fixed, dimensions)
    if problems:
        raise InputError(*problems)
    if not dimensions:
        raise InputError(
            "nothing varies: give a key several values, for example optimizer.lr=0.01,0.1 or "
            "'optimizer.lr=tag(log,interval(1e-3,1))'; cnnexp train makes a single run"
        )
    return Space(tuple(fixed), tuple(dimensions))


def _repeated(fixed: Sequence[str], dimensions: Sequence[Dimension]) -> list[str]:
    keys = [word.split("=", 1)[0].lstrip("+") for word in fixed] + [one.key for one in dimensions]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    return [f"{key}: it is there {keys.count(key)} times; give it once" for key in twice]


def _read(text: str, folders: Sequence[Path]) -> Dimension | None:
    """A dimension, or None for a word with one value."""
    from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, RangeSweep
    from hydra.errors import HydraException

    if "=" not in text or text[0] in "~=":
        read_words([text], folders)  # says what is wrong with it
    text = spell(text)
    try:
        override = parse(text)
    except (HydraException, ValueError, ArithmeticError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{text}: not understood ({reason}); a sweep is written 0.1,0.2 or 'range(0,3)' or "
            "'tag(log,interval(1e-3,1))', in quotes for the shell"
        ) from error
    if not override.is_sweep_override():
        read_words([text], folders)
        return None
    key, plus = override.key_or_group, "+" if override.is_add() or override.is_force_add() else ""
    if override.package is not None:
        raise InputError(f"{text}: a package (@…) cannot be given on the command line")
    if key == "outputs":
        raise InputError(f"{text}: all trials lie in one folder; give outputs one value")
    value = override.value()
    if getattr(value, "shuffle", False):
        raise InputError(f"{text}: shuffled anew by every command; a sweep's order comes from sweep.seed")
    if isinstance(value, Glob):
        return Choice(key, _options(text, key, value, folders), plus)
    if isinstance(value, IntervalSweep):
        return _interval(text, key, plus, value)
    assert isinstance(value, (ChoiceSweep, RangeSweep))
    if value.tags:
        raise InputError(f"{text}: tag({', '.join(sorted(value.tags))}, …) is for an interval, not for a list")
    if isinstance(value, RangeSweep) and value.step == 0:
        raise InputError(f"{text}: a range needs a step that is not 0")
    texts = [str(one) for one in override.sweep_string_iterator()]
    return Choice(key, _distinct(text, texts), plus)


def _options(text: str, group: str, glob: Any, folders: Sequence[Path]) -> tuple[str, ...]:
    if group not in GROUPS:
        raise InputError(f"{text}: glob picks options of a group ({', '.join(GROUPS)}); {group} is a key, give values")
    names = list(option_files(group, folders))
    found = tuple(glob.filter(names))
    if not found:
        raise InputError(f"{text}: no {group} is called so; cnnexp list {group} shows all")
    return found


def _interval(text: str, key: str, plus: str, value: Any) -> Interval:
    low, high = value.start, value.end
    unknown = sorted(value.tags - {"log"})
    if unknown:
        raise InputError(f"{text}: there is no tag {any_of(unknown)}; the one there is, is log")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"{text}: both bounds must be finite numbers")
    if low >= high:
        raise InputError(f"{text}: the smaller bound comes first, and the two differ")
    if "log" in value.tags and low <= 0:
        raise InputError(f"{text}: a logarithm needs a lower bound above 0, for example interval(1e-5,{high:g})")
    if key in GROUPS:
        raise InputError(f"{text}: {key} takes names, not numbers")
    return Interval(key, low, high, "log" in value.tags, isinstance(low, int) and isinstance(high, int), plus)


def _distinct(text: str, texts: Sequence[str]) -> tuple[str, ...]:
    if not texts:
        raise InputError(f"{text}: there is no value in it")
    twice = sorted({one for one in texts if texts.count(one) > 1})
    if twice:
        raise InputError(f"{text}: {', '.join(twice)} is there more than once; each value once")
    return tuple(texts)

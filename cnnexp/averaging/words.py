"""The words ``tta=…`` and ``tta.…=…`` of a command line. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.config.overrides import Word
from cnnexp.config.rules import Items, Number, Rule
from cnnexp.errors import InputError

READ_BY = {"none": (), "flip": (), "dihedral": (), "ten_crop": ("crop",), "multi_scale": ("scales",)}
"""The sets of views, and the keys that each one reads."""
_MOST_SCALES = 16


@dataclass(frozen=True)
class Choice:
    """Which views are averaged.

    Attributes:
        name: of the set of views. crop: part of the picture's height and width that a crop has, in [0.5, 1]; None
            leaves it to the data. scales: magnifications, each in [0.5, 2].
    """

    name: str = "none"
    crop: float | None = None
    scales: tuple[float, ...] = (0.875, 1.0, 1.125)


_RULES: dict[str, Rule] = {"crop": Number(0.5, 1), "scales": Items(Number(0.5, 2))}


def read_choice(words: Sequence[Word]) -> tuple[Choice, list[Word]]:
    """The views that the words ask for, and the words about something else.

    Raises:
        InputError: a line for each mistake.
    """
    about = [word for word in words if word.key == "tta" or word.key.startswith("tta.")]
    names = [word for word in about if word.key == "tta"]
    name = names[-1].value if names else "none"
    problems = [problem for word in names if (problem := _unknown_name(word))]
    given: dict[str, Any] = {}
    for word in about:
        if word.key == "tta":
            continue
        problem = _key_problem(word, str(name))
        if problem:
            problems.append(problem)
        else:
            given[word.key.removeprefix("tta.")] = word.value
    if problems:
        raise InputError(*problems)
    if "scales" in given:
        given["scales"] = tuple(float(scale) for scale in given["scales"])
    return Choice(str(name), **given), [word for word in words if word not in about]


def _unknown_name(word: Word) -> str | None:
    if isinstance(word.value, str) and word.value in READ_BY:
        return None
    hint = did_you_mean("" if word.value is None else str(word.value), READ_BY)
    return f"{word.text}: there are no such views; {hint}"


def _key_problem(word: Word, name: str) -> str | None:
    key = word.key.removeprefix("tta.")
    rule = _RULES.get(key)
    if rule is None:
        return f"{word.key}: there is no such key; {did_you_mean(key, _RULES, 'tta.')}"
    readers = [one for one, keys in READ_BY.items() if key in keys]
    if name in READ_BY and name not in readers:
        return f"{word.text}: nothing reads it; it goes with tta={readers[0]}"
    problem = rule.problem(word.value)
    if problem is None and key == "scales" and not 0 < len(word.value) <= _MOST_SCALES:
        problem = f"expected 1 to {_MOST_SCALES} scales"
    return f"{word.text}: {problem}" if problem else None

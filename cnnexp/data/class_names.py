"""The classes of a user's files by name: which there are, in which order, and which are refused."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

log = logging.getLogger(__name__)

MOST_NAMED = 12
"""So many classes are named in a line."""
_PLAIN = re.compile(r"(?!(true|false|null|nan|inf)$)[a-z_]\w*", re.IGNORECASE)
"""A name that needs no quotes to be read as a word."""
LEFT_OUT = -1
"""In place of the number of a class that is not among those of ``data.classes``."""

IN_TRAINING = "a class has to be in the training samples, and in data.classes where that is given"


def few(names: Sequence[str]) -> str:
    """The names with commas between them; of many the first ones and how many there are."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED:,} more"


def listed(names: Sequence[str]) -> str:
    """``data.classes=[…]`` with these names, as it is typed into a shell; many are not typed out."""
    if len(names) > MOST_NAMED:
        return "data.classes=[…]"
    if all(_PLAIN.fullmatch(name) for name in names):
        return f"data.classes=[{','.join(names)}]"
    quoted = ",".join(f"'{name}'" for name in names)
    return f'"data.classes=[{quoted}]"'


def meant(name: str, known: Sequence[str]) -> str:
    """A clause with the nearest of the known names, or nothing."""
    hint = did_you_mean(name, known, most_listed=0)
    return f"; {hint}" if hint else ""


def checked(names: Sequence[str], where: str) -> tuple[str, ...]:
    """The names of a data set's classes.

    Args:
        where: they are from, for the error.

    Raises:
        InputError: there are none, or two have the same name.
    """
    if not names:
        raise InputError(f"{where}: no class in it, so there is nothing to learn; see that something is labelled")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{where}: names the class {twice[0]!r} more than once; a class goes by its name")
    return tuple(names)


def refuse_unlisted(given: Sequence[str], there: Sequence[str], where: str) -> None:
    """Refuse names in ``data.classes`` that nothing in the files goes by.

    Args:
        given: of ``data.classes``. there: the classes of the files. where: these are named.

    Raises:
        InputError: a line for each, with the nearest name.
    """
    wrong = [name for name in given if name not in there]
    if wrong:
        classes = f"{where} has {few(there) or 'none'}"
        raise InputError(*(f"data.classes: no {name!r} in the data, {classes}{meant(name, there)}" for name in wrong))


def refuse_unknown(name: str, known: Sequence[str], where: object, fix: str) -> None:
    """Refuse a class of a sample that is not among the known ones.

    Args:
        where: the sample lies, or the line that names the class. fix: what to do, in a clause.

    Raises:
        InputError: it is not.
    """
    if name not in known:
        raise InputError(f"{where}: the class {name!r} is not among {few(known)}{meant(name, known)}; {fix}")


def numbering(given: Sequence[str] | None, there: Sequence[str], where: str) -> tuple[int, ...]:
    """For each number that files give a class its number among ``data.classes``, ``LEFT_OUT`` for one not among them.

    Args:
        given: of ``data.classes``; None for all as they are. there: the name of each number in the files.
        where: these are named.

    Raises:
        InputError: a name of ``data.classes`` is not there.
    """
    if given is None:
        return tuple(range(len(there)))
    refuse_unlisted(given, there, where)
    return tuple(given.index(name) if name in given else LEFT_OUT for name in there)


def untaught(names: Sequence[str], shown: Iterable[int]) -> list[str]:
    """The classes that are not among the numbers ``shown``."""
    there = set(shown)
    return [name for number, name in enumerate(names) if number not in there]


def ranks(names: Sequence[str]) -> tuple[int, ...]:
    """For each class its place in the alphabet: a number that does not change with the order of ``data.classes``."""
    order = {name: place for place, name in enumerate(sorted(names))}
    return tuple(order[name] for name in names)

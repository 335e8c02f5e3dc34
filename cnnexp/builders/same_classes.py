"""Classes of a net and of data, matched by their names: nowhere else is it decided which number stands for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnnexp.answers.base import Answer
from cnnexp.data.class_names import few, listed, meant
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.data.renumbered import Renumbering
from cnnexp.errors import InputError


@dataclass(frozen=True)
class Known:
    """The classes that a net was trained on.

    Attributes:
        names: in the order of its outputs. whose: the run or the weights, in words.
        further: of each class, names that it goes by as well; none for any where there are none.
    """

    names: tuple[str, ...]
    whose: str
    further: tuple[tuple[str, ...], ...] = ()

    def numbers_of(self, word: str) -> list[int]:
        """The outputs that go by a name; their own names count before further ones."""
        own = [number for number, name in enumerate(self.names) if name == word]
        return own or [number for number, also in enumerate(self.further) if word in also]


@dataclass(frozen=True)
class Match:
    """Data's classes among those of a net.

    Attributes:
        found: the data's, in its order. numbers: of each, the net's. known: the net's.
    """

    found: tuple[str, ...]
    numbers: tuple[int, ...]
    known: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing had to be mapped."""
        return self.found == self.known

    def described(self) -> str:
        """One line."""
        pairs = few([f"{name} {number}" for name, number in zip(self.found, self.numbers, strict=True)])
        return f"classes by name: {pairs}, of the {len(self.known):,} that the net knows, counted from 0"


def match_classes(known: Known, found: Sequence[str], data: str) -> Match:
    """Find each class of the data among those of a net.

    Args:
        found: the data's classes. data: its name, for the error.

    Raises:
        InputError: the net does not know one of them, or cannot tell which of its outputs is meant.
    """
    if tuple(found) == known.names:
        return Match(known.names, tuple(range(len(known.names))), known.names)
    hits = [known.numbers_of(name) for name in found]
    strange = [name for name, numbers in zip(found, hits, strict=True) if not numbers]
    if strange:
        raise InputError(
            f"data={data} has {few(strange)}, which {known.whose} was not trained on (it knows {few(known.names)})"
            f"{meant(strange[0], known.names)}; classes go by their exact names: rename them in the data, or say "
            f"{listed(known.names)} where the data only numbers them"
        )
    for name, several in zip(found, hits, strict=True):
        if len(several) > 1:
            raise InputError(
                f"data={data}: {name} are {len(several)} classes of {known.whose}, so which one is unknown"
            )
    numbers = tuple(one[0] for one in hits)
    twice = next((one for one in numbers if numbers.count(one) > 1), None)
    if twice is not None:
        both = [name for name, number in zip(found, numbers, strict=True) if number == twice]
        raise InputError(f"data={data}: {' and '.join(both)} are one class of {known.whose}, {known.names[twice]}")
    return Match(tuple(found), numbers, known.names)


def number_as(data: Data, target: str, known: Known) -> Match:
    """Give the classes of data the numbers that a net knows them by.

    Args:
        data: not read yet; its facts have the net's classes then. target: the truth that the net is about.

    Raises:
        InputError: as for ``match_classes``, or classes of such a truth cannot be renumbered.
    """
    facts, answer = data.facts, data.facts.targets[target]
    match = match_classes(known, answer.names, facts.name)
    if match.same:
        return match
    if type(answer).renumbered is Answer.renumbered:
        raise InputError(
            f"data={facts.name}: its classes are numbered otherwise than those of {known.whose}, and {target} "
            f"cannot be renumbered; give {listed(known.names)}"
        )
    data.renumbering = Renumbering(answer, match.numbers)
    shown = tuple(sorted(match.numbers)) if len(match.numbers) < len(known.names) else None
    data.facts = replace(with_names(facts, target, known.names), shown=shown)
    return match


def with_names(facts: Facts, target: str, names: Sequence[str]) -> Facts:
    """The facts with other names for the classes of one truth."""
    return replace(facts, targets={**facts.targets, target: type(facts.targets[target])(names)})

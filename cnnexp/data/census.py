"""What of a user's files is used, and what is left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PICTURES, BOXES, OTHER = "pictures", "boxes", "other files"
"""Kinds that are counted. What is no picture by its name stands in the record alone."""
MOST_NAMES = 2000
"""Of the files that are left out for one reason; the count goes on."""
UNREMARKABLE = 0.05
"""A larger part of the pictures, the boxes, … that is left out is a warning."""
UNUSUAL = 0.5
"""A larger part that is used and noted is one, too."""
_EXAMPLES = 3


@dataclass
class Reason:
    """Why something is left out, or what is noted of it."""

    reason: str
    help: str = ""
    harmless: bool = False
    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str, count: int) -> None:
        self.count += count
        if len(self.names) < MOST_NAMES:
            self.names.append(printable(name))

    def as_record(self) -> dict[str, Any]:
        return {"reason": self.reason, "count": self.count, "help": self.help, "names": list(self.names)}

    def __str__(self) -> str:
        return f"{self.count:,} {self.reason}" + (f": {self.help}" if self.help else "")


class Census:
    """Counts by kind of thing (pictures, boxes, label files, …): found = used + left out.

    What is counted is known from names and headers; a file that fails when it is decoded is told of then.

    Args:
        samples: the kind that goes into nets.
    """

    def __init__(self, samples: str = PICTURES) -> None:
        self.samples = samples
        self._used: dict[str, int] = {}
        self._left_out: dict[str, dict[str, Reason]] = {}
        self._noted: dict[str, dict[str, Reason]] = {}
        self.remarks: list[str] = []

    def use(self, kind: str, count: int) -> None:
        """So many of a kind take part."""
        self._used[kind] = self.used(kind) + count

    def leave_out(
        self, kind: str, reason: str, name: str, *, count: int = 1, help: str = "", harmless: bool = False
    ) -> None:
        """Something of a kind takes no part.

        Args:
            reason: in a few words that follow a number, such as "hidden". name: the file's.
            count: how many of this kind belong to the name. help: what would bring them in.
            harmless: nothing of the data is lost by it.
        """
        reasons = self._left_out.setdefault(kind, {})
        reasons.setdefault(reason, Reason(reason, help, harmless)).add(name, count)

    def note(self, kind: str, what: str, name: str, *, count: int = 1) -> None:
        """Something of a kind takes part in a way that is worth a word, such as "without a label file"."""
        self._noted.setdefault(kind, {}).setdefault(what, Reason(what)).add(name, count)

    def remark(self, text: str) -> None:
        """Something that was read otherwise than it might look, in a sentence."""
        if text not in self.remarks:
            self.remarks.append(text)

    def used(self, kind: str) -> int:
        return self._used.get(kind, 0)

    def found(self, kind: str) -> int:
        return self.used(kind) + sum(one.count for one in self.left_out(kind))

    def left_out(self, kind: str) -> list[Reason]:
        """The reasons, the most frequent first."""
        return _by_count(self._left_out.get(kind, {}))

    def noted(self, kind: str) -> list[Reason]:
        """What is used and noted, the most frequent first."""
        return _by_count(self._noted.get(kind, {}))

    def line(self) -> str:
        """What is found, used and left out; empty where everything is used and nothing noted."""
        return "; ".join(part for kind in self._kinds() if kind != OTHER and (part := self._counts(kind)))

    def warnings(self) -> list[str]:
        """A line for each kind of which more than ``UNREMARKABLE`` is left out, with names of files, and for what more
        than ``UNUSUAL`` is noted."""
        lines = []
        for kind in self._kinds():
            found = self.found(kind)
            lost = [one for one in self.left_out(kind) if not one.harmless]
            count = sum(one.count for one in lost)
            if count > UNREMARKABLE * found:
                lines.append(f"{count:,} of {found:,} {kind} are left out ({_list(lost)}), such as {_examples(lost)}")
            odd = [one for one in self.noted(kind) if one.count > UNUSUAL * found]
            lines += [f"{one.count:,} of {found:,} {kind} are {one.reason}, such as {_examples([one])}" for one in odd]
        return lines

    def as_record(self) -> dict[str, Any]:
        """The same as JSON has it, with the names of what is left out or noted (at most ``MOST_NAMES`` a reason)."""
        counts = {
            kind: {
                "found": self.found(kind),
                "used": self.used(kind),
                "left_out": [one.as_record() for one in self.left_out(kind)],
                "noted": [one.as_record() for one in self.noted(kind)],
            }
            for kind in self._kinds()
        }
        return {"counts": counts, "remarks": list(self.remarks)}

    def _kinds(self) -> list[str]:
        kinds = dict.fromkeys([*self._used, *self._left_out, *self._noted])
        return sorted(kinds, key=lambda kind: (kind != self.samples, kind == BOXES))

    def _counts(self, kind: str) -> str:
        found, used, lost, noted = self.found(kind), self.used(kind), self.left_out(kind), self.noted(kind)
        parts = []
        if lost:
            outside = f"{found - used:,} left out ({_list(lost)})"
            parts.append(f"{_several(found, kind)}: " + (f"{used:,} used, {outside}" if used else outside))
        parts += [f"{_several(one.count, kind)} {one.reason}" for one in noted]
        return "; ".join(parts)


def of_published(found: int, published: int, noun: str) -> Census:
    """Of a data set as its publisher divided it, of which a copy may hold a part.

    Args:
        found: pictures that are there and used. published: as many as there should be. noun: what they are called.
    """
    census = Census()
    census.use(PICTURES, found)
    whole = f"all {published:,} published {noun}" if found == published else None
    census.remark(whole or f"{found:,} of the {published:,} published {noun}")
    return census


def _by_count(reasons: Mapping[str, Reason]) -> list[Reason]:
    return sorted(reasons.values(), key=lambda one: -one.count)


def _several(count: int, kind: str) -> str:
    one = "box" if kind == BOXES else kind.removesuffix("s")
    return f"{count:,} {one if count == 1 else kind}"


def _list(reasons: Sequence[Reason]) -> str:
    return ", ".join(map(str, reasons))


def _examples(reasons: Sequence[Reason]) -> str:
    return ", ".join([name for one in reasons for name in one.names[:_EXAMPLES]][:_EXAMPLES])


def printable(name: str) -> str:
    r"""A file's name as text that can be written: bytes that are no UTF-8 become ``\xff``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

"""What of a user's files is used, and what is left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_NAMES = 2000
"""Of the files that are left out for one reason; the count goes on."""
UNREMARKABLE = 0.05
"""A larger part of the pictures, the boxes, … that is left out is a warning."""
_EXAMPLES = 3


@dataclass
class LeftOut:
    """One reason to leave something out. ``harmless``: nothing of the data is lost by it."""

    reason: str
    help: str = ""
    harmless: bool = False
    count: int = 0
    names: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.count:,} {self.reason}" + (f": {self.help}" if self.help else "")


class Census:
    """Counts by kind of thing (pictures, boxes, label files, …): found = used + left out.

    What is counted is known from names and headers; a file that fails when it is decoded is told of then.
    """

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._left_out: dict[str, dict[str, LeftOut]] = {}
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
        """
        reasons = self._left_out.setdefault(kind, {})
        one = reasons.setdefault(reason, LeftOut(reason, help, harmless))
        one.count += count
        if len(one.names) < MOST_NAMES:
            one.names.append(printable(name))

    def remark(self, text: str) -> None:
        """Something that was read otherwise than it might look, in a sentence."""
        if text not in self.remarks:
            self.remarks.append(text)

    def used(self, kind: str) -> int:
        return self._used.get(kind, 0)

    def found(self, kind: str) -> int:
        return self.used(kind) + sum(one.count for one in self.left_out(kind))

    def left_out(self, kind: str) -> list[LeftOut]:
        """The reasons, the most frequent first."""
        return sorted(self._left_out.get(kind, {}).values(), key=lambda one: -one.count)

    def line(self) -> str:
        """What is found, used and left out; empty where everything is used."""
        parts = [self._counts(kind) for kind in self._kinds() if self.left_out(kind)]
        return "; ".join(parts)

    def warnings(self) -> list[str]:
        """A line for each kind of which more than ``UNREMARKABLE`` is left out, with the files' names."""
        lines = []
        for kind in self._kinds():
            lost = [one for one in self.left_out(kind) if not one.harmless]
            count, found = sum(one.count for one in lost), self.found(kind)
            if count > UNREMARKABLE * found:
                names = [name for one in lost for name in one.names[:_EXAMPLES]][:_EXAMPLES]
                lines.append(
                    f"{count:,} of {found:,} {kind} are left out ({', '.join(map(str, lost))}), such as "
                    + ", ".join(names)
                )
        return lines

    def as_record(self) -> dict[str, Any]:
        """The same as JSON has it, with the names of what is left out (at most ``MOST_NAMES`` a reason)."""
        counts = {
            kind: {
                "found": self.found(kind),
                "used": self.used(kind),
                "left_out": [
                    {"reason": one.reason, "count": one.count, "help": one.help, "names": list(one.names)}
                    for one in self.left_out(kind)
                ],
            }
            for kind in self._kinds()
        }
        return {"counts": counts, "remarks": list(self.remarks)}

    def _kinds(self) -> list[str]:
        return list(dict.fromkeys([*self._used, *self._left_out]))

    def _counts(self, kind: str) -> str:
        reasons = f"({', '.join(map(str, self.left_out(kind)))})"
        found, used = self.found(kind), self.used(kind)
        if not used:
            return f"{found:,} {kind} left out {reasons}"
        return f"{found:,} {kind}: {used:,} used, {found - used:,} left out {reasons}"


def printable(name: str) -> str:
    r"""A file's name as text that can be written: bytes that are no UTF-8 become ``\xff``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

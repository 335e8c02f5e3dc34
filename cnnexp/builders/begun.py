"""What became of each tensor when a net was started from weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_MOST_NAMED = 3


@dataclass
class Start:
    """What a net was started from.

    Attributes:
        source: in words. checkpoint: of a run, best or last.
        loaded, fresh, skipped: names of the net's tensors that were taken from there, of those that
            keep their random values (the head of other classes), and of the source's tensors that the net has not.
        adapted: names of the loaded ones that were brought to another number of channels. relearnt: of those that were
            brought to what this run's input learnt. by_name: of those that were put in its order of the classes.
        by_position: names differ, and all shapes agree in order. by_stage: how many layers went over, where they were
            matched by stage and position.
    """

    source: str
    sha256: str | None = None
    checkpoint: str | None = None
    loaded: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    adapted: list[str] = field(default_factory=list)
    relearnt: list[str] = field(default_factory=list)
    by_name: list[str] = field(default_factory=list)
    by_position: bool = False
    by_stage: str | None = None

    def described(self) -> str:
        """One line."""
        total = len(self.loaded) + len(self.fresh)
        parts = [f"{len(self.loaded)} of {total} tensors loaded"]
        if self.by_position:
            parts.append("matched by their order, the names differ")
        if self.by_stage:
            parts.append(f"by stage and position {self.by_stage}")
        if self.adapted:
            parts.append(f"{', '.join(self.adapted)} brought to other channels")
        if self.relearnt:
            parts.append(f"{', '.join(self.relearnt)} matched by what the input learnt")
        if self.by_name:
            parts.append(f"{', '.join(self.by_name)} put in this run's order of the classes")
        if self.fresh:
            parts.append(f"fresh: {few(self.fresh)}")
        if self.skipped:
            parts.append(f"not used: {few(self.skipped)}")
        return f"weights of {self.source}: {'; '.join(parts)}"

    def as_record(self) -> dict[str, Any]:
        """For weights.json."""
        return dict(vars(self))


def few(names: Sequence[str], between: str = ", ") -> str:
    named = between.join(names[:_MOST_NAMED])
    return named if len(names) <= _MOST_NAMED else f"{named} and {len(names) - _MOST_NAMED} more"

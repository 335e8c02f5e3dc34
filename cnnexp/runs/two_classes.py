"""The same file under two classes: a link or a copy that was forgotten, and a truth that contradicts itself."""

from __future__ import annotations

from cnnexp.runs.data_difference import few
from cnnexp.runs.data_record import DataRecord


def in_two_classes(record: DataRecord) -> list[tuple[str, str]]:
    """The names of two samples each with the same contents and other classes, in whichever splits; none where contents
    were not looked at."""
    first: dict[str, tuple[str, int]] = {}
    found: dict[str, tuple[str, str]] = {}
    for split in record.splits.values():
        columns = (split.names or (), split.truths or (), split.digests or ())
        for name, label, digest in zip(*columns, strict=False):
            if isinstance(label, int):
                one, other = first.setdefault(digest, (name, label))
                if other != label:
                    found.setdefault(digest, (one, name))
    return sorted(found.values())


def two_classes_line(record: DataRecord, noun: str) -> str | None:
    """A line that names them.

    Args:
        noun: what a sample is called.
    """
    found = in_two_classes(record)
    if not found:
        return None
    names = few([f"{one} and {other}" for one, other in found])
    several = f"{noun} stands" if len(found) == 1 else f"{noun}s stand"
    return f"{len(found):,} {several} in two classes, the same to the bit: {names}; remove the wrong one"

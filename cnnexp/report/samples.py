"""Whether runs stand on the same samples, and which are others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError
from cnnexp.report.plain_text import printable
from cnnexp.report.settings import canonical, flatten, is_place
from cnnexp.runs.data_difference import DataDifference, data_difference, few, shown
from cnnexp.runs.data_record import DataRecord, read_data_record, recorded_digest

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

Rows = dict[str, tuple[Any, Any]]
_MOST_NAMED = 3
_NO_DATA = ("fraction", "labels_per_class", "workers", "in_memory", "mean", "std", "input_sha256")
"""Keys of ``data`` that say nothing of which samples there are."""


def sample_rows(first: Record, second: Record) -> tuple[Rows, str]:
    """In what the samples of two runs differ: for each way of differing what each run has, with counts and names.

    Returns:
        The rows, and why nothing is known of the samples; one of them is empty.
    """
    records = []
    for one in (first, second):
        try:
            records.append(read_data_record(one.folder))
        except InputError as error:
            return {}, error.lines[0]
    without = [one.id for one, kept in zip((first, second), records, strict=True) if kept is None]
    if without:
        return {}, f"which samples it was, {' and '.join(without)} did not record"
    ours, theirs = records
    assert ours is not None and theirs is not None
    return _rows(ours, theirs, data_difference(ours, theirs)), ""


def _rows(ours: DataRecord, theirs: DataRecord, found: DataDifference) -> Rows:
    rows: Rows = {}
    if ours.samples != theirs.samples:
        rows["samples"] = (ours.samples, theirs.samples)
    if found.only_first or found.only_second:
        rows["only here"] = (_counted(found.only_first), _counted(found.only_second))
    relabelled = [(name, name, was, now) for name, was, now in found.relabelled]
    relabelled += [one for one in found.moved if one[2] != one[3]]
    if relabelled:
        rows["labels changed"] = _both([(f"{a}: {shown(x)}", f"{b}: {shown(y)}") for a, b, x, y in relabelled])
    renamed = [(a, b) for a, b, was, now in found.moved if was == now]
    if renamed:
        rows["other names"] = _both(renamed)
    if found.changed:
        rows["contents changed"] = (_counted(found.changed), _counted(found.changed))
    if found.dealt:
        rows["other splits"] = _both([(f"{name}: {one}", f"{name}: {other}") for name, one, other in found.dealt])
    if found.reordered:
        rows["order"] = (ours.split[:12], theirs.split[:12])
    if found.unnamed:
        rows["fingerprint"] = (_hashes(ours), _hashes(theirs))
    return rows


def _hashes(one: DataRecord) -> str:
    return f"{one.fingerprint[:12]}, contents {(one.contents or 'unread')[:12]}"


def _both(pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
    return _counted([one for one, _ in pairs]), _counted([other for _, other in pairs])


def _counted(names: Sequence[str]) -> str:
    return f"{len(names):,} ({few(names, _MOST_NAMED)})" if names else "0"


def different_data(records: Sequence[Record]) -> list[str]:
    """A line for each data set of which runs, with the same settings of it, stand on different samples."""
    groups: dict[str, dict[str, list[int]]] = {}
    known: dict[int, str] = {}
    for place, record in enumerate(records):
        hashes, data = recorded_digest(record.run), record.config.get("data")
        if hashes is None or not isinstance(data, dict):
            continue
        if id(data) not in known:
            known[id(data)] = _which(data)
        which, samples = f"{record.choices.get('data')} {known[id(data)]}", " ".join(map(str, hashes.values()))
        groups.setdefault(which, {}).setdefault(samples, []).append(place)
    return [_said(records, list(group.values())) for group in groups.values() if len(group) > 1]


def _said(records: Sequence[Record], places: Sequence[Sequence[int]]) -> str:
    option = printable(str(records[places[0][0]].choices.get("data")))
    firsts = [printable(records[same[0]].id) for same in places]
    others = [f" and {len(same) - 1:,} more" if len(same) > 1 else "" for same in places]
    counts = [first + more for first, more in zip(firsts, others, strict=True)]
    return (
        f"runs stand on different data, though all have data={option}: "
        f"{'; '.join(counts[:_MOST_NAMED])}{'; …' if len(counts) > _MOST_NAMED else ''} "
        f"(cnnexp diff {firsts[0]} {firsts[1]})"
    )


def _which(data: dict[str, Any]) -> str:
    """The settings that say which data it is, as text."""
    leaves = {key: value for key, value in flatten(data).items() if not is_place(key) and key not in _NO_DATA}
    return " ".join(f"{key}={canonical(value)}" for key, value in sorted(leaves.items()))

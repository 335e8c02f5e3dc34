"""What became of the samples of one record in another: gone, come, relabelled, changed, dealt out otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnnexp.runs.data_record import UNREAD, DataRecord, SplitRecord

Truth = int | str | None
_EXAMPLES = 3


@dataclass(frozen=True)
class _Entry:
    """A sample: what it is, and which splits have it."""

    size: int | None
    truth: Truth
    digest: str | None
    splits: tuple[str, ...] = ()


@dataclass
class DataDifference:
    """Two records, A and B; a sample is named as in its split, with the split before it where that is not enough.

    Attributes:
        only_first, only_second: samples that one alone has.
        relabelled: samples of both with other truths, and these. changed: of both with other contents.
        moved: samples with the same contents that have another name in B, both names, and both truths.
        dealt: of both, in other splits, and these. reordered: the splits are the same but for the order in them.
        unnamed: they differ, and nothing tells in which samples.
    """

    only_first: list[str] = field(default_factory=list)
    only_second: list[str] = field(default_factory=list)
    relabelled: list[tuple[str, Truth, Truth]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: list[tuple[str, str, Truth, Truth]] = field(default_factory=list)
    dealt: list[tuple[str, str, str]] = field(default_factory=list)
    reordered: bool = False
    unnamed: bool = False

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def lost(self) -> set[str]:
        """The samples of A that B has not as they were."""
        relabelled, moved = (one[0] for one in self.relabelled), (one[0] for one in self.moved)
        return {*self.only_first, *self.changed, *relabelled, *moved}

    def losses(self) -> str:
        """What became of them in words, with counts and examples."""
        renamed = [f"{old}, now {new}" for old, new, was, now in self.moved if was == now]
        under = [f"{old}, now {new}" for old, new, was, now in self.moved if was != now]
        under += [f"{name}: {shown(was)}, now {shown(now)}" for name, was, now in self.relabelled]
        parts = [
            (len(self.only_first), "removed", self.only_first),
            (len(under), "relabelled", under),
            (len(self.changed), "changed", self.changed),
            (len(renamed), "renamed", renamed),
        ]
        return "; ".join(f"{count:,} {word} ({few(names)})" for count, word, names in parts if count)


def few(names: Sequence[str], most: int = _EXAMPLES) -> str:
    """The first of them."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def shown(truth: Truth) -> str:
    """A class by its name or number; anything else has no short name."""
    return "none" if truth is None else str(truth)


def data_difference(first: DataRecord, second: DataRecord) -> DataDifference:
    """Hold two records against each other; what one of them did not look at counts as equal."""
    if first.split == second.split and first.fingerprint == second.fingerprint:
        unequal = [name for name in first.splits if not first.splits[name].equals(second.splits[name])]
        forms = {name: (first.splits[name].form, second.splits[name].form) for name in unequal}
        if all(one != other for one, other in forms.values()):  # numbers at another size say nothing
            return DataDifference()
    if not (first.named and second.named):
        return DataDifference(unnamed=True)
    ambiguous = _ambiguous(first) | _ambiguous(second)
    ours, theirs = _entries(first, ambiguous), _entries(second, ambiguous)
    found = DataDifference(
        only_first=sorted(name for name in ours if name not in theirs),
        only_second=sorted(name for name in theirs if name not in ours),
    )
    for name in sorted(name for name in ours if name in theirs):
        _add(found, name, ours[name], theirs[name])
    _find_moved(found, ours, theirs)
    if not found:
        pairs = [(one, second.splits[name]) for name, one in first.splits.items()]
        found.reordered = any(one.names != other.names for one, other in pairs)
        found.unnamed = not found.reordered and any(_other_numbers(one, other) for one, other in pairs)
    return found


def _other_numbers(one: SplitRecord, other: SplitRecord) -> bool:
    return one.form is not None and one.form == other.form and _differ(one.contents, other.contents)


def _add(found: DataDifference, name: str, one: _Entry, other: _Entry) -> None:
    if one.truth != other.truth and not _unread(one.truth, other.truth):
        found.relabelled.append((name, one.truth, other.truth))
    if _differ(one.digest, other.digest) or (None in (one.digest, other.digest) and _differ(one.size, other.size)):
        found.changed.append(name)
    if one.splits != other.splits:
        found.dealt.append((name, " and ".join(one.splits), " and ".join(other.splits)))


def _unread(one: Truth, other: Truth) -> bool:
    """Whether the truth of one of them is a file that was looked at less closely than the other's."""
    marks = [isinstance(truth, str) and truth.startswith(UNREAD) for truth in (one, other)]
    return marks[0] != marks[1] or UNREAD in (one, other)


def _differ(one: Any, other: Any) -> bool:
    return None not in (one, other) and one != other


def _find_moved(found: DataDifference, ours: Mapping[str, _Entry], theirs: Mapping[str, _Entry]) -> None:
    """What stands under another name in B is neither gone nor changed; contents that occur twice tell nothing."""
    left = _by_digest(ours, {*found.only_first, *found.changed})
    right = _by_digest(theirs, {*found.only_second, *found.changed})
    pairs = [(left[digest], right[digest]) for digest in left if digest in right]
    found.moved = [(old, new, ours[old].truth, theirs[new].truth) for old, new in sorted(pairs) if old != new]
    olds, news = {one[0] for one in found.moved}, {one[1] for one in found.moved}
    found.only_first = [name for name in found.only_first if name not in olds]
    found.only_second = [name for name in found.only_second if name not in news]
    found.changed = [name for name in found.changed if name not in olds]


def _by_digest(entries: Mapping[str, _Entry], names: set[str]) -> dict[str, str]:
    counts = Counter(one.digest for one in entries.values())
    single = {one.digest: name for name, one in entries.items() if one.digest and counts[one.digest] == 1}
    return {digest: name for digest, name in single.items() if name in names}


def _samples(name: str, one: SplitRecord, record: DataRecord) -> list[tuple[str, _Entry]]:
    columns = (column or [None] * one.count for column in (one.names, one.sizes, one.truths, one.digests))
    return [
        (str(sample), _Entry(size, record.named_truth(truth), digest, (name,)))
        for sample, size, truth, digest in zip(*columns, strict=True)
    ]


def _ambiguous(record: DataRecord) -> set[str]:
    """Names that different samples have."""
    seen: dict[str, tuple[Any, ...]] = {}
    found = set()
    for name, one in record.splits.items():
        for sample, entry in _samples(name, one, record):
            what = (entry.size, entry.truth, entry.digest)
            if seen.setdefault(sample, what) != what:
                found.add(sample)
    return found


def _entries(record: DataRecord, ambiguous: set[str]) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for name, one in record.splits.items():
        for sample, entry in _samples(name, one, record):
            key = f"{name}/{sample}" if sample in ambiguous else sample
            known = found.get(key)
            splits = entry.splits if known is None else tuple(sorted({*known.splits, *entry.splits}))
            found[key] = _Entry(entry.size, entry.truth, entry.digest, splits)
    return found

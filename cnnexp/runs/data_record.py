"""data.json: which samples a run stands on, in which split each, and what they were like."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from cnnexp.errors import InputError
from cnnexp.runs.atomic import write_text
from cnnexp.runs.read import read_json
from cnnexp.runs.sample_lists import LISTS, read_lists, write_lists

FILE = "data.json"
FILES = (FILE, LISTS)
SCHEMA_VERSION = 1
MOST_NAMED = 50_000
"""The lists of more samples stand in a packed file beside it."""
UNREAD = "?"
"""Begins the truth of a sample whose truth is a file that was not read: its size alone, or nothing, is behind it."""
SPLITS = {"train", "val", "test"}
_LISTS = ("names", "sizes", "truths", "digests")
_HASHES = ("fingerprint", "split", "contents")


@dataclass(frozen=True)
class SplitRecord:
    """The samples of a split, in its order.

    Attributes:
        order: hash of names, sizes and truths. contents: of the digests, or of a split's numbers; None if not taken.
        form: what the numbers of a split are that comes from no files.
        names, sizes, truths, digests: see ``data.fingerprint.Listing``; None where there are none, or too many.
    """

    count: int
    order: str
    contents: str | None = None
    form: str | None = None
    names: list[str] | None = None
    sizes: list[int] | None = None
    truths: list[int | str | None] | None = None
    digests: list[str] | None = None

    @classmethod
    def of(
        cls,
        count: int,
        names: list[str] | None,
        sizes: list[int] | None = None,
        truths: list[int | str | None] | None = None,
        digests: list[str] | None = None,
        whole: str | None = None,
        form: str | None = None,
    ) -> SplitRecord:
        """From a listing."""
        columns = [one if one is not None else [None] * count for one in (names, sizes, truths)]
        order = _hash(map(_line, zip(*columns, strict=True))) if count else _hash([])
        contents = whole if digests is None else _hash(digests)
        return cls(count, order, contents, form, names, sizes, truths, digests)

    @property
    def depth(self) -> Literal["contents", "sizes", "names"]:
        """How closely the samples were looked at: contents of files, or their sizes, or neither."""
        if self.contents is not None:
            return "contents"
        return "sizes" if self.sizes is not None else "names"

    def equals(self, other: SplitRecord) -> bool:
        """Whether these are the same samples in the same order, as far as both know."""
        if self.count != other.count or self.order != other.order or self.form != other.form:
            return False
        return None in (self.contents, other.contents) or self.contents == other.contents


@dataclass(frozen=True)
class DataRecord:
    """What data.json says.

    Attributes:
        splits: by name. classes: names of the classes that truths are the numbers of.
        samples: different ones; a split may be used for two purposes.
        fingerprint: of the set of samples: names, sizes and truths, in whichever splits.
        split: of which samples are in which split, in which order.
        contents: of what the files hold; None where it was not looked at.
        places: keys of ``data`` that name a folder of the user's: as written, absolute, and seen from the run's folder.
        census: what was found, used and left out.
    """

    splits: Mapping[str, SplitRecord]
    samples: int
    fingerprint: str
    split: str
    contents: str | None = None
    classes: Sequence[str] = ()
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    census: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, splits: Mapping[str, SplitRecord], classes: Sequence[str]) -> DataRecord:
        """From the splits of a data set."""
        ordered = sorted(splits.items())
        made = _hash(f"{name} {one.count} {_hash(one.names) if one.names else one.order}" for name, one in ordered)
        if all(one.names is not None for one in splits.values()):
            lines = {line for one in splits.values() for line in _lines(one, classes)}
            samples, fingerprint = len(lines), _hash(sorted(lines))
        else:
            samples = sum(one.count for one in splits.values())
            fingerprint = _hash(f"{name} {one.order}" for name, one in ordered)
        return cls(splits, samples, fingerprint, made, _contents_of(ordered), list(classes))

    @property
    def named(self) -> bool:
        """Whether every sample is known by name."""
        return all(one.names is not None for one in self.splits.values())

    def digest(self) -> dict[str, Any]:
        """What run.json has of it, so that many runs can be held against each other."""
        return {name: getattr(self, name) for name in ("samples", *_HASHES)}

    def named_truth(self, value: int | str | None) -> int | str | None:
        """The name of a class in place of its number."""
        return _named(value, self.classes)


def _lines(one: SplitRecord, classes: Sequence[str]) -> list[str]:
    truths = None if one.truths is None else [_named(value, classes) for value in one.truths]
    columns = [column or [None] * one.count for column in (one.names, one.sizes, truths)]
    return list(map(_line, zip(*columns, strict=True)))


def _named(value: int | str | None, classes: Sequence[str]) -> int | str | None:
    return classes[value] if isinstance(value, int) and 0 <= value < len(classes) else value


def _contents_of(splits: Sequence[tuple[str, SplitRecord]]) -> str | None:
    if any(one.contents is None for _, one in splits):
        return None
    if all(one.digests is not None and one.names is not None for _, one in splits):
        pairs = {pair for _, one in splits for pair in zip(one.names or (), one.digests or (), strict=True)}
        return _hash(sorted(map(_line, pairs)))
    return _hash(f"{name} {one.contents}" for name, one in splits)


def write_data_record(folder: Path, record: DataRecord) -> None:
    """data.json, a list a line; where there are very many samples their lists go into a file beside it, and where these
    have no names they are left out."""
    splits, digest = dict(record.splits), None
    if sum(one.count for one in splits.values()) > MOST_NAMED:
        lists = {name: {key: getattr(one, key) for key in _LISTS} for name, one in splits.items()}
        digest = write_lists(folder, lists) if record.named else None
        splits = {name: SplitRecord(one.count, one.order, one.contents, one.form) for name, one in splits.items()}
    content = {
        "schema_version": SCHEMA_VERSION,
        **record.digest(),
        "classes": list(record.classes),
        "places": {key: dict(place) for key, place in record.places.items()},
        "census": record.census,
        "lists_sha256": digest,
        "splits": {name: asdict(one) for name, one in splits.items()},
    }
    write_text(folder / FILE, _text(content))


def read_data_record(folder: Path) -> DataRecord | None:
    """What a run's folder says of its data; None for a run of a version that wrote nothing of it.

    Raises:
        InputError: the file is damaged, or of another version.
    """
    try:
        content = read_json(folder / FILE)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / FILE}: which samples the run stands on cannot be read ({error})") from error
    try:
        if content.get("lists_sha256") is not None:
            for name, lists in read_lists(folder, content["lists_sha256"]).items():
                content["splits"][name].update(lists)
        return _checked(content)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise InputError(
            f"{folder / FILE}: damaged, or of another version ({type(error).__name__}: {error}); put it aside to go on "
            "without knowing whether the data is the same"
        ) from error


def recorded_digest(run: Mapping[str, Any]) -> dict[str, str | None] | None:
    """The hashes in run.json: fingerprint, split and contents; None for a run that has none."""
    data = run.get("data")
    found = {key: data.get(key) for key in _HASHES} if isinstance(data, Mapping) else {}
    hashes = {key: value if isinstance(value, str) else None for key, value in found.items()}
    return hashes if hashes.get("fingerprint") and hashes.get("split") else None


def place_of(path: Path, written: str, folder: Path) -> dict[str, str]:
    """A user's folder: as written, absolute, and seen from the run's folder, with which it may have been moved."""
    absolute = path.expanduser().absolute()
    return {"written": written, "absolute": str(absolute), "from_run": os.path.relpath(absolute, folder.absolute())}


def _checked(content: Mapping[str, Any]) -> DataRecord:
    if content["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"version {content['schema_version']!r}, this cnnexp reads {SCHEMA_VERSION}")
    splits = {str(name): _checked_split(one) for name, one in content["splits"].items()}
    if splits.keys() != SPLITS:
        raise ValueError(f"its splits are {', '.join(splits)}")
    places = {str(key): {str(k): str(v) for k, v in place.items()} for key, place in content["places"].items()}
    if any({"written", "absolute", "from_run"} - place.keys() for place in places.values()):
        raise ValueError("a place without its path")
    hashes = {key: content[key] for key in _HASHES}
    if not all(isinstance(value, str) or (value is None and key == "contents") for key, value in hashes.items()):
        raise ValueError("a hash is missing")
    return DataRecord(
        splits,
        int(content["samples"]),
        **hashes,
        classes=[str(name) for name in content["classes"]],
        places=places,
        census=content.get("census"),
    )


def _checked_split(content: Mapping[str, Any]) -> SplitRecord:
    one = SplitRecord(**content)
    kinds: dict[str, Any] = {"names": str, "sizes": int, "truths": (int, str, type(None)), "digests": str}
    for name, kind in kinds.items():
        column = getattr(one, name)
        if column is not None and not (len(column) == one.count and all(isinstance(value, kind) for value in column)):
            raise ValueError(f"{name} of a split is no list of its {one.count} samples")
    if not isinstance(one.order, str):
        raise ValueError("a split without its hash")
    return one


def _text(content: Mapping[str, Any]) -> str:
    """JSON in which a list takes a line; ASCII, as the name of a file may hold what is no text."""

    def line(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    splits = [
        f' "{name}": {{\n' + ",\n".join(f"  {line(key)}: {line(value)}" for key, value in one.items()) + "\n }"
        for name, one in content["splits"].items()
    ]
    tops = [f"{line(key)}: {line(value)}" for key, value in content.items() if key != "splits"]
    return "{\n" + ",\n".join([*tops, '"splits": {\n' + ",\n".join(splits) + "\n}"]) + "\n}\n"


def _line(values: Iterable[Any]) -> str:
    return "\0".join("" if value is None else str(value) for value in values)


def _hash(lines: Iterable[str]) -> str:
    total = hashlib.sha256()
    for line in lines:
        total.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return total.hexdigest()

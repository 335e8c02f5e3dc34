"""data.json: written whole, read without trust, and the same hashes for the same samples wherever they lie."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnexp.errors import InputError
from cnnexp.runs import data_record, sample_lists
from cnnexp.runs.data_record import DataRecord, SplitRecord, read_data_record, recorded_digest, write_data_record

NAMES = {"train": ["cat/1.png", "dog/1.png"], "val": ["cat/2.png"], "test": ["dog/2.png"]}
LABELS = {"train": [0, 1], "val": [0], "test": [1]}


def record(names: Any = NAMES, labels: Any = LABELS, classes: tuple[str, ...] = ("cat", "dog")) -> DataRecord:
    splits = {}
    for split, own in names.items():
        sizes, digests = [10 + len(name) for name in own], [f"{name}!" for name in own]
        splits[split] = SplitRecord.of(len(own), own, sizes, labels[split], digests)
    return DataRecord.of(splits, classes)


def test_the_fingerprint_is_the_sha256_of_names_sizes_and_classes_in_order() -> None:
    lines = [f"{name}\0{10 + len(name)}\0{name[:3]}\n" for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")]
    made = record()
    assert made.fingerprint == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert made.samples == 4


def test_what_is_dealt_out_otherwise_is_the_same_set_in_another_split() -> None:
    swapped = {**NAMES, "val": NAMES["test"], "test": NAMES["val"]}
    made = record(swapped, {**LABELS, "val": [1], "test": [0]})
    assert (made.fingerprint, made.contents) == (record().fingerprint, record().contents)
    assert made.split != record().split


def test_classes_in_another_order_are_the_same_truth() -> None:
    other = record(labels={"train": [1, 0], "val": [1], "test": [0]}, classes=("dog", "cat"))
    assert other.fingerprint == record().fingerprint


def test_it_is_read_as_it_was_written_with_names_that_are_no_text(tmp_path: Path) -> None:
    names = {**NAMES, "test": ["dog/\udcff.png"]}
    place = {"root": {"written": "d", "absolute": "/there/d", "from_run": "../d"}}
    made = replace(record(names), places=place, census={"counts": {}})
    write_data_record(tmp_path, made)
    assert read_data_record(tmp_path) == made
    assert (tmp_path / "data.json").read_text(encoding="ascii").count("\n") < 60


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the four samples were very many."""
    monkeypatch.setattr(data_record, "MOST_NAMED", 3)


@pytest.mark.usefixtures("many")
def test_the_lists_of_very_many_samples_stand_in_a_packed_file_beside_it(tmp_path: Path) -> None:
    write_data_record(tmp_path, record())
    assert "cat/1.png" not in (tmp_path / "data.json").read_text()
    packed = (tmp_path / "samples.json.gz").read_bytes()
    assert json.loads(gzip.decompress(packed))["val"] == {
        "names": ["cat/2.png"], "sizes": [19], "truths": [0], "digests": ["cat/2.png!"],
    }  # fmt: skip
    assert read_data_record(tmp_path) == record()
    write_data_record(tmp_path, record())
    assert (tmp_path / "samples.json.gz").read_bytes() == packed


@pytest.mark.usefixtures("many")
def test_of_very_many_samples_without_names_hashes_are_kept_alone(tmp_path: Path) -> None:
    splits = {split: SplitRecord.of(len(labels), None, None, labels, whole="x") for split, labels in LABELS.items()}
    write_data_record(tmp_path, made := DataRecord.of(splits, ("cat", "dog")))
    assert not (tmp_path / "samples.json.gz").exists()
    found = read_data_record(tmp_path)
    assert found is not None and found.splits["train"].truths is None
    assert found.digest() == made.digest() and found.splits["train"].equals(made.splits["train"])


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("broken", ["gone", "other", "cut", "text", "link"])
def test_lists_that_are_not_those_of_the_record_are_damage(broken: str, tmp_path: Path) -> None:
    write_data_record(tmp_path, record())
    path = tmp_path / "samples.json.gz"
    packed = path.read_bytes()
    path.unlink()
    if broken == "link":
        (tmp_path / "elsewhere").write_bytes(packed)
        path.symlink_to(tmp_path / "elsewhere")
    elif broken != "gone":
        contents = {"other": gzip.compress(b"{}"), "cut": packed[:-20], "text": b"{}"}
        path.write_bytes(contents[broken])
    with pytest.raises(InputError, match=r"data\.json: damaged.*samples\.json\.gz.*put it aside"):
        read_data_record(tmp_path)


@pytest.mark.usefixtures("many")
def test_lists_that_unpack_to_too_much_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_data_record(tmp_path, record())
    monkeypatch.setattr(sample_lists, "MOST_UNPACKED", 100)
    with pytest.raises(InputError, match=r"samples\.json\.gz: not the lists"):
        read_data_record(tmp_path)
    write_data_record(tmp_path, record())
    found = read_data_record(tmp_path)
    assert found is not None and not found.named, "too large to be kept"


def test_a_run_of_an_earlier_version_has_none(tmp_path: Path) -> None:
    assert read_data_record(tmp_path) is None
    assert recorded_digest({"data": {"fingerprint": 3}}) is None and recorded_digest({}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"splits": {}},
        {"splits": None},
        {"fingerprint": None},
        {"places": {"root": {"written": "d"}}},
        {"classes": 3},
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(change: dict[str, Any], tmp_path: Path) -> None:
    write_data_record(tmp_path, record())
    path = tmp_path / "data.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=r"data\.json: damaged, or of another version .* put it aside"):
        read_data_record(tmp_path)


@pytest.mark.parametrize("column", ["names", "sizes", "truths", "digests"])
def test_a_list_that_is_too_short_or_of_something_else_is_damage(column: str, tmp_path: Path) -> None:
    write_data_record(tmp_path, record())
    path = tmp_path / "data.json"
    for wrong in ([], [[], []]):
        content = json.loads(path.read_text())
        content["splits"]["train"][column] = wrong
        path.write_text(json.dumps(content))
        with pytest.raises(InputError, match=rf"damaged.*{column} of a split"):
            read_data_record(tmp_path)


def test_contents_that_one_did_not_look_at_count_as_equal() -> None:
    one = SplitRecord.of(1, ["a"], [3], [0], ["x"])
    assert not one.equals(SplitRecord.of(1, ["a"], [3], [0], ["y"]))
    assert one.equals(SplitRecord.of(1, ["a"], [3], [0]))
    assert [one.depth, SplitRecord.of(1, ["a"], [3]).depth, SplitRecord.of(1, ["a"]).depth] == [
        *("contents", "sizes", "names")
    ]

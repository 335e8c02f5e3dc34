from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnexp.data.base import SPLITS
from cnnexp.data.wfdb_records import WFDBRecords
from cnnexp.errors import InputError
from tests.data.made_records import write_ramp
from tests.data.tiny import all_of

BEATS = [(50 + 90 * number, "V" if number % 5 == 2 else "N") for number in range(10)]


def records(**changes: Any) -> WFDBRecords:
    arguments: dict[str, Any] = dict(
        root=None,
        records=["100"],
        symbols=["NLRej", "AaJS"],
        classes=["normal", "supraventricular"],
        channels=2,
        length=256,
        before_s=0.25,
        sequence=False,
        every=256,
        mirror=None,
    )
    return WFDBRecords(**(arguments | changes))


def own(root: Path, **changes: Any) -> WFDBRecords:
    """A record of 1,000 samples at 100 Hz whose first lead counts them; beats at 50, 140, …, 860; 230 and 680 are V."""
    if not (root / "made.hea").exists():
        write_ramp(root, "made", [(3, "+"), *BEATS])
    arguments = dict(root=str(root), records=["made"], symbols=["N", "V"], classes=["usual", "rare"], length=40)
    return records(**{**arguments, "before_s": 0.1, **changes})


def together(data: WFDBRecords) -> dict[str, np.ndarray]:
    """All splits in the order of the recording, and the names."""
    parts = [(data.load(split), all_of(data.load(split))) for split in SPLITS]
    names = [name for split, _ in parts for name in split.names or ()]
    order = sorted(range(len(names)), key=lambda i: (names[i].split("/")[0], int(names[i].split("/")[1])))
    both = {key: np.concatenate([batch[key].numpy() for _, batch in parts])[order] for key in ("signal", "label")}
    return {**both, "name": np.array(names)[order]}


def test_a_beat_is_cut_around_its_annotation(tmp_path: Path) -> None:
    found = together(own(tmp_path))
    assert found["name"].tolist() == [f"made/{sample}" for sample, _ in BEATS]
    assert found["label"].tolist() == [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]
    assert found["signal"].shape == (10, 2, 40)
    assert found["signal"][2, 0].tolist() == list(range(220, 260))
    assert found["signal"][2, 1].tolist() == [-sample for sample in range(220, 260)]


def test_fewer_leads_and_a_class_less(tmp_path: Path) -> None:
    found = together(own(tmp_path, channels=1, symbols=["V"], classes=["rare"]))
    assert found["name"].tolist() == ["made/230", "made/680"]
    assert found["signal"].shape == (2, 1, 40)


def test_stretches_have_a_class_for_each_so_many_samples(tmp_path: Path) -> None:
    found = together(own(tmp_path, length=100, sequence=True, every=50))
    assert found["name"].tolist() == [f"made/{100 * number}" for number in range(10)]
    assert found["signal"][3, 0].tolist() == list(range(300, 400))
    # 230 lies in the window from 200, the one from 250 has no beat, and the next beat is at 320.
    assert found["label"][:4].tolist() == [[0, 0], [0, 0], [1, 1], [0, 0]]
    assert found["label"].shape == (10, 2)


def test_several_records(tmp_path: Path) -> None:
    write_ramp(tmp_path, "other", [(60, "N"), (150, "V")], length=200)
    found = together(own(tmp_path, records=["made", "other"]))
    assert found["name"].tolist()[-2:] == ["other/60", "other/150"]
    write_ramp(tmp_path, "fast", [(60, "N")], length=200, rate_hz=200)
    with pytest.raises(InputError, match=r"different rates \(made 100 Hz, fast 200 Hz\)"):
        own(tmp_path, records=["made", "fast"]).prepare()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"records": []}, "name at least one record"),
        ({"symbols": ["N", "+x"]}, r"\+ x stand for no beats"),
        ({"symbols": ["N", "NV"]}, "one class only"),
        ({"symbols": ["N"]}, "1 groups for 2 data.classes"),
        ({"sequence": True, "every": 30}, "data.every=30: must divide data.length=40"),
        ({"sequence": True, "every": 0}, "data.every=0: must divide"),
        ({"channels": 3}, "data.channels=3: record made has 2 leads"),
        ({"symbols": ["A", "J"]}, "record made has none of these beats; it has NV"),
        ({"records": ["absent"]}, r"absent\.hea: no such file"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        own(tmp_path, **changes).prepare()


def test_a_record_of_your_own_needs_its_folder() -> None:
    with pytest.raises(InputError, match=r"made is none of MIT-BIH, which are 100 to 234; name data\.root"):
        records(records=["made"]).prepare()


def test_record_100(mirrored: Path) -> None:
    """2,239 normal and 33 atrial premature beats and one ventricular; the first and the last are cut off."""
    data = records(symbols=["N", "A", "V"], classes=["N", "A", "V"])
    data.prepare()
    splits = {split: data.load(split) for split in SPLITS}
    counts = {split: Counter(all_of(part)["label"].tolist()) for split, part in splits.items()}
    assert {split: len(part) for split, part in splits.items()} == {"train": 1817, "val": 227, "test": 227}
    assert sum(counts.values(), Counter()) == {0: 2237, 1: 33, 2: 1}
    assert all(counts[split][1] == {"train": 27, "val": 3, "test": 3}[split] for split in SPLITS)
    names = [name for part in splits.values() for name in part.names or ()]
    assert len(set(names)) == 2271


def test_the_peak_of_a_normal_beat_is_where_it_is_annotated(mirrored: Path) -> None:
    """The R wave of lead II: a quarter of a second after the window's begin, give or take 20 ms."""
    batch = all_of(records().load("val"))
    peaks = batch["signal"][batch["label"] == 0, 0].argmax(dim=1)
    assert ((peaks - 90).abs() <= 7).float().mean() > 0.99


def test_stretches_of_record_100(mirrored: Path) -> None:
    data = records(length=3072, sequence=True)
    counts = {split: all_of(data.load(split)) for split in SPLITS}
    assert sum(len(batch["label"]) for batch in counts.values()) == 650_000 // 3072
    for batch in counts.values():
        assert batch["signal"].shape[1:] == (2, 3072) and batch["label"].shape[1:] == (12,)
        assert batch["label"].unique().tolist() == [0, 1]

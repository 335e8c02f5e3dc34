from __future__ import annotations

from pathlib import Path

from cnnexp.data.base import SPLITS
from cnnexp.data.sst2 import SST2, parse
from cnnexp.inputs.words import texts_of
from tests.data.tiny import all_of


def test_facts(mirrored: Path) -> None:
    data = SST2(encoding="utf-8", mirror=None)
    data.prepare()
    batches = {split: all_of(data.load(split)) for split in SPLITS}
    counts = {split: batch["label"].bincount().tolist() for split, batch in batches.items()}
    assert counts == {"train": [3310, 3610], "val": [428, 444], "test": [912, 909]}, "Socher et al. 2013"
    first = texts_of(data.load("train").batch([1])["text"])
    assert first == ["apparently reassembled from the cutting room floor of any given daytime soap"]
    assert data.load("train").names is not None and len({*(data.load("val").names or ())}) == 872


def test_a_line_is_taken_apart() -> None:
    assert parse("a charming film\t1") == ("a charming film", 1)

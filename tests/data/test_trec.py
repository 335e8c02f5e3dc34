from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnexp.data.base import SPLITS
from cnnexp.data.trec import TREC, parse
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of
from tests.data.tiny import all_of, read_conf


def test_facts(mirrored: Path) -> None:
    data = TREC(encoding="latin-1", mirror=None)
    data.prepare()
    batches = {split: all_of(data.load(split)) for split in SPLITS}
    assert {split: len(batch["label"]) for split, batch in batches.items()} == {"train": 4907, "val": 545, "test": 500}
    counts = torch.stack([batches[split]["label"].bincount() for split in ("train", "val")]).sum(0)
    assert counts.tolist() == [86, 1162, 1250, 1223, 835, 896], "Li and Roth 2002, as published"
    assert batches["test"]["label"].bincount().tolist() == [9, 138, 94, 65, 81, 113]
    assert batches["val"]["label"].bincount().tolist() == [9, 116, 125, 122, 83, 90], "a tenth of each"
    names = [name for split in SPLITS for name in data.load(split).names or ()]
    assert len(set(names)) == 5952


def test_texts_are_those_of_the_file(mirrored: Path) -> None:
    data = TREC(encoding="latin-1", mirror=None)
    where = {name: (split, place) for split in SPLITS for place, name in enumerate(data.load(split).names or ())}
    split, place = where["train/1"]
    batch = data.load(split).batch([place])
    assert texts_of(batch["text"]) == ["How did serfdom develop in and then leave Russia ?"]
    assert read_conf("trec")["data"]["classes"][int(batch["label"])] == "description"
    test = data.load("test").batch([0])
    assert texts_of(test["text"]) == ["How far is it from Denver to Aspen ?"]
    assert read_conf("trec")["data"]["classes"][int(test["label"])] == "number"


def test_another_encoding_is_refused_with_the_line(mirrored: Path) -> None:
    with pytest.raises(InputError, match=r"train_5500\.label:\d+: not utf-8 \(byte 0xf0\); data\.encoding=latin-1"):
        TREC(encoding="utf-8", mirror=None).load("train")


def test_a_line_is_taken_apart() -> None:
    assert parse("HUM:ind Who wrote Hamlet ?") == ("Who wrote Hamlet ?", 3)
    with pytest.raises(ValueError, match="tuple"):
        parse("WHAT:ever Who ?")

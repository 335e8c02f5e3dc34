from __future__ import annotations

from pathlib import Path

import torch

from cnnexp.data.base import SPLITS
from cnnexp.data.ecg200 import ECG200
from tests.data.tiny import all_of


def test_facts(mirrored: Path) -> None:
    data = ECG200(mirror=None)
    data.prepare()
    splits = {split: data.load(split) for split in SPLITS}
    assert {split: len(part) for split, part in splits.items()} == {"train": 80, "val": 20, "test": 100}
    batches = {split: all_of(part) for split, part in splits.items()}
    for batch in batches.values():
        assert batch["signal"].shape[1:] == (1, 96) and batch["signal"].dtype == torch.float32
        assert batch["signal"].mean(dim=2).abs().max() < 1e-6
        assert (batch["signal"].std(dim=2) - 1).abs().max() < 1e-5
    counts = {split: batch["label"].bincount().tolist() for split, batch in batches.items()}
    assert counts == {"train": [25, 55], "val": [6, 14], "test": [36, 64]}
    names = [name for part in splits.values() for name in part.names or ()]
    assert len(set(names)) == 200


def test_values_are_those_of_the_file(mirrored: Path) -> None:
    """The first line of the training file: label -1, then 0.50205548, 0.54216265, …"""
    train = ECG200(mirror=None).load("train")
    batch = train.batch([list(train.names or ()).index("train/0")])
    assert batch["label"].tolist() == [0]
    torch.testing.assert_close(batch["signal"][0, 0, :3], torch.tensor([0.50205548, 0.54216265, 0.72238348]))


def test_the_classes_differ(mirrored: Path) -> None:
    """The mean beats of the two classes are far apart beside the spread of the mean."""
    batch = all_of(ECG200(mirror=None).load("train"))
    abnormal, normal = (batch["signal"][batch["label"] == label, 0] for label in (0, 1))
    spread = (abnormal.var(dim=0) / len(abnormal) + normal.var(dim=0) / len(normal)).sqrt()
    assert ((abnormal.mean(dim=0) - normal.mean(dim=0)).abs() / spread).max() > 5

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnexp.data.base import SPLITS
from cnnexp.data.ecg5000 import ECG5000, FILES
from cnnexp.errors import InputError
from tests.data.tiny import all_of


def test_facts(mirrored: Path) -> None:
    data = ECG5000(published_test=False, mirror=None)
    data.prepare()
    splits = {split: data.load(split) for split in SPLITS}
    assert {split: len(part) for split, part in splits.items()} == {"train": 400, "val": 50, "test": 50}
    batches = {split: all_of(part) for split, part in splits.items()}
    for batch in batches.values():
        assert batch["signal"].shape[1:] == (1, 140)
        assert batch["signal"].mean(dim=2).abs().max() < 1e-5
        assert (batch["signal"].std(dim=2) - 1).abs().max() < 1e-5
    counts = {split: batch["label"].bincount(minlength=5).tolist() for split, batch in batches.items()}
    assert counts == {"train": [234, 141, 8, 15, 2], "val": [29, 18, 1, 2, 0], "test": [29, 18, 1, 2, 0]}
    names = [name for part in splits.values() for name in part.names or ()]
    assert len(set(names)) == 500


def test_the_published_test_set(cache: Path, mirror: Path, tmp_path: Path) -> None:
    """Made up, as the mirror has the training part alone: 4,500 signals whose values are their row."""
    labels = np.repeat([1, 2, 3, 4, 5], FILES.counts["TEST"])
    lines = [f"{label} " + " ".join([str(row)] * 140) for row, label in enumerate(labels)]
    folder = tmp_path / "ecg" / "ucr-ecg5000-train"
    folder.mkdir(parents=True)
    (folder / "ECG5000_TEST.txt").write_text("\n".join(lines))
    data = ECG5000(published_test=True, mirror=f"{mirror},{tmp_path}")
    data.prepare()
    test = data.load("test")
    assert len(test) == 4500 and (test.names or ())[7] == "test/7"
    assert test.batch([7, 4499])["signal"][:, 0, 0].tolist() == [7, 4499]
    assert test.batch([7, 4499])["label"].tolist() == [0, 4]
    assert [len(data.load(split)) for split in ("train", "val")] == [450, 50]


def test_where_it_is_not_to_be_had_the_line_says_so(cache: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnexp.data.download.PAUSES_S", ())
    monkeypatch.setattr("cnnexp.data.fetch.addresses", lambda download, _: [str(mirror / download.names[0])])
    with pytest.raises(InputError, match=r"ECG5000_TEST\.txt could not be had"):
        ECG5000(published_test=True, mirror=None).load("test")

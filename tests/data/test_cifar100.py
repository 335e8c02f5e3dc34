from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnexp.errors import InputError
from tests.data.test_archives import tar_of
from tests.data.tiny import all_of, load_all, make_data_set


def records(count: int) -> np.ndarray:
    """Superclass, class, and a picture whose red, green and blue planes are class, 100 and 200."""
    fine = np.arange(count) % 100
    made = np.empty((count, 3074), np.uint8)
    made[:, 0], made[:, 1] = fine // 5, fine
    made[:, 2:] = np.repeat([0, 100, 200], 1024)
    made[:, 2:1026] = fine[:, None]
    return made


def pack(folder: Path, train: np.ndarray, test: np.ndarray) -> str:
    """A mirror with the archive as the publisher lays it out."""
    (folder / "cifar-100").mkdir(parents=True)
    files = {"cifar-100-binary/train.bin": train.tobytes(), "cifar-100-binary/test.bin": test.tobytes()}
    tar_of(folder / "cifar-100" / "cifar-100-binary.tar.gz", **files)
    return str(folder)


def test_the_fine_label_is_the_class(cache: Path, tmp_path: Path) -> None:
    mirror = pack(tmp_path / "m", records(50_000), records(10_000))
    splits = load_all(make_data_set("cifar100", mirror=mirror))
    assert {split: len(part) for split, part in splits.items()} == {"train": 45000, "val": 5000, "test": 10000}
    for split in splits.values():
        batch = all_of(split)
        assert batch["label"].bincount().tolist() == [len(split) // 100] * 100
        assert (batch["image"][:, 0, 0, 0] == batch["label"]).all()
        assert batch["image"][:, 1:, 5, 5].unique(dim=0).tolist() == [[100, 200]]


@pytest.mark.parametrize(
    ("test", "reason"), [(records(9_999), "bytes instead of"), (records(10_000)[::-1] * 0, "equal")]
)
def test_what_cannot_be_the_set_is_refused(cache: Path, tmp_path: Path, test: np.ndarray, reason: str) -> None:
    mirror = pack(tmp_path / "m", records(10)[:0], test)
    with pytest.raises(InputError, match=reason):
        make_data_set("cifar100", mirror=mirror).load("test")

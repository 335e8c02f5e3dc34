from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.data.base import Split
from cnnexp.data.cifar10 import DOWNLOAD
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


@pytest.fixture(scope="module")
def splits(mirrored: Path) -> dict[str, Split]:
    return load_all(make_data_set("cifar10"))


def test_facts(splits: dict[str, Split]) -> None:
    assert {split: len(part) for split, part in splits.items()} == {"train": 45000, "val": 5000, "test": 10000}
    for split in splits.values():
        batch = all_of(split)
        assert batch["image"].shape[1:] == (3, 32, 32)
        assert [int(batch["image"].min()), int(batch["image"].max())] == [0, 255]
        assert batch["label"].bincount().tolist() == [len(split) // 10] * 10
    assert not set(splits["train"].names or ()) & set(splits["val"].names or ())


def test_mean_and_std_are_those_of_the_training_pictures(splits: dict[str, Split]) -> None:
    mean, std = measured(all_of(splits["train"])["image"])
    stated = read_conf("cifar10")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-5)
    assert std == pytest.approx(stated["std"], abs=6e-5)


def test_planes_are_red_green_blue(splits: dict[str, Split]) -> None:
    """The first test picture is a cat, brown in its upper left corner: red 158, green 112, blue 49."""
    first = splits["test"].batch([0])
    assert first["label"].tolist() == [3]
    assert first["image"][0, :, 0, 0].tolist() == [158, 112, 49]


def test_a_flipped_bit_in_the_cache_is_mended(mirrored: Path) -> None:
    path = next(DOWNLOAD.place.rglob("test_batch.bin"))
    content = bytearray(path.read_bytes())
    content[5000] ^= 1  # of the same size, so only the md5 can tell
    path.write_bytes(content)
    assert len(make_data_set("cifar10").load("test")) == 10000
    content[5000] ^= 1
    assert path.read_bytes() == content

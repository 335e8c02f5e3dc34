from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from cnnexp.data.fetch import md5_of
from cnnexp.data.idx import IdxSet
from cnnexp.errors import InputError

PICTURES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


@pytest.fixture
def small(cache: Path, tmp_path: Path) -> tuple[IdxSet, Path]:
    """A test set of black pictures, in a mirror."""
    contents = {
        PICTURES: b"\0\0\x08\x03" + np.array([10000, 28, 28], ">i4").tobytes() + bytes(10000 * 784),
        LABELS: b"\0\0\x08\x01" + np.array([10000], ">i4").tobytes() + bytes(i % 10 for i in range(10000)),
    }
    folder = tmp_path / "mirror" / "tiny"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(gzip.compress(content, 1))
    return IdxSet("tiny", "http://127.0.0.1:9", {name: md5_of(content) for name, content in contents.items()}), folder


def test_it_is_read_past_its_header(small: tuple[IdxSet, Path]) -> None:
    files, folder = small
    files.ensure(str(folder.parent))
    split = files.load("test", (28, 28), 1, str(folder.parent))
    batch = split.batch([0, 11, 9999])
    assert batch["label"].tolist() == [0, 1, 9]
    assert batch["image"].max() == 0


@pytest.mark.parametrize("damage", ["cut", "other content"])
def test_a_damaged_file_is_named(small: tuple[IdxSet, Path], damage: str) -> None:
    files, folder = small
    content = (folder / LABELS).read_bytes()
    (folder / LABELS).write_bytes(content[:60] if damage == "cut" else gzip.compress(b"others"))
    with pytest.raises(InputError, match=rf"{LABELS} could not be had.*data=mnist5k"):
        files.load("test", (28, 28), 1, str(folder.parent))

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cnnexp.data.ucr import UCRSet, read_ucr
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile

TEXT = "-1,0.5,1.25,-2\n 1   1e-1  2.0e+00 -3.5 \n\n-1\t0\t0\t1\n"
VALUES = [[0.5, 1.25, -2], [0.1, 2, -3.5], [0, 0, 1]]
TINY = UCRSet("Tiny", "ucr-tiny", length=3, labels=(-1, 1), counts={"TRAIN": (2, 1), "TEST": (1, 1)})


def zipped(path: Path, name: str, text: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("Tiny/README.md", "about")
        packed.writestr(name, text)
    return path


@pytest.mark.parametrize("packing", ["plain", "gzip", "zip"])
def test_commas_or_white_space_plain_or_packed(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "Tiny_TRAIN.txt"
    if packing == "zip":
        zipped(path, "Tiny/Tiny_TRAIN.txt", TEXT)
    else:
        path.write_bytes(TEXT.encode() if packing == "plain" else gzip.compress(TEXT.encode()))
    values, labels = read_ucr(path, "Tiny_TRAIN.txt")
    assert values.dtype == np.float32 and labels.dtype == np.int64
    np.testing.assert_allclose(values, VALUES, rtol=1e-6)
    assert labels.tolist() == [-1, 1, -1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1\n2\n",
        b"1 2 3\n1 2\n",
        b"1 2 x\n",
        b"1 2 NaN\n",
        b"1 2 inf\n",
        b"1.5 2 3\n",
        b"\x1f\x8b cut",
        b"PK\x03\x04 cut",
        b"\xff\xfe1 2\n",
    ],
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Tiny_TRAIN.txt"
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match=r"Tiny_TRAIN\.txt: "):
        read_ucr(path, "Tiny_TRAIN.txt")


def test_a_zip_without_the_text_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "Tiny.zip", "Tiny/Tiny_TEST.txt", TEXT)
    with pytest.raises(CorruptFile, match=r"holds no Tiny_TRAIN\.txt"):
        read_ucr(path, "Tiny_TRAIN.txt")


@pytest.mark.parametrize("name", ["Tiny_TRAIN.txt", "Tiny_TRAIN.txt.gz", "Tiny.zip"])
def test_a_mirror_may_hold_the_text_packed_or_not(cache: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mirror" / "ucr-tiny"
    folder.mkdir(parents=True)
    if name.endswith("zip"):
        zipped(folder / name, "Tiny_TRAIN.txt", TEXT)
    else:
        (folder / name).write_bytes(gzip.compress(TEXT.encode()) if name.endswith("gz") else TEXT.encode())
    TINY.ensure("TRAIN", str(tmp_path / "mirror"))
    values, labels = TINY.read("TRAIN", str(tmp_path / "mirror"))
    np.testing.assert_allclose(values, VALUES, rtol=1e-6)
    assert labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize("text", ["-1 1 2 3\n-1 1 2 3\n", "-1 1 2\n-1 1 2\n1 1 2\n", TEXT.replace(" 1 ", " 2 ")])
def test_other_numbers_of_signals_values_or_classes_are_refused(cache: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "Tiny_TRAIN.txt").write_text(text)
    lost = UCRSet("Tiny", "ucr-tiny", 3, (-1, 1), TINY.counts)
    with pytest.raises(InputError, match=r"Tiny_TRAIN\.txt could not be had: .*corrupt"):
        lost.read("TRAIN", str(tmp_path))

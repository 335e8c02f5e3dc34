from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from cnnexp.data.published_texts import TextFile, text_split
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of

CONTENT = "1 café\n\n0 thé noir\n".encode("latin-1")


def parse(line: str) -> tuple[str, int]:
    label, _, text = line.partition(" ")
    return text, int(label)


def file(content: bytes = CONTENT) -> TextFile:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return TextFile(("drinks.txt", "other.txt"), "text/drinks", "file:///nowhere/drinks.txt", md5, parse)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNEXP_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CNNEXP_DATA_MIRROR", str(tmp_path / "mirror"))
    (tmp_path / "mirror/text/drinks").mkdir(parents=True)


def test_a_file_is_read_from_a_mirror_under_either_name(tmp_path: Path) -> None:
    (tmp_path / "mirror/text/drinks/other.txt").write_bytes(CONTENT)
    file().ensure(None, "latin-1")
    texts, labels = file().read(None, "latin-1")
    assert (texts, labels.tolist()) == (["café", "thé noir"], [1, 0]), "an empty line is no sample"
    split = text_split((texts, labels), np.array([1]), "train")
    assert split.names == ["train/2"]
    assert texts_of(split.batch([0])["text"]) == ["thé noir"]


def test_another_content_is_corrupt_and_another_encoding_refused(tmp_path: Path) -> None:
    place = tmp_path / "mirror/text/drinks/drinks.txt"
    place.write_bytes(CONTENT + b"1 mate\n")
    with pytest.raises(InputError, match=r"drinks\.txt could not be had.*not as published"):
        file().read(None, "latin-1")
    place.write_bytes(CONTENT)
    with pytest.raises(InputError, match=r"drinks\.txt:1: not utf-8 \(byte 0xe9\); data\.encoding=latin-1"):
        file().read(None, "utf-8")
    with pytest.raises(InputError, match=r"data\.encoding=klingon: no such encoding"):
        file().read(None, "klingon")

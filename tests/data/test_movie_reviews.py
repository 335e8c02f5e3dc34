from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from cnnexp.data import movie_reviews
from cnnexp.data.base import SPLITS
from cnnexp.data.fetch import md5_of
from cnnexp.data.movie_reviews import MovieReviews
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of
from tests.data.tiny import all_of, read_conf


def test_facts(mirrored: Path) -> None:
    data = MovieReviews(encoding="utf-8", mirror=None)
    data.prepare()
    splits = {split: data.load(split) for split in SPLITS}
    assert {name: len(split) for name, split in splits.items()} == {"train": 1600, "val": 200, "test": 200}
    for name, (first, last) in {"train": (0, 799), "val": (800, 899), "test": (900, 999)}.items():
        names, labels = splits[name].names or (), all_of(splits[name])["label"].tolist()
        assert sorted(set(names)) == [
            f"{of}/cv{number:03}" for of in ("neg", "pos") for number in range(first, last + 1)
        ]
        assert labels == [int(one.startswith("pos")) for one in names]
    assert read_conf("movie_reviews")["data"]["classes"] == ["negative", "positive"]


def test_texts_are_those_of_the_file(mirrored: Path) -> None:
    data = MovieReviews(encoding="utf-8", mirror=None)
    (first,) = texts_of(data.load("train").batch([0])["text"])
    assert first.startswith("plot : two teen couples go to a church party , drink and then drive . \n")
    test = data.load("test")
    assert (test.names or ())[100] == "pos/cv900" and len(texts_of(test.batch([100])["text"])[0]) > 1000


def packed(folder: Path, monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]) -> MovieReviews:
    """A mirror whose archive is taken for the publisher's."""
    path = folder / "movie_reviews.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    monkeypatch.setattr(movie_reviews, "_MD5", md5_of(path.read_bytes()))
    return MovieReviews(encoding="utf-8", mirror=str(folder))


def test_only_reviews_are_read_and_nothing_is_unpacked(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("neg/cv799_1.txt", "pos/cv800_2.txt", "README", "../../cv001_3.txt", "pos/cv900_4.txt.exe")
    made = packed(tmp_path, monkeypatch, {f"movie_reviews/{name}": name for name in names})
    assert (made.load("train").names, made.load("val").names, len(made.load("test"))) == (
        ["neg/cv799"],
        ["pos/cv800"],
        0,
    )
    assert [path.name for path in cache.rglob("*") if path.suffix != ".lock" and path.is_file()] == [
        "movie_reviews.zip"
    ]


def test_a_review_that_claims_too_much_is_refused(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = packed(tmp_path, monkeypatch, {"movie_reviews/neg/cv000_1.txt": "a" * 100_001})
    monkeypatch.setattr(movie_reviews, "_FILE", unreachable())
    with pytest.raises(InputError, match="claims more than 100000 bytes; refused"):
        made.load("train")


def test_another_content_is_refused(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "movie_reviews.zip").write_bytes(b"PK")
    monkeypatch.setattr(movie_reviews, "_FILE", unreachable())
    with pytest.raises(InputError, match="not as published, its md5 is not 155de2b7"):
        MovieReviews(encoding="utf-8", mirror=str(tmp_path)).load("train")


def unreachable() -> movie_reviews.Download:
    return movie_reviews.Download("text", ("movie_reviews.zip",), "http://127.0.0.1:9/none", False, "nothing")

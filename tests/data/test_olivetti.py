"""The Database of Faces from an archive as its publisher packs it; of an archive that is none of it a line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.data.olivetti import HEIGHT_PX, PEOPLE, TAKES, WIDTH_PX
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set


def write_archive(
    path: Path, *, inside: str = "", people: int = PEOPLE, size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX)
) -> None:
    """Pictures of one grey each, 4 · person + take."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{inside}README", "The pictures are of people.")
        for person in range(1, people + 1):
            for take in range(1, TAKES + 1):
                content = io.BytesIO()
                Image.new("L", size, 4 * person + take).save(content, "PPM")
                archive.writestr(f"{inside}s{person}/{take}.pgm", content.getvalue())


@pytest.fixture
def mirror(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNEXP_DATA_MIRROR", str(tmp_path))
    return tmp_path / "olivetti" / "att_faces.zip"


@pytest.mark.parametrize("inside", ["", "att_faces/orl_faces/"])
def test_people_are_in_one_split_each(mirror: Path, inside: str) -> None:
    write_archive(mirror, inside=inside)
    data = make_data_set("olivetti")
    data.prepare()
    splits = load_all(data)
    assert {name: len(split) for name, split in splits.items()} == {"train": 240, "val": 80, "test": 80}
    people = {name: set(all_of(split)["label"].tolist()) for name, split in splits.items()}
    assert people == {"train": set(range(24)), "val": set(range(24, 32)), "test": set(range(32, 40))}
    test = all_of(splits["test"])
    assert test["image"].shape == (80, 1, 56, 46)
    names = list(splits["test"].names or ())
    assert (
        names[13] == "s34/4.pgm" and int(test["label"][13]) == 33 and set(test["image"][13].unique().tolist()) == {140}
    )
    assert list(data.columns("test")["person"][:11]) == ["s33"] * 10 + ["s34"]
    census = data.census()
    assert census is not None and "all 400 published pictures of olivetti" in census.remarks[0]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"people": 39}, "s40/1.pgm is missing, of 40 people with ten pictures each"),
        ({"people": 0}, "holds no folder s1"),
        ({"size": (64, 64)}, r"s1/1.pgm: L of \(64, 64\) pixels, not grey of 92×112"),
    ],
)
def test_another_archive_is_refused(mirror: Path, changes: dict, part: str) -> None:
    write_archive(mirror, **changes)
    with pytest.raises(InputError, match=part) as refused:
        make_data_set("olivetti").prepare()
    assert "run without a network: data=digit_identities task=metric" in str(refused.value)


def test_a_file_that_is_no_picture_is_refused(mirror: Path) -> None:
    write_archive(mirror)
    kept = {}
    with zipfile.ZipFile(mirror) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept["s7/3.pgm"] = b"\x80\x04" + np.arange(50, dtype=np.uint8).tobytes()  # as a pickle begins
    with zipfile.ZipFile(mirror, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match=r"s7/3.pgm: not a picture"):
        make_data_set("olivetti").prepare()

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.data.base import DataSet
from cnnexp.data.census import PICTURES
from cnnexp.data.reading import range_of
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, write_class_folders


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """No test of a folder touches the user's cache."""


def twelve_bits(root: Path, highest: int = 4000) -> Path:
    """Ten grey pictures of each class; of one value each, up to the highest of all."""
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in range(10):
            Image.fromarray(np.full((4, 4), highest * i // 9, np.uint16)).save(root / name / f"{name}{i}.png")
    return root


def made(root: Path, **changes: Any) -> DataSet:
    data_set = make_data_set("image_folder", root=str(root), image_size=[4, 4], channels=1, **changes)
    data_set.prepare()
    return data_set


def brightness(data_set: DataSet) -> dict[str, int]:
    """The value of each picture, by its name."""
    found = {}
    for split in load_all(data_set).values():
        pixels = all_of(split)["image"].flatten(1)[:, 0].tolist()
        found |= dict(zip(split.names or (), pixels, strict=True))
    return found


def test_the_set_has_one_range(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data_set = made(twelve_bits(tmp_path / "d"))
    assert data_set.told() == {"range": [0.0, 4000.0]}
    assert "0 is black and 4000 white (data.range=[0,4000])" in caplog.text
    found = brightness(data_set)
    assert [found[f"cat/cat{i}.png"] for i in (0, 1, 9)] == [0, 28, 255]  # 444 / 4000 * 255 = 28.3


def test_a_range_that_is_said_goes_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = brightness(made(twelve_bits(tmp_path / "d"), range=(0, 8000)))
    assert found["dog/dog9.png"] == 128 and not caplog.records


def test_pictures_of_8_bits_have_no_range(tmp_path: Path) -> None:
    data_set = made(write_class_folders(tmp_path / "d", 10))
    assert data_set.told() == {}


def test_negative_numbers_widen_the_range(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[-3.0, 5.0, np.nan, np.inf]]))
    assert range_of([tmp_path / "a.npy"], 1) == (-3.0, 5.0)


def test_nothing_but_zeros_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    with pytest.raises(InputError, match="nothing but 0"):
        range_of([tmp_path / "a.npy"], 1)


def left_out(data_set: DataSet) -> list[str]:
    """Names of the pictures that take no part."""
    census = data_set.census()
    assert census is not None
    return [name for reason in census.left_out(PICTURES) for name in reason.names]


def broken(root: Path) -> Path:
    write_class_folders(root, 12)
    for name in ("cat/cat003.png", "dog/dog000.png"):
        (root / name).write_bytes(b"no picture")
    return root


@pytest.mark.parametrize("in_memory", [True, False])
def test_files_that_cannot_be_read_are_skipped_and_named(
    tmp_path: Path, in_memory: bool, caplog: pytest.LogCaptureFixture
) -> None:
    data_set = made(broken(tmp_path / "d"), unreadable="skip", in_memory=in_memory)
    names = {name for split in load_all(data_set).values() for name in split.names or ()}
    assert len(names) == 22 and not names & {"cat/cat003.png", "dog/dog000.png"}
    assert "left out: " in caplog.text and "cat003.png" in caplog.text and "dog000.png" in caplog.text
    assert "2 of 24 pictures are left out (2 that cannot be decoded)" in caplog.text


def test_the_second_look_at_them_comes_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = broken(tmp_path / "d")
    made(root, unreadable="skip")
    monkeypatch.setattr("cnnexp.data.reading.read_picture", None)
    assert left_out(made(root, unreadable="skip")) == ["cat/cat003.png", "dog/dog000.png"]


def test_by_default_they_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png: not a readable picture"):
        load_all(made(broken(tmp_path / "d"), in_memory=True))


def test_a_mask_that_cannot_be_read_goes_with_its_picture(tmp_path: Path) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        for i in range(12):
            Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / part / f"{i:02}.png")
    (tmp_path / "masks" / "05.png").write_bytes(b"no mask")
    data_set = make_data_set("mask_folder", root=str(tmp_path), image_size=[4, 4], unreadable="skip")
    names = {name for split in load_all(data_set).values() for name in split.names or ()}
    assert len(names) == 11 and "05.png" not in names


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "d", 10)
    os.rename(root / "cat" / "cat001.png", os.fsencode(root / "cat") + b"/\xff.png")
    with pytest.raises(InputError, match=r"cat/\\xff\.png: the name is not UTF-8"):
        made(root)

"""Folders of films: classes and splits by folders; frames in folders; what is short, uneven, single or broken."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.builders.facts import build_input
from cnnexp.data.base import FileSplit, TensorSplit
from cnnexp.data.fingerprint import listed
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, read_conf
from tests.inputs.made_film import CORNERS, corner_of, film

av = pytest.importorskip("av")

CLASSES = ("back", "forth")


def write_films(root: Path, count: int = 5) -> Path:
    for name, step in zip(CLASSES, (-1, 1), strict=True):
        (root / name).mkdir(parents=True)
        for place in range(count):
            film(root / name / f"{place:02}.mp4", CORNERS[::step])
    return root


def folder(root: Path, **words: Any) -> Any:
    return make_data_set("video_folder", root=str(root), image_size=(32, 48), frames=4, **words)


def test_class_folders_are_divided(tmp_path: Path) -> None:
    data = folder(write_films(tmp_path))
    splits = load_all(data)
    assert {name: len(one) for name, one in splits.items()} == {"train": 6, "val": 2, "test": 2}
    assert data.class_names() == CLASSES and data.census().line() == ""
    train = all_of(splits["train"])
    assert train["clip"].shape == (6, 4, 3, 32, 48)
    for clip, label in zip(train["clip"], train["label"], strict=True):
        first, last = (corner_of(clip[place].permute(1, 2, 0).numpy())[0] for place in (0, -1))
        assert (last > first) == bool(label)


def test_split_folders_are_as_they_are_and_stay_on_disk_where_asked(tmp_path: Path) -> None:
    write_films(tmp_path / "train")
    write_films(tmp_path / "test", 2)
    held, read = load_all(folder(tmp_path)), load_all(folder(tmp_path, in_memory=False))
    assert {name: len(one) for name, one in held.items()} == {"train": 9, "val": 1, "test": 4}
    assert isinstance(held["train"], TensorSplit) and isinstance(read["train"], FileSplit)
    for name in held:
        one, other = all_of(held[name]), all_of(read[name])
        assert one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one)
        assert torch.equal(read[name].labels_for_strata(), one["label"])


def test_odd_files_are_counted_and_said(tmp_path: Path) -> None:
    root = write_films(tmp_path)
    film(root / "back" / "short.mp4", CORNERS[:2])
    film(root / "back" / "uneven.mkv", CORNERS, [Fraction(one * one, 10) for one in range(8)])
    Image.new("RGB", (8, 8)).save(root / "back" / "single.jpg")
    (root / "back" / "notes.txt").write_text("no film")
    for number in (2, 10):
        (root / "forth" / "frames").mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(root / "forth" / "frames" / f"{number}.png")
    data = folder(root)
    line = data.census().line()
    assert (
        "14 clips: 13 used, 1 left out (1 single pictures: the frames of a clip lie in a folder of their own)" in line
    )
    assert "2 clips of fewer than data.frames=4, of which some come several times" in line
    assert "1 clip whose rate varies, sampled by its clock" in line
    found = {
        name: clip
        for split in load_all(data).values()
        for name, clip in zip(split.names or (), all_of(split)["clip"], strict=True)
    }
    assert found["forth/frames"].float().mean((1, 2, 3)).tolist() == [2, 2, 10, 10]


def test_broken_films_are_refused_or_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = write_films(tmp_path)
    (root / "back" / "broken.mp4").write_bytes(b"no film at all, but some letters" * 40)
    with pytest.raises(
        InputError, match=r"broken.mp4: cannot be decoded .*; data.unreadable=skip leaves such files out"
    ):
        folder(root).prepare()
    with caplog.at_level(logging.WARNING):
        data = folder(root, unreadable="skip")
        assert sum(len(one) for one in load_all(data).values()) == 10
    assert "left out" in caplog.text and "1 that cannot be decoded" in data.census().line()


def test_folders_without_clips(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"add data\.root=FOLDER"):
        make_data_set("video_folder", root=None).prepare()
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match=r"no clips found; expected .*CLASS/CLIP.mp4 .* or CLASS/CLIP/FRAME.jpg"):
        folder(tmp_path).prepare()
    film(tmp_path / "a" / "one.mp4")
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="no clips to train this class with"):
        folder(tmp_path).prepare()


def test_a_record_notices_another_frame(tmp_path: Path) -> None:
    for name in CLASSES:
        for clip in range(4):
            place = tmp_path / name / f"clip{clip}"
            place.mkdir(parents=True)
            for number in range(3):
                Image.new("RGB", (8, 8), (number, clip, 0)).save(place / f"{number}.png")

    def digests() -> list[str] | None:
        return listed(folder(tmp_path).load("train"), CLASSES, "contents").digests

    before = digests()
    assert before is not None and digests() == before
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "back" / "clip0" / "1.png")
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "back" / "clip1" / "1.png")
    after = digests()
    assert after is not None and sum(one != other for one, other in zip(before, after, strict=True)) in (1, 2)


def test_frames_are_stored_as_large_as_a_crop_needs_them() -> None:
    given = build_input({"data": {**read_conf("video_folder")["data"]}})
    assert (given.shape, given.stored_size) == ((16, 3, 112, 112), (128, 128))  # type: ignore[attr-defined]

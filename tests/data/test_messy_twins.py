"""A folder made messy on purpose is the data of its clean twin, and its census names every file that is left out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from cnnexp.data.base import SPLITS, DataSet
from tests.data.tiny import make_data_set

SIZE = (12, 16)
NUMBERS = [f"{number:03d}" for number in range(20)]


def picture(number: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8))


def by_name(dataset: DataSet) -> dict[str, dict[str, Tensor]]:
    """Every sample by the number in its name; a mask or box without what fills up its row."""
    found = {}
    for split in SPLITS:
        loaded = dataset.load(split)
        for place, name in enumerate(loaded.names or ()):
            sample = {key: value[0] for key, value in loaded.batch([place]).items() if key != "index"}
            if "classes" in sample:
                real = sample["classes"] >= 0
                sample |= {"boxes": sample["boxes"][real], "classes": sample["classes"][real]}
            found[Path(name).stem] = sample
    return found


def assert_twins(option: str, clean: Path, messy: Path, **given: Any) -> DataSet:
    """Equal samples, whatever split each is in; returns the messy one."""
    pair = [
        make_data_set(option, root=str(root), image_size=list(SIZE), **given)
        for root, given in ((clean, {}), (messy, given))
    ]
    one, other = map(by_name, pair)
    assert one.keys() == other.keys() and len(one) == 2 * len(NUMBERS)
    for name, sample in one.items():
        assert sample.keys() == other[name].keys()
        for key, value in sample.items():
            assert torch.equal(value, other[name][key]), (name, key)
    return pair[1]


def left_out(dataset: DataSet) -> set[str]:
    census = dataset.census()
    assert census is not None
    counts = census.as_record()["counts"].values()
    return {name for kind in counts for reason in kind["left_out"] for name in reason["names"]}


@pytest.fixture
def twins(cache: Path, tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "clean", tmp_path / "messy"


def clutter(folder: Path, of: str) -> set[str]:
    """What systems and tools leave in a folder: the names of all of it."""
    for place in (".ipynb_checkpoints", "@eaDir", "__MACOSX"):
        (folder / place).mkdir()
        shutil.copy(folder / of, folder / place / of)
    (folder / f"._{of}").write_bytes(b"\0\5\x16\7")
    (folder / "Thumbs.db").write_bytes(b"x")
    return {f".ipynb_checkpoints/{of}", f"@eaDir/{of}", f"__MACOSX/{of}", f"._{of}"}


def test_classes(twins: tuple[Path, Path]) -> None:
    clean, messy = twins
    for number, kind in enumerate(("cat", "größe 5")):
        (clean / kind).mkdir(parents=True)
        for name in NUMBERS:
            picture(int(name) + 100 * number).save(clean / kind / f"{kind[0]}{name}.png")
    shutil.copytree(clean, messy)
    outside = {f"cat/{name}" for name in clutter(messy / "cat", "c000.png")}
    (messy / "cat" / "night" / "late").mkdir(parents=True)
    (messy / "cat" / "c003.png").rename(messy / "cat" / "night" / "late" / "c003.png")
    away = messy.parent / "away"
    away.mkdir()
    for name in ("c004.png", "c005.png"):
        (messy / "cat" / name).rename(away / name)
    os.symlink(away, messy / "cat" / "linked")
    os.symlink(messy / "cat", messy / "cat" / "night" / "round")
    for name in ("IMG_1.HEIC", "IMG_2.heic"):
        (messy / "cat" / name).write_bytes(b"\0\0\0\x18ftypheic")
    (messy / "cat" / "half.png").write_bytes((messy / "cat" / "c001.png").read_bytes()[:60])
    (messy / "notes.docx").write_bytes(b"x")
    turned = picture(6)
    exif = Image.Exif()
    exif[0x0112] = 3
    turned.transpose(Image.Transpose.ROTATE_180).save(messy / "cat" / "c006.png", exif=exif)
    made = assert_twins("image_folder", clean, messy, unreadable="skip")
    expected = outside | {"cat/IMG_1.HEIC", "cat/IMG_2.heic", "cat/half.png"}
    assert expected <= left_out(made)


def test_boxes(twins: tuple[Path, Path]) -> None:
    clean, messy = twins
    (clean / "JPEGImages").mkdir(parents=True)
    (clean / "Annotations").mkdir()
    for number in range(2 * len(NUMBERS)):
        picture(number).save(clean / "JPEGImages" / f"p{number:03d}.png")
        kind = ("cat", "dog")[number % 2]
        box = f"<xmin>{1 + number % 4}</xmin><ymin>2</ymin><xmax>{8 + number % 4}</xmax><ymax>9</ymax>"
        text = f"<annotation><object><name>{kind}</name><bndbox>{box}</bndbox></object></annotation>"
        (clean / "Annotations" / f"p{number:03d}.xml").write_text(text)
    shutil.copytree(clean, messy)
    pictures, notes = messy / "JPEGImages", messy / "Annotations"
    outside = {f"JPEGImages/{name}" for name in clutter(pictures, "p000.png")}
    swapped = (
        "<object><name>dog</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>3</xmax><ymax>2</ymax></bndbox></object>"
    )
    flat = "<object><name>cat</name><bndbox><xmin>4</xmin><ymin>3</ymin><xmax>3</xmax><ymax>9</ymax></bndbox></object>"
    for stem, more in (("p001", swapped), ("p002", flat)):
        text = (notes / f"{stem}.xml").read_text().replace("</annotation>", f"{more}</annotation>")
        (notes / f"{stem}.xml").write_bytes(b"\xef\xbb\xbf" + text.replace("><", ">\r\n<").encode())
    picture(500).save(pictures / "alone.png")
    (notes / "lonely.xml").write_text("<annotation></annotation>")
    (notes / "p004.xml").rename(notes / "p004.XML")
    made = assert_twins("voc", clean, messy)
    expected = outside | {"JPEGImages/alone.png", "Annotations/lonely.xml", "p001", "p002"}
    assert expected <= left_out(made)


def test_masks(twins: tuple[Path, Path]) -> None:
    clean, messy = twins
    for folder in ("images", "masks"):
        (clean / folder).mkdir(parents=True)
    for number in range(2 * len(NUMBERS)):
        picture(number).save(clean / "images" / f"m{number:03d}.png")
        values = np.zeros(SIZE, np.uint8)
        values[2:9, 3 + number % 4 : 11 + number % 4] = 1
        Image.fromarray(values).save(clean / "masks" / f"m{number:03d}.png")
    shutil.copytree(clean, messy)
    for path in (messy / "masks").iterdir():
        values = np.asarray(Image.open(path)) * np.uint8(255)
        path.unlink()
        Image.fromarray(np.repeat(values[..., None], 3, 2)).save(path.with_suffix(".jpg"), quality=95)
    outside = {f"images/{name}" for name in clutter(messy / "images", "m000.png")}
    picture(500).save(messy / "images" / "alone.png")
    Image.new("L", SIZE[::-1]).save(messy / "masks" / "lonely.png")
    made = assert_twins("mask_folder", clean, messy)
    assert outside | {"images/alone.png", "masks/lonely.png"} <= left_out(made)
    assert made.class_names() == ("background", "foreground")

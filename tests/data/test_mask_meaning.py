"""Masks drawn with known classes, saved in the ways that people save them: what is read must be what was drawn."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from cnnexp.config.grammar import parse
from cnnexp.data.mask_folder import MaskFolder
from cnnexp.errors import InputError
from tests.data.tiny import all_of, make_data_set

SIZE = (48, 64)
Saving = Callable[[Image.Image, Path], None]


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """No test of a folder touches the user's cache."""


def drawn(number: int, classes: int) -> np.ndarray:
    """Class numbers (H, W): a disc of each class but 0, the later ones over the earlier."""
    rng = np.random.default_rng(number)
    mask = Image.new("L", (SIZE[1], SIZE[0]), 0)
    for one in range(1, classes):
        x, y, r = int(rng.integers(2, 40)), int(rng.integers(2, 24)), int(rng.integers(12, 22))
        ImageDraw.Draw(mask).ellipse((x, y, x + r, y + r), fill=one)
    return np.asarray(mask)


def folder(root: Path, values: list[Any], save: Saving | None = None, suffix: str = "png", count: int = 20) -> Path:
    """Pictures, and masks in which class i has values[i]: a grey value or a colour."""
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for number in range(count):
        Image.new("RGB", (SIZE[1], SIZE[0])).save(root / "images" / f"{number:02}.png")
        mask = Image.fromarray(np.array(values, np.uint8)[drawn(number, len(values))])
        path = root / "masks" / f"{number:02}.{suffix}"
        mask.save(path) if save is None else save(mask, path)
    return root


def made(root: Path, **changes: Any) -> MaskFolder:
    data_set = make_data_set("mask_folder", root=str(root), image_size=list(SIZE), **changes)
    assert isinstance(data_set, MaskFolder)
    data_set.prepare()
    return data_set


def masks_of(data_set: MaskFolder) -> dict[str, torch.Tensor]:
    """Masks by file name."""
    split = data_set.load("train")
    return dict(zip(split.names or (), all_of(split)["mask"], strict=True))


def agreement(data_set: MaskFolder, classes: int) -> float:
    """The part of the pixels that have the class that was drawn."""
    found = masks_of(data_set)
    return float(np.mean([found[name].numpy() == drawn(int(name[:2]), classes) for name in found]))


def as_jpeg(mask: Image.Image, path: Path) -> None:
    mask.save(path, quality=90)


def smoothed(mask: Image.Image, path: Path) -> None:
    mask.resize((640, 480), Image.Resampling.BILINEAR).resize(mask.size, Image.Resampling.BILINEAR).save(path)


def as_palette(mask: Image.Image, path: Path) -> None:
    """By frequency, as tools that make files small do: a mask of one class has that at index 0."""
    mask.convert("RGB").quantize(8).save(path)


@pytest.mark.parametrize(
    ("values", "save", "suffix", "least"),
    [
        ([0, 255], None, "png", 1.0),
        ([0, 1], None, "png", 1.0),
        ([0, 128], None, "png", 1.0),
        ([0, 255], as_jpeg, "jpg", 0.999),
        ([0, 255], smoothed, "png", 0.985),
        ([0, 200], as_jpeg, "jpg", 0.999),
        ([0, 255], as_palette, "png", 1.0),
        ([0, 128, 255], None, "png", 1.0),
        ([0, 85, 170, 255], None, "png", 1.0),
        ([0, 1, 2], None, "png", 1.0),
        ([0, 1, 2, 3, 4], None, "png", 1.0),
        ([[0, 0, 0], [255, 255, 255]], None, "png", 1.0),
        ([[0, 0, 0], [128, 128, 128], [255, 255, 255]], None, "png", 1.0),
        ([[0, 0, 0], [0, 255, 0], [255, 0, 0]], None, "png", 1.0),
    ],
)
def test_what_was_drawn_is_read(tmp_path: Path, values: list[Any], save: Any, suffix: str, least: float) -> None:
    data_set = made(folder(tmp_path / "d", values, save, suffix))
    assert len(data_set.class_names()) == len(values)
    assert agreement(data_set, len(values)) >= least


@pytest.mark.parametrize(
    ("values", "save", "suffix", "line"),
    [
        ([0, 255], None, "png", "masks: 0 is background, 255 foreground"),
        (
            [0, 255],
            as_jpeg,
            "jpg",
            "masks: two values with soft edges: below 128 is background, from 128 on foreground",
        ),
        ([0, 128, 255], None, "png", "masks: 3 classes by their grey values, in this order: 0, 128, 255"),
        ([0, 1, 2, 255], None, "png", "masks: class numbers 0 to 2, and 255 is void"),
        ([[0, 0, 0], [255, 0, 0]], None, "png", "masks: 2 classes by their colours, in this order: #000000, #ff0000"),
    ],
)
def test_what_is_told_is_said_in_one_line(
    tmp_path: Path, values: list[Any], save: Any, suffix: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    root = folder(tmp_path / "d", values, save, suffix)
    made(root)
    assert [record.getMessage() for record in caplog.records] == [f"{root}: {line}"]


def test_numbers_need_no_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert made(folder(tmp_path / "d", [0, 1, 2])).class_names() == ("0", "1", "2")
    assert not caplog.records


def test_void_beside_numbers(tmp_path: Path) -> None:
    data_set = made(folder(tmp_path / "d", [0, 1, 255]))
    assert data_set.class_names() == ("0", "1")
    assert set(torch.cat([mask.reshape(-1) for mask in masks_of(data_set).values()]).tolist()) == {0, 1, 255}


def test_a_third_class_that_is_rare_is_not_taken_for_an_edge(tmp_path: Path) -> None:
    """Under one pixel in a hundred, in shades by JPEG: two values by their shares, and one region more."""
    root = folder(tmp_path / "d", [0, 255], as_jpeg, "jpg")
    mask = np.array(Image.open(root / "masks" / "00.jpg"))
    mask[20:32, 20:40] = 128
    Image.fromarray(mask).save(root / "masks" / "00.jpg", quality=90)
    with pytest.raises(InputError, match="cannot be told"):
        made(root)


REFUSED: list[tuple[list[Any], Any, str]] = [
    ([0, 128, 255], as_jpeg, "jpg"),
    ([1, 2, 3], None, "png"),
    ([0, 1, 2], as_jpeg, "jpg"),
    ([0, 3, 7, 9], None, "png"),
    ([[0, 0, 0], [0, 255, 0], [255, 0, 0]], as_jpeg, "jpg"),
]


@pytest.mark.parametrize(("values", "save", "suffix"), REFUSED)
def test_what_cannot_be_told_is_refused_with_a_key_that_works(
    tmp_path: Path, values: list[Any], save: Any, suffix: str
) -> None:
    root = folder(tmp_path / "d", values, save, suffix)
    with pytest.raises(InputError, match=r"\d %.*'data\.mask_values=") as caught:
        made(root)
    line = str(caught.value)
    (typed,) = shlex.split(line[line.index("'data.mask_values=") :])
    said = parse(typed).value()
    if suffix == "jpg" and values == [0, 1, 2]:
        return  # JPEG has left nothing of such a mask that could be told apart
    data_set = made(root, mask_values=said)
    assert len(data_set.class_names()) == len(values)
    assert len(set(data_set.class_names())) == len(values)


@pytest.mark.parametrize(
    ("values", "save", "said", "names", "order"),
    [
        ([0, 255], None, {0: "background", 255: "cell"}, ("background", "cell"), [0, 1]),
        ([0, 255], None, {255: "cell", 0: "background"}, ("cell", "background"), [1, 0]),
        ([0, 128, 255], as_jpeg, {0: "soil", 128: "crop", 255: "weed"}, ("soil", "crop", "weed"), [0, 1, 2]),
        ([0, 128, 255], None, {0: "soil", 128: "plant", 255: "plant"}, ("soil", "plant"), [0, 1, 1]),
        ([0, 128, 255], None, {0: "soil", 128: None, 255: "weed"}, ("soil", "weed"), [0, 255, 1]),
        ([0, 128, 255], None, [0, 128, 255], ("0", "128", "255"), [0, 1, 2]),
        ([[0, 0, 0], [255, 0, 0]], None, {"#ff0000": "car", "black": "road"}, ("car", "road"), [1, 0]),
        ([[0, 0, 0], [255, 0, 0]], None, {"255,0,0": "car", 0: "road"}, ("car", "road"), [1, 0]),
        ([[0, 0, 0], [255, 0, 0]], None, [[0, 0, 0], [255, 0, 0]], ("#000000", "#ff0000"), [0, 1]),
        ([[0, 0, 0], [255, 0, 0]], as_palette, {"black": "road", "red": "car"}, ("road", "car"), [0, 1]),
    ],
)
def test_what_was_said_holds(
    tmp_path: Path, values: list[Any], save: Any, said: Any, names: tuple[str, ...], order: list[int]
) -> None:
    root = folder(tmp_path / "d", values, save, "jpg" if save is as_jpeg else "png")
    data_set = made(root, mask_values=said)
    assert data_set.class_names() == names
    found = masks_of(data_set)
    same = [found[name].numpy() == np.array(order)[drawn(int(name[:2]), len(values))] for name in found]
    assert np.mean(same) >= (0.97 if save is as_jpeg else 1.0)


@pytest.mark.parametrize(
    ("values", "said", "line"),
    [
        ([0, 128, 255], {0: "a", 255: "b"}, "hold 128, of which data.mask_values says nothing"),
        ([0, 1, 2], {0: "a", 300: "b"}, "300 is no value of a pixel"),
        ([0, 1, 2], {0: "a", "#zz": "b"}, "#zz is no colour"),
        ([0, 1, 2], "red", "expected values with their classes"),
        ([[0, 0, 0], [255, 0, 0]], {"black": "a", "blue": "b"}, "hold #ff0000, of which"),
    ],
)
def test_what_was_said_and_does_not_fit(tmp_path: Path, values: list[Any], said: Any, line: str) -> None:
    root = folder(tmp_path / "d", values)
    with pytest.raises(InputError, match=line):
        made(root, mask_values=said)


def test_another_void(tmp_path: Path) -> None:
    root = folder(tmp_path / "d", [0, 1, 9])
    data_set = made(root, void=9)
    assert data_set.class_names() == ("0", "1")
    assert all(mask.max() == 255 for mask in masks_of(data_set).values())


@pytest.mark.parametrize("names", ["a", "a\nb\nc", "a\nb\nc\nd"])
def test_classes_txt_of_another_number(tmp_path: Path, names: str) -> None:
    root = folder(tmp_path / "d", [0, 255])
    (root / "classes.txt").write_text(names)
    with pytest.raises(
        InputError, match=r"classes\.txt: names \d class.* and the masks hold 2 \(0: .*data\.mask_values="
    ):
        made(root)


def test_all_splits_are_looked_at(tmp_path: Path) -> None:
    for split, values in {"train": [0, 1], "val": [0, 1, 2], "test": [0, 1]}.items():
        folder(tmp_path / "d" / split, values, count=4)
    assert made(tmp_path / "d").class_names() == ("0", "1", "2")


def test_the_second_look_comes_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path / "d", [0, 255])
    made(root)
    monkeypatch.setattr("cnnexp.data.mask_scan._one", None)
    assert made(root).class_names() == ("background", "foreground")


def test_a_mask_of_another_size_is_resized_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = folder(
        tmp_path / "d", [0, 1], lambda mask, path: mask.resize((128, 96), Image.Resampling.NEAREST).save(path)
    )
    data_set = made(root)
    assert "20 of 20 masks are of another size than their pictures, 128×96 for 64×48: resized" in caplog.text
    assert agreement(data_set, 2) == 1.0


def test_a_picture_that_lies_and_a_mask_that_stands(tmp_path: Path) -> None:
    """The mask is of the upright picture, as it is seen when it is drawn."""
    root = folder(tmp_path / "d", [0, 1])
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in (root / "images").iterdir():
        Image.new("RGB", SIZE).save(path, exif=exif)  # 48 wide as it lies, 64 upright
    assert agreement(made(root), 2) == 1.0
    for path in (root / "masks").iterdir():
        Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)
    with pytest.raises(InputError, match=r"turned by its EXIF and the mask is not"):
        made(root)
    for path in (root / "masks").iterdir():
        Image.open(path).save(path, exif=exif)
    assert agreement(made(root), 2) == 1.0

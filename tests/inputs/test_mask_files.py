from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.errors import InputError
from cnnexp.inputs.mask_files import Palette, alike, read_mask
from cnnexp.inputs.picture_files import fit_masks
from tests.data.tiny import write_mask

LABELS = np.array([[0, 1, 2], [2, 0, 1]], np.uint8)
RED, BLACK = 0xFF0000, 0


def saved(folder: Path, pixels: np.ndarray, **how: object) -> Path:
    Image.fromarray(pixels).save(folder / "m.png", **how)
    return folder / "m.png"


def test_masks_are_never_blended(tmp_path: Path) -> None:
    values = np.kron([[0, 9], [255, 3]], np.ones((8, 8))).astype(np.uint8)
    mask, size = read_mask(write_mask(tmp_path / "m.png", values), (4, 4))
    assert size == (16, 16)
    assert mask.tolist() == [[0, 0, 9, 9]] * 2 + [[255, 255, 3, 3]] * 2
    assert fit_masks(torch.from_numpy(values)[None], (4, 4))[0].tolist() == mask.tolist()


def test_a_coloured_mask_needs_to_be_told(tmp_path: Path) -> None:
    pixels = np.array([[[1, 2, 3]]], np.uint8)
    with pytest.raises(InputError, match=r"m\.png: this mask is coloured; data\.mask_values="):
        read_mask(saved(tmp_path, pixels), None)


@pytest.mark.parametrize("kind", ["L", "P", "RGB", "RGBA", "I;16", "16 bits, white", "F", "L turned"])
def test_the_same_labels_in_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.tif"
    if kind == "P":
        picture = Image.fromarray(LABELS, "P") if False else Image.fromarray(LABELS).convert("L")
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        path = tmp_path / "m.png"
        picture.save(path)
    elif kind == "I;16":
        Image.fromarray(LABELS.astype(np.uint16)).save(path)
    elif kind == "16 bits, white":
        Image.fromarray(LABELS.astype(np.uint16) * 257 * 100).save(path)
    elif kind == "F":
        Image.fromarray(LABELS.astype(np.float32)).save(path)
    elif kind == "L turned":
        exif = Image.Exif()
        exif[0x0112] = 6  # lies on its left side
        path = tmp_path / "m.png"
        Image.fromarray(np.ascontiguousarray(np.rot90(LABELS))).save(path, exif=exif)
    else:
        path = tmp_path / "m.png"
        Image.fromarray(LABELS).convert(kind).save(path)
    values, size = read_mask(path, None)
    assert size == (2, 3)
    assert values.tolist() == (LABELS * (100 if "white" in kind else 1)).tolist()


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1").save(tmp_path / "m.png")
    assert read_mask(tmp_path / "m.png", None)[0].tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("value", "line"), [(300, "holds the value 300"), (0.5, "whole numbers"), (-1, "whole numbers")]
)
def test_numbers_that_are_no_classes(tmp_path: Path, value: float, line: str) -> None:
    Image.fromarray(np.full((2, 2), value, np.float32)).save(tmp_path / "m.tif")
    with pytest.raises(InputError, match=line):
        read_mask(tmp_path / "m.tif", None)


def test_colours_become_places_in_a_palette(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0], [0, 0, 0]], [[250, 9, 9], [0, 0, 0]]], np.uint8)
    path = saved(tmp_path, pixels)
    assert read_mask(path, None, Palette((BLACK, RED), nearest=True))[0].tolist() == [[1, 0], [1, 0]]
    with pytest.raises(
        InputError, match="holds the colour #fa0909, which stands for no class; allowed: #000000, #ff0000"
    ):
        read_mask(path, None, Palette((BLACK, RED)))


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 0]]], np.uint8)
    assert read_mask(saved(tmp_path, pixels), None, Palette((BLACK, RED)))[0].tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("size", "other", "same"),
    [
        ((48, 64), (48, 64), True),
        ((24, 32), (48, 64), True),
        ((480, 640), (48, 64), True),
        ((67, 100), (333, 500), True),  # a fifth, rounded
        ((64, 48), (48, 64), False),
        ((20, 20), (20, 30), False),
        ((48, 65), (48, 64), False),
        ((100, 100), (200, 210), False),
    ],
)
def test_one_shape_or_another(size: tuple[int, int], other: tuple[int, int], same: bool) -> None:
    assert alike(size, other) is same
    assert alike(other, size) is same

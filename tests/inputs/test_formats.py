"""Every format tells the same picture: its tensor is that of the picture saved as PNG."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Look, look_of, read_picture

SHAPE = (10, 14)
GREY = np.linspace(0, 255, SHAPE[0] * SHAPE[1]).round().astype(np.uint8).reshape(SHAPE)
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], -1)


def write_png16(path: Path, pixels: np.ndarray) -> None:
    """16-bit grey, RGB or RGBA, which Pillow does not write; every row is filtered by Sub."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8).astype(int)
    step = 2 * channels
    rows[:, step:] -= rows.copy()[:, :-step]
    body = b"".join(b"\x01" + (row & 255).astype(np.uint8).tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def tiff(path: Path, pixels: np.ndarray, **how: object) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(path, pixels, **how)


def wide(pixels: np.ndarray) -> np.ndarray:
    """8-bit numbers in 12 bits."""
    return pixels.astype(np.uint16) * 16


TWELVE = Look(span=(0.0, 255.0 * 16))
Writing = Callable[[Path], None]
GREY_FILES: dict[str, tuple[str, Writing, Look]] = {
    "PNG": ("png", lambda p: Image.fromarray(GREY).save(p), Look()),
    "BMP": ("bmp", lambda p: Image.fromarray(GREY).save(p), Look()),
    "TIFF": ("tif", lambda p: Image.fromarray(GREY).save(p), Look()),
    "PGM": ("pgm", lambda p: Image.fromarray(GREY).save(p), Look()),
    "palette": ("png", lambda p: Image.fromarray(GREY).convert("P").save(p), Look()),
    "NumPy": ("npy", lambda p: np.save(p, GREY), Look()),
    "NumPy with an axis": ("npy", lambda p: np.save(p, GREY[..., None]), Look()),
    "16-bit PNG": ("png", lambda p: write_png16(p, wide(GREY)), TWELVE),
    "16-bit TIFF": ("tif", lambda p: Image.fromarray(wide(GREY)).save(p), TWELVE),
    "signed TIFF": ("tif", lambda p: tiff(p, wide(GREY).astype(np.int16)), TWELVE),
    "float TIFF": ("tif", lambda p: Image.fromarray(GREY.astype(np.float32) / 7).save(p), Look(span=(0.0, 255 / 7))),
    "float NumPy": ("npy", lambda p: np.save(p, GREY / 7 - 3), Look(span=(-3.0, 255 / 7 - 3))),
}
COLOUR_FILES: dict[str, tuple[str, Writing, Look]] = {
    "PNG": ("png", lambda p: Image.fromarray(COLOUR).save(p), Look()),
    "BMP": ("bmp", lambda p: Image.fromarray(COLOUR).save(p), Look()),
    "TIFF": ("tif", lambda p: Image.fromarray(COLOUR).save(p), Look()),
    "PPM": ("ppm", lambda p: Image.fromarray(COLOUR).save(p), Look()),
    "lossless WebP": ("webp", lambda p: Image.fromarray(COLOUR).save(p, lossless=True), Look()),
    "opaque": ("png", lambda p: Image.fromarray(COLOUR).convert("RGBA").save(p), Look()),
    "CMYK": ("tif", lambda p: Image.fromarray(COLOUR).convert("CMYK").save(p), Look()),
    "NumPy": ("npy", lambda p: np.save(p, COLOUR), Look()),
    "NumPy, channels first": ("npy", lambda p: np.save(p, COLOUR.transpose(2, 0, 1)), Look()),
    "16-bit PNG": ("png", lambda p: write_png16(p, wide(COLOUR)), TWELVE),
    "16-bit TIFF": ("tif", lambda p: tiff(p, wide(COLOUR), photometric="rgb"), TWELVE),
    "16-bit TIFF, packed": ("tif", lambda p: tiff(p, wide(COLOUR), photometric="rgb", compression="zlib"), TWELVE),
    "16-bit TIFF, big end first": ("tif", lambda p: tiff(p, wide(COLOUR), photometric="rgb", byteorder=">"), TWELVE),
    "16-bit TIFF by channels": (
        "tif",
        lambda p: tiff(p, wide(COLOUR).transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
        TWELVE,
    ),
    "float TIFF": (
        "tif",
        lambda p: tiff(p, COLOUR.astype(np.float32) / 9, photometric="rgb"),
        Look(span=(0.0, 255 / 9)),
    ),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [None, (5, 7)])
@pytest.mark.parametrize("kind", GREY_FILES)
def test_grey(tmp_path: Path, kind: str, size: tuple[int, int] | None, channels: int) -> None:
    suffix, write, look = GREY_FILES[kind]
    write(tmp_path / f"a.{suffix}")
    GREY_FILES["PNG"][1](tmp_path / "same.png")
    found, original = read_picture(tmp_path / f"a.{suffix}", size, channels, look=look)
    assert original == SHAPE
    assert found.tolist() == read_picture(tmp_path / "same.png", size, channels)[0].tolist()


@pytest.mark.parametrize("size", [None, (5, 7)])
@pytest.mark.parametrize("kind", COLOUR_FILES)
def test_colour(tmp_path: Path, kind: str, size: tuple[int, int] | None) -> None:
    suffix, write, look = COLOUR_FILES[kind]
    write(tmp_path / f"a.{suffix}")
    COLOUR_FILES["PNG"][1](tmp_path / "same.png")
    found, original = read_picture(tmp_path / f"a.{suffix}", size, 3, look=look)
    assert original == SHAPE
    assert found.tolist() == read_picture(tmp_path / "same.png", size, 3)[0].tolist()


def test_one_bit(tmp_path: Path) -> None:
    Image.fromarray(GREY).convert("1").save(tmp_path / "a.png")
    assert set(read_picture(tmp_path / "a.png", None, 1)[0].unique().tolist()) == {0, 255}


# --- transparency -----------------------------------------------------------------------------------------------------


def transparent(kind: str, path: Path) -> None:
    """The left pixel is red or mid-grey, the right one transparent with red or mid-grey hidden below."""
    if kind == "RGBA":
        Image.fromarray(np.array([[[255, 0, 0, 255], [255, 0, 0, 0]]], np.uint8)).save(path)
    elif kind == "LA":
        Image.fromarray(np.array([[[128, 255], [128, 0]]], np.uint8)).save(path)
    elif kind == "16-bit RGBA":
        write_png16(path, np.array([[[65535, 0, 0, 65535], [65535, 0, 0, 0]]], np.uint16))
    elif kind == "palette":
        picture = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("L")
        picture.putpalette([255, 0, 0, 255, 0, 0])
        picture.save(path, transparency=b"\xff\x00")
    elif kind == "a colour of its own":
        Image.fromarray(np.array([[[255, 0, 0], [9, 9, 9]]], np.uint8)).save(path, transparency=(9, 9, 9))


@pytest.mark.parametrize(
    ("background", "below"), [(None, (255, 255, 255)), ("black", (0, 0, 0)), ("#0a141e", (10, 20, 30))]
)
@pytest.mark.parametrize("kind", ["RGBA", "LA", "16-bit RGBA", "palette", "a colour of its own"])
def test_what_is_transparent_shows_the_background(
    tmp_path: Path, kind: str, background: str | None, below: tuple[int, int, int]
) -> None:
    transparent(kind, tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png", None, 3, look=look_of(None, background))[0]
    assert found[:, 0, 0].tolist() == ([128] * 3 if kind == "LA" else [255, 0, 0])
    assert tuple(found[:, 0, 1].tolist()) == below


# --- which side is up -------------------------------------------------------------------------------------------------

UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}
"""What EXIF's numbers mean, by its specification."""


@pytest.mark.parametrize("number", UPRIGHT)
@pytest.mark.parametrize("kind", ["png", "webp", "tif", "16 bits"])
def test_upright_by_exif(tmp_path: Path, kind: str, number: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = number
    path = tmp_path / ("a.png" if kind == "16 bits" else f"a.{kind}")
    picture = Image.fromarray(wide(GREY) if kind == "16 bits" else COLOUR)
    picture.save(path, exif=exif, **({"lossless": True} if kind == "webp" else {}))
    expected = UPRIGHT[number](GREY if kind == "16 bits" else COLOUR)
    found, original = read_picture(path, None, 1 if kind == "16 bits" else 3, look=TWELVE)
    assert original == expected.shape[:2]
    assert (found.permute(1, 2, 0).numpy().squeeze() == expected).all()


@pytest.mark.parametrize("number", [0, 1, 9, 65535])
def test_a_number_that_exif_does_not_have_is_nothing(tmp_path: Path, number: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = number
    Image.fromarray(COLOUR).save(tmp_path / "a.png", exif=exif)
    assert (read_picture(tmp_path / "a.png", None, 3)[0].permute(1, 2, 0).numpy() == COLOUR).all()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")  # as opened_files has it; pytest resets filters
@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0II*\0\xff\xff\xff\xff garbage",
        b"Exif\0\0garbage here",
        b"Exif\0\0",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01",
        # an orientation of two bytes of text, and one of no type that there is
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x02\0\0\0ab\0\0\0\0\0\0",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x63\0\x02\0\0\0ab\0\0\0\0\0\0",
    ],
)
def test_a_broken_block_of_exif_is_passed_over(tmp_path: Path, block: bytes) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "plain.jpg")
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", exif=block)
    expected = read_picture(tmp_path / "plain.jpg", None, 3)[0]
    assert read_picture(tmp_path / "a.jpg", None, 3)[0].tolist() == expected.tolist()


# --- other numbers of channels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["npy", "npy first", "tif", "tif first", "tif of pages"])
def test_five_channels(tmp_path: Path, kind: str) -> None:
    five = np.stack([GREY, GREY[::-1], 255 - GREY, GREY // 2, GREY // 3], -1)
    path = tmp_path / f"a.{kind[:3]}"
    if kind == "npy":
        np.save(path, five)
    elif kind == "npy first":
        np.save(path, five.transpose(2, 0, 1))
    elif kind == "tif":
        tiff(path, five, photometric="minisblack", planarconfig="contig")
    elif kind == "tif first":
        tiff(path, five.transpose(2, 0, 1), photometric="minisblack", planarconfig="separate")
    else:
        tiff(path, five.transpose(2, 0, 1), photometric="minisblack")
    found, original = read_picture(path, None, 5)
    assert original == SHAPE
    assert (found.numpy() == five.transpose(2, 0, 1)).all()
    small = read_picture(path, (5, 7), 5)[0]
    expected = [np.asarray(Image.fromarray(five[..., c]).resize((7, 5), Image.Resampling.BILINEAR)) for c in range(5)]
    assert (small.numpy() == np.stack(expected)).all()


def test_four_channels_are_kept_as_they_are(tmp_path: Path) -> None:
    pixels = np.concatenate([COLOUR, GREY[..., None]], -1)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (read_picture(tmp_path / "a.png", None, 4)[0].permute(1, 2, 0).numpy() == pixels).all()


@pytest.mark.parametrize(
    ("shape", "channels", "line"),
    [
        ((4, 4, 5), 3, r"an array of 4×4×5; data\.channels=3 wants H×W×3"),
        ((4, 6, 2), 5, r"an array of 4×6×2; data\.channels=5 wants H×W×5"),
        ((2, 3, 4, 5), 5, "an array of 2×3×4×5"),
    ],
)
def test_another_number_of_channels_is_refused(
    tmp_path: Path, shape: tuple[int, ...], channels: int, line: str
) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match=line):
        read_picture(tmp_path / "a.npy", None, channels)


def test_objects_are_no_picture(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"a\.npy: not a readable picture"):
        read_picture(tmp_path / "a.npy", None, 1)


def test_heic_takes_a_library(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(InputError, match=r"pip install 'cnnexp\[heif\]'|not a readable picture"):
        read_picture(tmp_path / "a.heic", None, 3)


@pytest.mark.parametrize(
    ("span", "colour", "line"), [((5, 5), None, "smaller one first"), (None, "nocolour", "no colour")]
)
def test_a_look_that_is_none(span: tuple[float, float] | None, colour: str | None, line: str) -> None:
    with pytest.raises(InputError, match=line):
        look_of(span, colour)

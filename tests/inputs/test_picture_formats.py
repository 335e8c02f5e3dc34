from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.inputs import picture_formats
from cnnexp.inputs.opened_files import upright_size
from cnnexp.inputs.picture_files import find_pictures, read_picture
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES, begins_like_a_picture, other_format


def test_every_suffix_is_one_that_pillow_reads() -> None:
    known = {suffix for suffix, name in Image.registered_extensions().items() if name in Image.OPEN}
    assert PICTURE_SUFFIXES - known <= {
        ".mpo",
        ".npy",
        ".heic",
        ".heif",
        ".hif",
    }  # by JPEG, NumPy, pillow_heif
    assert {".jfif", ".jpe", ".webp", ".tiff", ".pbm"} <= PICTURE_SUFFIXES


@pytest.mark.parametrize(
    ("name", "form"), [("a.jfif", "JPEG"), ("b.JPE", "JPEG"), ("c.avif", "AVIF"), ("d.qoi", "QOI")]
)
def test_less_usual_suffixes_are_found_and_read(tmp_path: Path, name: str, form: str) -> None:
    if Path(name).suffix not in PICTURE_SUFFIXES and name.islower():
        pytest.skip(f"Pillow was built without {form}")
    Image.init()
    if form not in Image.SAVE:
        pytest.skip(f"this Pillow only reads {form}")
    Image.new("RGB", (9, 6), (200, 30, 30)).save(tmp_path / name, form)
    assert [path.name for path in find_pictures(tmp_path)] == [name]
    pixels, size = read_picture(tmp_path / name, None, 3)
    assert size == upright_size(tmp_path / name) == (6, 9) and abs(int(pixels[0, 3, 4]) - 200) < 8


def test_heic_is_read_where_its_library_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        without = importlib.reload(picture_formats)
        assert without.other_format(".heic") == ("HEIC", "pip install 'cnnexp[heif]'")
        patch.setattr("importlib.util.find_spec", lambda name: object())
        assert ".heic" in importlib.reload(picture_formats).PICTURE_SUFFIXES
    importlib.reload(picture_formats)


def test_a_heic_picture_is_found_and_read(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:, :24] = (200, 30, 30)
    picture = pillow_heif.from_pillow(Image.fromarray(pixels))
    for name in ("a.heic", "b.HIF"):
        picture.save(tmp_path / name, quality=95)
    assert [path.name for path in find_pictures(tmp_path)] == ["a.heic", "b.HIF"]
    for path in find_pictures(tmp_path):
        read, size = read_picture(path, None, 3)
        assert size == upright_size(path) == (32, 48) and read.shape == (3, 32, 48)
        assert np.abs(read.permute(1, 2, 0).numpy()[:, :20].astype(int) - (200, 30, 30)).max() < 12
        assert int(read[:, :, 30:].max()) < 12


def test_what_is_no_picture() -> None:
    assert other_format(".txt") is None and other_format(".png") is None
    assert other_format(".cr2") == ("camera RAW", "save them as PNG or JPEG")
    assert begins_like_a_picture(b"\xff\xd8\xff\xe0") and not begins_like_a_picture(b"hello")

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnnexp.visualize.png import figure_image, new_figure, write_png


def test_a_picture_is_written_into_a_new_folder_and_read_back(tmp_path: Path) -> None:
    path = write_png(Image.new("RGB", (3, 2), (1, 2, 3)), tmp_path / "pictures" / "a.png")
    with Image.open(path) as image:
        assert (image.format, image.size, image.getpixel((2, 1))) == ("PNG", (3, 2), (1, 2, 3))
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_png(Image.new("RGB", (3, 2)), tmp_path / "a.png")
    before = path.read_bytes()

    def half(_: Image.Image, target: Path, **__: object) -> None:
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(OSError, match="disk full"):
        write_png(Image.new("RGB", (9, 9)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_figure_has_the_asked_size_and_no_warning_for_letters_that_the_font_lacks() -> None:
    figure = new_figure(2, 1, dots_per_inch=50)
    figure.add_subplot().set_title("漢字")
    assert figure_image(figure).size == (100, 50)

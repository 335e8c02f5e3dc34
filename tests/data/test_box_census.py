from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnnexp.data.box_census import EMPTY, OUTSIDE, SMALL, SWAPPED, box_problem, count_boxes
from cnnexp.data.census import Census
from cnnexp.data.samples import Decoder, Sample, open_samples
from tests.data.tiny import write_picture


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ((-5, 2, 10, 8), None),
        ((28, 5, 40, 9), None),
        ((31, 5, 40, 9), OUTSIDE),
        ((-9, 5, 0, 9), OUTSIDE),
        ((4, 4, 5, 9), SMALL),
        ((29, 4, 40, 9), SMALL),  # a pixel of it is in the picture
        ((6, 6, 3, 9), SWAPPED),
        ((6, 9, 8, 6), SWAPPED),
        ((6, 6, 6, 9), EMPTY),
        ((float("nan"), 6, 9, 9), EMPTY),
    ],
)
def test_each_box_that_cannot_be_used_has_a_reason(box: tuple[float, ...], problem: str | None) -> None:
    assert box_problem(box, 30, 20, relative=False) == problem
    parts = (box[0] / 30, box[1] / 20, box[2] / 30, box[3] / 20)
    assert box_problem(parts, 30, 20, relative=True) == problem


@pytest.mark.parametrize("relative", [True, False])
def test_as_many_are_counted_as_decoding_keeps(cache: Path, tmp_path: Path, relative: bool) -> None:
    """The header tells what decoding finds, also of a picture that lies on its side."""
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 30)).save(path, exif=exif)  # upright: 30 wide, 20 high
    boxes = ((0, 0, 9, 9), (25, 2, 29, 6), (1, 21, 9, 29), (3, 3, 3.5, 9), (9, 9, 1, 1))
    if relative:
        boxes = tuple((a / 30, b / 20, c / 30, d / 20) for a, b, c, d in boxes)  # type: ignore[assignment]
    sample = Sample(path, "a", boxes=boxes, classes=(0,) * 5, relative=relative)
    census = Census()
    kept = open_samples(Decoder((sample,), (20, 30), 3, boxed=True), False).batch([0])
    assert count_boxes([sample], census) == len(kept["boxes"][0]) == 2
    assert {one.reason for one in census.left_out("boxes")} == {OUTSIDE, SMALL, SWAPPED}


def test_headers_are_read_where_they_can_tell_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnexp.data.box_census.upright_size", None)  # nothing is read
    large = Sample(tmp_path / "a.jpg", "a", boxes=((0.1, 0.1, 0.9, 0.9),), classes=(0,), relative=True)
    assert count_boxes([large, Sample(tmp_path / "b.jpg", "b")], Census()) == 1


def test_a_broken_picture_is_told_of_when_it_is_decoded(cache: Path, tmp_path: Path) -> None:
    broken = write_picture(tmp_path / "a.png")
    broken.write_bytes(b"x")
    assert count_boxes([Sample(broken, "a", boxes=((0, 0, 9, 9),), classes=(0,))], Census()) == 1

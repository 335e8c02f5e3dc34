from __future__ import annotations

import numpy as np
import pytest

from cnnexp.data.drawn_masks import Drawing, Region, fills, outlined_box, packed, values_of_classes
from cnnexp.errors import InputError


def rectangle(value: int, x1: float, y1: float, x2: float, y2: float) -> Region:
    return Region(value, (packed([x1, y1, x2, y1, x2, y2, x1, y2]),))


def test_the_smaller_region_is_on_top_and_of_equal_ones_the_later() -> None:
    regions = (rectangle(2, 3, 0, 5, 2), rectangle(1, 0, 0, 6, 4), rectangle(3, 4, 1, 6, 3))
    assert Drawing(regions, "").mask((5, 6), (5, 6)).tolist() == [
        [1, 1, 1, 2, 2, 1],
        [1, 1, 1, 2, 3, 3],
        [1, 1, 1, 1, 3, 3],
        [1, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0, 0],
    ]


def test_outlines_in_parts_of_the_picture_and_regions_of_several_parts() -> None:
    region = Region(7, (packed([0, 0, 0.5, 0, 0.5, 0.5, 0, 0.5]), packed([0.5, 0.5, 1, 0.5, 1, 1, 0.5, 1])))
    found = Drawing((region,), "", relative=True).mask((4, 8), (4, 8))
    expected = np.zeros((4, 8), np.uint8)
    expected[:2, :4] = expected[2:, 4:] = 7
    assert found.tolist() == expected.tolist()


def test_masks_change_size_by_the_nearest_pixel_as_files_of_masks_do() -> None:
    drawn = Drawing((rectangle(1, 0, 0, 4, 4),), "")
    assert drawn.mask((8, 8), (2, 4)).tolist() == [[1, 1, 0, 0], [0, 0, 0, 0]]
    assert Drawing((), "").mask((3, 3), (2, 2)).tolist() == [[0, 0], [0, 0]]


def test_what_lies_outside_of_the_picture_is_cut_off() -> None:
    assert Drawing((rectangle(1, -5, -5, 2, 99),), "").mask((2, 3), (2, 3)).tolist() == [[1, 1, 0], [1, 1, 0]]


def test_runs_go_down_the_columns() -> None:
    """COCO's code of 2 pixels not, 3 in, 1 not: columns of height 2."""
    runs = Region(4, runs=((2, 3), b"231"))
    assert Drawing((runs,), "").mask((2, 3), (2, 3)).tolist() == [[0, 4, 4], [0, 4, 0]]


@pytest.mark.parametrize(
    ("drawing", "expected"),
    [
        (Drawing((), "a.json, a.png", size=(4, 5)), None),
        (Drawing((rectangle(1, 0, 0, 2, 2),), "a.json, a.png", size=(4, 5)), r"a\.png: drawn on 5×4 pixels, .* 6×4"),
        (
            Drawing((Region(1, runs=((6, 4), b"231")),), "a.png"),
            r"a\.png: drawn on 4×6 pixels, and the picture has 6×4",
        ),
        (Drawing((Region(1, runs=((4, 6), b"231")),), "a.png"), r"a\.png: a broken run-length code"),
    ],
)
def test_what_does_not_fit_the_picture_is_refused(drawing: Drawing, expected: str | None) -> None:
    if expected is None:
        assert not drawing.mask((4, 6), (4, 6)).any()
        return
    with pytest.raises(InputError, match=expected):
        drawing.mask((4, 6), (4, 6))


def test_boxes_around_outlines_and_the_values_of_classes() -> None:
    assert outlined_box([packed([1, 2, 3, 4, 2, 8]), packed([0.5, 3, 1, 3, 1, 4])]) == (0.5, 2, 3, 8)
    values = values_of_classes(3)
    assert (values[:4], values[254:]) == ((0, 1, 2, -1), (-1, 255))
    with pytest.raises(InputError, match="256 classes"):
        values_of_classes(256)


@pytest.mark.parametrize("seed", range(4))
def test_a_code_is_whole_or_not_whatever_the_library_makes_of_it(seed: int) -> None:
    """Codes of the library, runs of up to thousands of pixels among them; then cut short, or of another size."""
    from faster_coco_eval.core import mask as coder

    generator = np.random.default_rng(seed)
    size = (int(generator.integers(3, 90)), int(generator.integers(3, 90)))
    mask = (generator.random(size) < generator.random() ** 3).astype(np.uint8)
    code = coder.encode(np.asfortranarray(mask))["counts"]
    assert fills(size, code)
    assert not fills((size[0], size[1] + 1), code) and not fills(size, code[:-1]) and not fills(size, code + b"1")
    assert not fills(size, b"") and not fills(size, b"\xff") and not fills(size, b"o" * 400)

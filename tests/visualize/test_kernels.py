from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnnexp.visualize.kernels import (
    KERNELS,
    busiest_place,
    convolve,
    match_template,
    respond,
    scale_of,
    sheet,
)
from cnnexp.visualize.matrix import figure, matrix_image, matrix_lines

COURSE_PICTURE = np.array(
    [
        [2, 3, 7, 4, 6, 2, 9],
        [6, 6, 9, 8, 7, 4, 3],
        [3, 4, 8, 3, 8, 9, 7],
        [7, 8, 3, 6, 6, 3, 4],
        [4, 2, 1, 8, 3, 4, 6],
        [3, 2, 4, 1, 9, 8, 3],
        [0, 1, 3, 9, 2, 1, 4],
    ],
    float,
)
COURSE_KERNEL = np.array([[3, 4, 4], [1, 0, 2], [-1, 0, 3]], float)


def noise(channels: int = 3, height: int = 40, width: int = 50) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (channels, height, width)).astype(float)


def test_the_example_that_courses_work_by_hand() -> None:
    found = convolve(COURSE_PICTURE[None], COURSE_KERNEL, stride=2)
    assert found[0].tolist() == [[91, 100, 88], [69, 91, 117], [44, 72, 74]]


def test_a_stride_samples_the_dense_result() -> None:
    dense = convolve(noise(), COURSE_KERNEL, padding=1)
    assert dense.shape == (3, 40, 50)
    assert np.array_equal(convolve(noise(), COURSE_KERNEL, 3, 1), dense[:, ::3, ::3])


def test_what_each_classic_kernel_is_for() -> None:
    picture = noise()
    middle = picture[:, 1:-1, 1:-1]
    out = {name: convolve(picture, kernel) for name, kernel in KERNELS.items()}
    around = sum(picture[:, 1 + dy : 39 + dy, 1 + dx : 49 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)) - middle
    beside = picture[:, :-2, 1:-1] + picture[:, 2:, 1:-1] + picture[:, 1:-1, :-2] + picture[:, 1:-1, 2:]
    assert np.array_equal(out["identity"], middle)
    assert np.allclose(out["edges, 8 neighbours"], 8 * middle - around)
    assert np.allclose(out["edges, 4 neighbours"], beside - 4 * middle)
    assert np.allclose(out["box blur"], (around + middle) / 9)
    assert np.allclose(out["difference from the left neighbour"], np.diff(picture, axis=2))


def test_a_kernel_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        convolve(np.zeros((1, 2, 9)), np.ones((3, 3)))
    assert convolve(np.zeros((1, 2, 9)), np.ones((3, 3)), padding=1).shape == (1, 2, 9)


def test_a_template_is_found_where_it_was_cut_and_again_where_it_is_pasted() -> None:
    picture = noise()
    picture[:, 30:38, 5:13] = 0.5 * picture[:, 10:18, 20:28] + 60  # darker and with less contrast
    response = match_template(picture, (10, 20), 8)
    output = response.output[0]
    assert output.shape == (33, 43)
    assert output[10, 20] == pytest.approx(1, abs=1e-6)
    assert output[30, 5] == pytest.approx(1, abs=1e-6)
    output[10, 20] = output[30, 5] = 0
    assert output.max() < 0.6
    assert output.min() >= -1
    assert response.frame == (10, 20, 8, 8)


def test_template_matching_agrees_with_correlations_patch_by_patch() -> None:
    picture = noise(2, 12, 13)
    output = match_template(picture, (3, 4), 5).output[0]
    patch = picture[:, 3:8, 4:9].ravel()
    for row in range(8):
        for column in range(9):
            there = picture[:, row : row + 5, column : column + 5].ravel()
            assert output[row, column] == pytest.approx(np.corrcoef(patch, there)[0, 1], abs=1e-6)


def test_flat_ground_is_like_nothing() -> None:
    picture = noise()
    picture[:, :20] = 77
    output = match_template(picture, (25, 5), 8).output[0]
    assert (output[:12] == 0).all()


def test_the_busiest_place_has_the_largest_variance() -> None:
    picture = np.full((3, 40, 50), 100.0)
    picture[:, 12:20, 31:39] = noise(3, 8, 8)
    assert busiest_place(picture, 8) == (12, 31)


def test_responses_are_shown_by_what_they_mean() -> None:
    picture = np.full((1, 9, 9), 100.0)
    picture[:, :, 5:] = 200
    blur = respond(picture, "box blur", KERNELS["box blur"])
    assert blur.picture.shape == (7, 7, 1)
    assert sorted(set(blur.picture.ravel().tolist())) == [100, 133, 167, 200]
    edge = respond(picture, "difference", KERNELS["difference from the left neighbour"])
    assert (edge.picture[:, 4] == 255).all() and edge.picture.sum() == 9 * 255
    sums = respond(picture, "sum", np.ones((2, 2)))
    assert (sums.picture.min(), sums.picture.max(), sums.shown) == (0, 255, "black 400, white 800")


def test_the_sheet_holds_the_picture_and_every_response() -> None:
    picture = noise()
    one = respond(picture, "identity", KERNELS["identity"])
    single, double = sheet(picture, [one], columns=3), sheet(picture, [one, one, one], columns=2)
    assert double.height > 1.9 * single.height
    pixels = np.asarray(single)
    scale = 6  # 50 pixels are brought to 256 at least
    top = next(row for row in range(len(pixels)) if (pixels[row, 16 : 16 + 300] != 255).any(axis=1).sum() > 250)
    shown = pixels[top : top + 40 * scale : scale, 16 : 16 + 50 * scale : scale]
    assert np.array_equal(shown, picture.astype(np.uint8).transpose(1, 2, 0))


def test_a_matrix_is_shown_on_its_own_scale() -> None:
    matrix = COURSE_PICTURE[None]
    identity = respond(matrix, "identity", KERNELS["identity"], scale=scale_of(matrix))
    assert identity.picture.min() == round(255 / 9) and identity.picture.max() == 255  # 1 to 9 of 0 to 9
    assert identity.shown == "as the matrix"


def test_a_small_matrix_is_drawn_as_its_numbers_in_cells() -> None:
    matrix = COURSE_PICTURE[None]
    one = respond(matrix, "your kernel", COURSE_KERNEL, 2, scale=scale_of(matrix))
    written = sheet(matrix, [one], scale=scale_of(matrix), written=True)
    for values in (COURSE_PICTURE, one.output[0], COURSE_KERNEL):
        assert holds(written, matrix_image(values))
    assert not holds(sheet(matrix, [one], scale=scale_of(matrix)), matrix_image(COURSE_PICTURE))


def test_the_template_is_framed_where_it_lies_in_a_matrix_of_cells() -> None:
    matrix = COURSE_PICTURE[None]
    found = match_template(matrix, (5, 3), 2, scale_of(matrix))
    pixels = np.asarray(sheet(matrix, [found], scale=scale_of(matrix), written=True))
    rows, columns = np.nonzero((pixels == (213, 94, 0)).all(axis=2))
    cell = (matrix_image(COURSE_PICTURE).width - 1) // 7
    assert abs(columns.max() - columns.min() - 2 * cell) <= 3 and abs(rows.max() - rows.min() - 2 * cell) <= 3
    assert abs(columns.min() - 16 - 3 * cell) <= 3


def test_a_template_of_a_matrix_of_small_numbers_is_no_flat_ground() -> None:
    matrix = COURSE_PICTURE[None] / 1e6
    found = match_template(matrix, (5, 3), 2, scale_of(matrix))
    expected = match_template(COURSE_PICTURE[None], (5, 3), 2, scale_of(COURSE_PICTURE[None]))
    assert np.allclose(found.output, expected.output, atol=1e-6)
    assert found.output[0, 5, 3] == pytest.approx(1)


def holds(sheet: Image.Image, part: Image.Image) -> bool:
    """Whether the part is somewhere in the sheet, pixel by pixel."""
    whole, wanted = (np.asarray(one).astype(np.int32) @ (1, 256, 65536) for one in (sheet, part))
    height, width = wanted.shape
    corners = np.argwhere(whole[: len(whole) - height + 1, : whole.shape[1] - width + 1] == wanted[0, 0])
    return any(np.array_equal(whole[r : r + height, c : c + width], wanted) for r, c in corners)


def test_figures_are_short() -> None:
    assert [figure(v) for v in (0.0, -0.0, 3.0, -12.0, 1 / 9, -0.5, 1234.5)] == [
        *("0", "0", "3", "-12", "0.111", "-0.5", "1.23e+03"),
    ]
    assert matrix_lines(np.array([[1, -20], [300, 4]])) == ["  1 -20", "300   4"]


def test_a_matrix_is_tinted_by_sign_and_size() -> None:
    image = matrix_image(np.array([[4.0, -4.0, 0.0, 1.0]]))
    width = (image.width - 1) // 4
    blue, orange, white, pale = (image.getpixel((place * width + 3, 3)) for place in range(4))
    assert white == (255, 255, 255)
    assert isinstance(blue, tuple) and isinstance(orange, tuple) and isinstance(pale, tuple)
    assert blue[2] > blue[0] and orange[0] > orange[2] and pale[0] > blue[0]

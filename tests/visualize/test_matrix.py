"""Numbers in few digits, and their table."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.matrix import decimal, figure, matrix_image, matrix_lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3"),
        (-0.5, "−0.5"),
        (0.25, "0.2500"),
        (-1 / 3, "−0.3333"),
        (12.0, "12"),
    ],
)
def test_a_decimal_has_as_many_digits_as_it_needs_and_four_at_most(value: float, text: str) -> None:
    assert decimal(value) == text


def test_a_figure_has_the_digits_that_are_asked_for() -> None:
    assert [figure(1 / 3, digits) for digits in (2, 3, 5)] == ["0.33", "0.333", "0.33333"]
    assert figure(1e6) == "1e+06" and figure(999_999.0) == "999999"
    assert matrix_lines(np.array([[1 / 3, -2]]), digits=2) == ["0.33   -2"]


def test_a_matrix_of_zeros_is_white() -> None:
    image = matrix_image(np.zeros((2, 3)))
    cell = (image.width - 1) // 3
    assert {image.getpixel((place * cell + 3, 3)) for place in range(3)} == {(255, 255, 255)}


def test_every_number_has_room() -> None:
    short, long = (matrix_image(np.array([[1.0, value]])) for value in (2.0, 0.123))
    assert long.width > short.width and long.height == short.height
    wide = matrix_image(np.array([[1.0, 2.0]]), written=lambda value: f"{value:.12f}")
    assert wide.width > 2 * long.width
    assert matrix_image(np.array([[1.0, 2.0]]), size_px=40).height > short.height


def test_rows_lie_under_each_other() -> None:
    image = matrix_image(np.array([[5.0], [-5.0], [0.0]]))
    cell = (image.height - 1) // 3
    blue, orange, white = (image.getpixel((3, place * cell + 3)) for place in range(3))
    assert isinstance(blue, tuple) and isinstance(orange, tuple)
    assert blue[2] > blue[0] and orange[0] > orange[2] and white == (255, 255, 255)


def test_the_largest_number_can_still_be_read() -> None:
    """Black on its ground, by the contrast that WCAG 2 asks for."""
    image = matrix_image(np.array([[9.0, -9.0]]))
    cell = (image.width - 1) // 2
    for place in range(2):
        pixel = image.getpixel((place * cell + 3, 3))
        assert isinstance(pixel, tuple)
        linear = [(one / 255 / 12.92 if one <= 10 else ((one / 255 + 0.055) / 1.055) ** 2.4) for one in pixel]
        assert (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05) / 0.05 > 7

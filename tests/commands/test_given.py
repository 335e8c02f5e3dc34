"""Matrices as typed, and pictures that are made smaller."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.commands.given import given, is_vector, matrix, vector
from cnnexp.errors import InputError


def test_a_matrix_is_taken_as_it_is() -> None:
    found = given("[[1, -2.5], [3, 400]]")
    assert found.values.tolist() == [[[1, -2.5], [3, 400]]]
    assert found.typed and found.notes == []


def test_a_large_picture_is_shrunk_and_says_so(tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 800, 3), 77, np.uint8)).save(tmp_path / "wide.png")
    found = given(str(tmp_path / "wide.png"))
    assert found.values.shape == (3, 150, 400) and (found.values == 77).all()
    assert found.notes == ["wide.png: 300×800 is shrunk to 150×400 first"]


def test_a_small_picture_keeps_its_size(tmp_path: Path) -> None:
    Image.fromarray(np.full((30, 400, 3), 77, np.uint8)).save(tmp_path / "small.png")
    found = given(str(tmp_path / "small.png"), grey=True)
    assert found.values.shape == (1, 30, 400) and found.notes == [] and not found.typed


@pytest.mark.parametrize(
    "text", ["[[1,2],[3]]", "[[]]", "[]", "[[true]]", "[[1e999]]", "[[NaN]]", '[["a"]]', "[1,2]", "[[1"]
)
def test_what_is_no_matrix(text: str) -> None:
    with pytest.raises(InputError, match=r"--kernel \[.*matrix of numbers"):
        matrix(text, "--kernel ")


def test_a_row_of_numbers() -> None:
    assert is_vector("[0.1,1]") and is_vector(" [ 1]")
    assert not is_vector("[[1]]") and not is_vector(" [ [1]]") and not is_vector("photo.jpg")
    assert vector("[0.1, 1, -2]", 3).tolist() == [0.1, 1, -2]
    with pytest.raises(InputError, match="at most 2"):
        vector("[1,2,3]", 2)
    for text in ("[]", "[[1]]", '["a"]', "[1"):
        with pytest.raises(InputError, match="a row of numbers"):
            vector(text, 9)

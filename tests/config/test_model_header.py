"""Words of a net's line that look like facts and are none; lines of shipped nets are read in the tests of the zoo."""

from __future__ import annotations

import pytest

from cnnexp.config.model_header import model_header, takes_a_name


@pytest.mark.parametrize(
    ("line", "side"),
    [
        ("Net for 224x224 pictures", 224),
        ("Net with 3x3 filters on 32x32 pictures", 32),
        ("Net with 32x48 maps", None),
        ("Net for 1024x1024 pictures", None),
        ("Net of 7x7 and 5x5 filters", None),
    ],
)
def test_a_side_is_of_a_square_picture_and_not_of_a_filter(line: str, side: int | None) -> None:
    assert model_header(line).side == side


@pytest.mark.parametrize(
    ("line", "paper"),
    [
        ("Net (LeCun et al. 1998, figure 2): 1 parameters", "LeCun et al. 1998"),
        ("Net (two layers, Wang et al. 2017)", None),
        ("Net (He 20155)", None),
        ("Net (Zhu and Li 2021)", "Zhu and Li 2021"),
    ],
)
def test_a_paper_is_authors_and_a_year(line: str, paper: str | None) -> None:
    assert model_header(line).paper == paper


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ResNet-20 for pictures", "ResNet-20"),
        ("VGG: sixteen layers", "VGG"),
        ("U-Net, with padding", "U-Net"),
        ("A net on digits; small", "A net"),
        ("Formless", "Formless"),
    ],
)
def test_a_name_ends_where_the_line_goes_on(line: str, name: str) -> None:
    assert model_header(line).name == name


def test_the_first_number_of_parameters_counts_with_all_its_digits() -> None:
    assert model_header("Net: 1,234,567 parameters, 99 parameters of them in the head").parameters == 1_234_567
    assert model_header("Net: 8 parameters").parameters == 8
    assert model_header("Net with parameters").parameters is None


def test_a_line_that_stands_for_a_whole_library_is_no_net() -> None:
    assert takes_a_name("Any net of torchvision") and not takes_a_name("A net like Any other")

"""Columns that fit: what is cut, what goes, and that nothing is ever wider than the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cnnexp.report.columns import Column, Grid, fitted, labelled, narrowed, total_width


def setting(name: str, *cells: str, place: int = 1) -> Column:
    return Column(name, cells, place, key=f"of.{name}")


RUN = Column("run", ("20261121-093105", "20261121-093106"), 0)
SCORE = Column("accuracy", ("0.9000", "-"), 9, numeric=True)
MODEL = setting("model", "a_net_with_a_long_name", "resnet20")


def lines(*columns: Column, colour: bool = False, width: int = 80) -> list[str]:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    console.print(Grid(columns))
    return stream.getvalue().splitlines()


def test_the_width_counts_the_cells_of_a_terminal() -> None:
    assert RUN.width == 15 and Column("x", ("模型",), 0).width == 4
    assert Column("x", ("abcdef",), 0, widest=4).width == 4
    assert total_width([RUN, SCORE]) == 15 + 2 + 8


def test_the_widest_setting_is_cut_first_and_figures_never() -> None:
    wide, short = MODEL, setting("data", "cifar10_padded", "mnist")
    kept = narrowed([RUN, wide, short, SCORE], 15 + 14 + 14 + 8 + 6)
    assert [column.width for column in kept] == [15, 14, 14, 8]
    kept = narrowed([RUN, wide, short, SCORE], 10)
    assert [column.width for column in kept] == [15, 8, 8, 8], "as narrow as can be read, and no narrower"


def test_what_has_room_is_left_as_it_is() -> None:
    columns = [RUN, MODEL, SCORE]
    width = total_width(columns)
    assert fitted(columns, width) == (columns, [])
    assert fitted(columns, width - 1)[0][1].width == MODEL.width - 1


def test_the_last_settings_go_first_and_are_named_in_their_order() -> None:
    settings = [setting(name, "x" * 20, "y") for name in ("first", "second", "third", "fourth")]
    kept, left_out = fitted([RUN, *settings, SCORE], 15 + 2 + 8 + 2 + 8 + 2 + 8)
    assert [column.header for column in kept] == ["run", "first", "second", "accuracy"]
    assert left_out == ["of.third", "of.fourth"]
    assert total_width(kept) == 45


def test_without_settings_nothing_can_go() -> None:
    assert fitted([RUN, SCORE], 5) == ([RUN, SCORE], [])


def test_numbers_stand_at_the_right_and_words_at_the_left() -> None:
    assert lines(RUN, MODEL, SCORE) == [
        "run              model                   accuracy",
        "─" * 49,
        "20261121-093105  a_net_with_a_long_name    0.9000",
        "20261121-093106  resnet20                       -",
    ]


def test_what_is_cut_ends_in_an_ellipsis() -> None:
    cut = lines(Column("model", ("a_long_name", "模型模型模型"), 0, widest=8), SCORE)
    assert cut[2].split() == ["a_long_…", "0.9000"]
    assert cut[3].startswith("模型模…  "), "a half letter is no letter"


def test_colours_change_no_letter() -> None:
    styled = Column("", ("differ", "open"), 5, styles=("green", "yellow"))
    plain, coloured = lines(RUN, styled, SCORE), lines(RUN, styled, SCORE, colour=True)
    assert any("\x1b[32m" in line for line in coloured) and any("\x1b[33m" in line for line in coloured)
    import re

    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain


def test_columns_of_different_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="shorter"):
        lines(RUN, Column("x", ("1",), 1))


def test_long_texts_are_folded_beside_their_label() -> None:
    stream = io.StringIO()
    Console(file=stream, width=20, highlight=False).print(labelled([("command", "a" * 20), ("seed", "[3]")]))
    found = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert found == ["command  aaaaaaaaaaa", "         aaaaaaaaa", "seed     [3]"]

"""Words and figures of the table of groups, for groups that are made by hand."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from cnnexp.report.examples import Paired
from cnnexp.report.groups import Group, Grouped, Pair
from cnnexp.report.groups_table import (
    MOST_PAIRS,
    GroupsTable,
    as_rows,
    letter,
    p_figure,
    picture_lines,
    said,
    signed,
)
from cnnexp.statistics.means import Difference, Estimate

OPEN = Difference("paired t-test", 3, -0.0123, -0.05, 0.025, 0.2, -0.8, 7)


def group(mean: float, **settings: object) -> Group:
    return Group(settings, (), {}, Estimate(3, mean, 0.01, mean - 0.02, mean + 0.02))


def grouped(count: int, tested: int, **changes: object) -> Grouped:
    groups = tuple(group(0.9 - 0.01 * place, lr=0.1 / (place + 1)) for place in range(count))
    places = [(first, second) for first in range(count) for second in range(first + 1, count)]
    pairs = tuple(Pair(*two, OPEN if number < tested else None, 0.2) for number, two in enumerate(places))
    made = Grouped("test/accuracy", ("lr",), ("seed",), groups, pairs)
    return replace(made, **changes)  # type: ignore[arg-type]


def printed(table: Grouped, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(GroupsTable(table))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("seeds", "p", "words"),
    [
        (None, None, ""),
        (replace(OPEN, p=None), None, "no scatter to judge by"),
        (OPEN, 0.049, "differ"),
        (OPEN, 0.051, "open: 7 more seeds"),
        (replace(OPEN, further=1), 0.2, "open: 1 more seed"),
        (replace(OPEN, further=0), 0.2, "open: 1 more seed"),  # settled alone, but not among so many pairs
        (replace(OPEN, further=None), 0.2, "open: > 1,000 seeds"),
    ],
)
def test_what_a_comparison_comes_to(seeds: Difference | None, p: float | None, words: str) -> None:
    assert said(Pair(0, 1, seeds, p)) == words


def test_letters_go_on_after_z() -> None:
    assert [letter(place) for place in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("p", "figure"),
    [(None, "-"), (0.0009999, "< 0.001"), (0.001, "0.001"), (0.0312, "0.031"), (0.1, "0.10"), (1, "1.00")],
)
def test_a_p_value_has_the_digits_that_matter(p: float | None, figure: str) -> None:
    assert p_figure(p) == figure


def test_a_difference_has_its_sign() -> None:
    assert [signed("test/accuracy", one) for one in (0.0123, -0.0123, 0.0, None)] == [
        "+0.0123",
        "−0.0123",
        "+0.0000",
        "-",
    ]
    assert signed("test/loss", -12.3456) == "−12.35"


def test_whether_more_is_better_stands_above() -> None:
    assert printed(grouped(2, 1)).startswith("test/accuracy (higher is better), the mean over seeds\n")
    other = grouped(2, 1, metric="test/loss", varying=())
    assert printed(other).startswith("test/loss (lower is better), the mean over single runs\n")


def test_of_many_pairs_those_with_the_best_are_shown() -> None:
    """Of 7 groups, 21 pairs."""
    text = printed(grouped(7, 21))
    shown = [line.split()[:3] for line in text.splitlines() if " − " in line[:6]]
    assert shown == [["A", "−", other] for other in "BCDEFG"]
    assert "21 pairs were compared; shown are those with A (--json has all)" in text
    assert len([line for line in printed(grouped(6, 15)).splitlines() if " − " in line[:6]]) == MOST_PAIRS


def test_only_corrected_p_values_are_called_so() -> None:
    assert "p (Holm)" in printed(grouped(3, 3)) and "p (Holm)" not in printed(grouped(2, 1))


def test_pairs_that_no_seeds_tell_apart_are_not_in_the_table() -> None:
    text = printed(grouped(2, 0))
    assert "difference" not in text and "standard deviations" not in text


def test_more_groups_than_anybody_compares_are_said() -> None:
    assert "more than 30 groups: name fewer runs" in printed(grouped(31, 0, pairs=()))


def test_the_last_part_of_a_key_is_its_name_unless_two_have_the_same() -> None:
    one = grouped(1, 0, keys=("model.depth", "data.depth", "optimizer.lr"), groups=(
        group(0.9, **{"model.depth": 3, "data.depth": None, "optimizer.lr": 0.1}),
    ))  # fmt: skip
    header, _, row = printed(one, 120).splitlines()[1:4]
    assert header.split()[:3] == ["model.depth", "data.depth", "lr"]
    assert row.split()[:4] == ["A", "3", "-", "0.1"]


def test_what_the_pictures_say_of_two_runs() -> None:
    mcnemar = Paired("accuracy", "McNemar's exact test", 1000, -0.013, -0.02, -0.006, 0.0004, 3, 16)
    assert list(picture_lines(mcnemar, "A − B")) == [
        "picture by picture: A − B = −0.013 in accuracy, 95 % interval −0.02 to −0.006",
        "McNemar's exact test, 1,000 pictures: 3 right with the first alone, 16 with the second; p < 0.001",
        "this judges the two nets; whether their settings differ, several seeds will tell",
    ]
    scores = replace(mcnemar, only_first=None, only_second=None, p=0.25, method="permuted signs")
    assert list(picture_lines(scores, "A − B"))[1] == "permuted signs, 1,000 pictures; p = 0.25"
    assert list(picture_lines("a has no\x1b[2J predictions.csv", "A − B")) == [
        "picture by picture: a has no?[2J predictions.csv"
    ]


def test_a_row_for_each_group() -> None:
    first, second = as_rows(grouped(2, 1))
    assert (first["lr"], first["n"], first["mean"]) == (0.1, 3, 0.9)
    assert second["lr"] == 0.05 and second["low"] == pytest.approx(0.87)

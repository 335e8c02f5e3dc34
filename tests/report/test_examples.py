"""Two runs picture by picture, against values by hand and what chance does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cnnexp.report.examples import Examples, paired_test, same_pictures
from cnnexp.runs.read import Record


def run_with(folder: Path, text: str | None) -> Record:
    folder.mkdir()
    if text is not None:
        (folder / "predictions.csv").write_text(text)
    return Record(folder, folder.name, "finished")


def labels(predictions: str, targets: str = "aabb") -> str:
    rows = [f"{place},{target},{one},0.9" for place, (target, one) in enumerate(zip(targets, predictions, strict=True))]
    return "\n".join(["index,target,prediction,probability", *rows, ""])


def test_pictures_that_one_net_alone_got_right_are_counted(tmp_path: Path) -> None:
    examples = same_pictures(run_with(tmp_path / "a", labels("aabb")), run_with(tmp_path / "b", labels("baaa")))
    assert isinstance(examples, Examples)
    found = paired_test(examples)
    assert (found.n, found.only_first, found.only_second) == (4, 3, 0)
    assert found.value == pytest.approx(0.75)
    assert found.p == pytest.approx(0.25)
    assert found.low < 0.75 < found.high


def test_scores_of_pictures_are_compared_too(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    base = draws.gamma(2, 0.01, 300)
    texts = [
        "\n".join(["index,mse", *(f"{i},{v:.8f}" for i, v in enumerate(base * factor)), ""]) for factor in (1, 1.1)
    ]
    examples = same_pictures(*(run_with(tmp_path / name, text) for name, text in zip("ab", texts, strict=True)))
    assert isinstance(examples, Examples)
    found = paired_test(examples)
    assert (found.name, found.only_first, found.p < 0.002) == ("mse", None, True)
    oracle = stats.ttest_rel(examples.first, examples.second).confidence_interval()
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), rel=0.1)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (labels("aabb"), None, "b has no predictions.csv"),
        (labels("aabb"), labels("aabb", "abab"), "tested on different pictures"),
        (labels("aabb"), labels("aab", "aab"), "tested on different pictures"),
        (labels("aabb"), "index,mse\n0,1\n1,1\n2,1\n3,1\n", "of different kinds"),
        ("index,mse\n0,x\n", "index,mse\n0,1\n", "of different kinds"),
        ("index,thing\n0,1\n", "index,thing\n0,1\n", "of different kinds"),
        ("index,score,x1\n0,1,1\n", "index,score,x1\n0,1,1\n", "boxes are judged together"),
        ("", labels("aabb"), "there are no predictions"),
    ],
)
def test_why_runs_cannot_be_compared(tmp_path: Path, first: str, second: str | None, why: str) -> None:
    found = same_pictures(run_with(tmp_path / "a", first), run_with(tmp_path / "b", second))
    assert isinstance(found, str)
    assert why in found


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text(labels("aabb"))
    linked = run_with(tmp_path / "a", None)
    (linked.folder / "predictions.csv").symlink_to(tmp_path / "elsewhere.csv")
    found = same_pictures(linked, run_with(tmp_path / "b", labels("aabb")))
    assert isinstance(found, str) and "a link" in found


def test_equal_answers_differ_in_nothing() -> None:
    same = np.array([1.0, 0.0, 1.0])
    found = paired_test(Examples("accuracy", same, same, counts=True))
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)

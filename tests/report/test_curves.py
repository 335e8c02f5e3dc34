from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.report import curves
from cnnexp.report.curves import draw_curves, rows_of_epochs, series

TRAINING = (0, 114, 178)
VALIDATION = (213, 94, 0)
Row = dict[str, float | None]


def epochs(count: int) -> list[Row]:
    return [
        {
            "epoch": epoch,
            "step": 10 * epoch,
            "train/loss": 1 / epoch,
            "val/loss": 1.2 / epoch,
            "val/accuracy": 1 - 1 / epoch,
        }
        for epoch in range(1, count + 1)
    ]


def batches(count: int) -> list[Row]:
    return [{"epoch": 1, "step": step, "train/loss": 1 / step, "val/loss": None} for step in range(1, count + 1)]


def drawn(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def amount(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return int((np.abs(np.asarray(image).astype(int) - colour).sum(axis=2) < 30).sum())


def test_loss_and_score_are_two_panels_with_both_stages(tmp_path: Path) -> None:
    image = drawn(draw_curves(epochs(5), tmp_path / "curves.png", "run", monitor="val/accuracy"))
    left, right = image.crop((0, 0, image.width // 2, image.height)), image.crop((image.width // 2, 0, *image.size))
    assert amount(left, TRAINING) > 200
    assert amount(left, VALIDATION) > 200
    assert amount(right, VALIDATION) > 200
    assert amount(right, TRAINING) == 0


def test_a_loss_alone_is_one_panel(tmp_path: Path) -> None:
    one = drawn(draw_curves(batches(8), tmp_path / "a.png", "run"))
    two = drawn(draw_curves(epochs(3), tmp_path / "b.png", "run"))
    assert one.width < 0.7 * two.width


def test_losses_of_opponents_are_a_panel_each_and_no_epoch_of_theirs_is_the_best(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"epoch": one, "step": 10 * one, "val/one": 1.0, "train/one": 0.5, "val/other": 2.0, "val/frechet": 9.0 - one}
        for one in (1, 2, 3)
    ]
    panels: list[tuple[str, float | None]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "_draw_panel", lambda axes, panel, epochs, batches, best: panels.append((panel, best)))
        draw_curves(rows, tmp_path / "curves.png", "run", losses=("one", "other"))
    assert panels == [("one", None), ("other", None), ("frechet", None)]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        epochs(1),
        batches(1),
        batches(30),
        batches(10) + epochs(1),
        [{"epoch": None, "step": None, "train/loss": 1.0}],
        [{"epoch": 1.0, "step": 5.0, "train/loss": math.nan, "val/loss": math.inf}],
        [
            {"epoch": 1.0, "step": 0.0, "train/loss": 1e6, "val/loss": 1e-6},
            {"epoch": 2.0, "step": 0.0, "val/loss": -1.0},
        ],
    ],
    ids=["nothing", "one epoch", "one batch", "batches", "both", "no place", "not finite", "no steps"],
)
def test_any_rows_give_a_picture(tmp_path: Path, rows: list[Row]) -> None:
    image = drawn(draw_curves(rows, tmp_path / "new" / "curves.png", "a $title_ with \x1b and 漢"))
    assert image.width > 300
    assert (np.asarray(image) < 128).any()


def test_gaps_are_bridged_by_what_is_there() -> None:
    rows = epochs(4)
    rows[1] |= {"val/loss": None, "val/accuracy": None}
    rows[2] |= {"train/loss": math.nan}
    places = [1.0, 2.0, 3.0, 4.0]
    assert rows_of_epochs(rows) == [True] * 4
    assert [place for place, _ in series(rows, places, "val/loss", rows_of_epochs(rows))] == [1.0, 3.0, 4.0]
    assert [place for place, _ in series(rows, places, "train/loss", rows_of_epochs(rows))] == [1.0, 2.0, 4.0]


def test_rows_of_batches_are_told_from_rows_of_epochs() -> None:
    rows = [*batches(3), *epochs(2), {"epoch": 3, "step": 25, "train/loss": 0.1}]
    assert rows_of_epochs(rows) == [False, False, False, True, True, False]
    assert rows_of_epochs(batches(3)) == [False, False, False]


def test_the_best_epoch_is_marked_where_it_was(tmp_path: Path) -> None:
    """The star's black rim, the widest dark thing inside the panel, moves with the best epoch."""
    early = drawn(draw_curves(epochs(9), tmp_path / "a.png", "run", best_epoch=2))
    late = drawn(draw_curves(epochs(9), tmp_path / "b.png", "run", best_epoch=8))
    changed = np.abs(np.asarray(early).astype(int) - np.asarray(late)).sum(axis=2) > 100
    panel = changed[60:330, : early.width // 2]
    columns = np.flatnonzero(panel.sum(axis=0) > 20)
    assert columns.min() < 0.4 * panel.shape[1]
    assert columns.max() > 0.7 * panel.shape[1]


def test_a_failure_leaves_the_old_picture_and_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw_curves(epochs(2), tmp_path / "curves.png", "run")
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        draw_curves(epochs(3), path, "run")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]

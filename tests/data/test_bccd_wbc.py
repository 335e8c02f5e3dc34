from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


def test_facts(mirrored: Path) -> None:
    made = make_data_set("bccd_wbc")
    splits = load_all(made)
    assert {split: len(part) for split, part in splits.items()} == {"train": 194, "val": 85, "test": 65}
    for part in splits.values():
        batch = all_of(part)
        assert batch["image"].shape[1:] == (3, 48, 64)
        assert batch["classes"].shape == (len(part), 1) and batch["classes"].unique().tolist() == [0]
    mean, std = measured(all_of(splits["train"])["image"])
    stated = read_conf("bccd_wbc")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-4)  # JPEG decoders differ a little
    assert std == pytest.approx(stated["std"], abs=6e-4)
    census = made.census()
    assert census is not None
    assert census.line() == "364 pictures: 344 used, 20 left out (20 with no white cell, or several)"


def test_boxes_are_those_of_the_white_cells(mirrored: Path) -> None:
    """As the whole data set has them, at the same size."""
    some, everything = (make_data_set(name, image_size=[240, 320]).load("val") for name in ("bccd_wbc", "bccd"))
    names = list(everything.names or ())
    for position, name in enumerate(some.names or ()):
        one, whole = some.batch([position]), everything.batch([names.index(name)])
        white = whole["boxes"][whole["classes"] == 1]
        assert white.tolist() == one["boxes"][0].tolist()

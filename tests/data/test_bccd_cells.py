from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnexp.data.base import Split
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


@pytest.fixture(scope="module")
def splits(mirrored: Path) -> dict[str, Split]:
    return load_all(make_data_set("bccd_cells"))


def test_facts(splits: dict[str, Split]) -> None:
    counts = torch.stack([all_of(split)["label"].bincount(minlength=3) for split in splits.values()])
    assert counts.sum(0).tolist() == [4155 - 2, 372, 361]  # of the red cells two boxes are single pixels
    assert counts.sum(1).tolist() == [2804, 1137, 945]


def test_no_picture_gives_cells_to_two_splits(splits: dict[str, Split]) -> None:
    pictures = [{name.split("#")[0] for name in split.names or ()} for split in splits.values()]
    assert [len(one) for one in pictures] == [205, 87, 72]
    assert len(set.union(*pictures)) == 364


def test_mean_and_std_are_those_of_the_training_cells(splits: dict[str, Split]) -> None:
    mean, std = measured(all_of(splits["train"])["image"])
    stated = read_conf("bccd_cells")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-4)
    assert std == pytest.approx(stated["std"], abs=6e-4)


def test_the_middle_of_a_white_cell_is_the_dark_one(splits: dict[str, Split]) -> None:
    """Its nucleus is stained: less green there than in the middle of a red cell."""
    batch = all_of(splits["val"])
    green = batch["image"][:, 1, 20:44, 20:44].float().mean((1, 2))
    red, white = (green[batch["label"] == kind].mean() for kind in (0, 1))
    assert white < red - 20

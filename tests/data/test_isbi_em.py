from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.data.base import Split
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


@pytest.fixture(scope="module")
def splits(mirrored: Path) -> dict[str, Split]:
    return load_all(make_data_set("isbi_em"))


def test_facts(splits: dict[str, Split]) -> None:
    assert {split: len(part) for split, part in splits.items()} == {"train": 20, "val": 5, "test": 5}
    census = make_data_set("isbi_em").census()
    assert census is not None and census.remarks == ["all 30 published slices of isbi_em"]
    # Contiguous: neighbouring slices are nearly the same picture.
    assert [name for split in splits.values() for name in split.names or ()] == [f"{i}.png" for i in range(30)]
    for split in splits.values():
        batch = all_of(split)
        assert batch["image"].shape[1:] == (1, 512, 512)
        assert batch["mask"].shape[1:] == (512, 512)
        assert batch["mask"].unique().tolist() == [0, 1]


def test_class_one_is_membrane(splits: dict[str, Split]) -> None:
    """Membranes are the lesser part, about 22 %, and darker than the cells between them."""
    batch = all_of(splits["train"])
    assert read_conf("isbi_em")["data"]["classes"][1] == "membrane"
    membrane = batch["mask"] == 1
    assert membrane.float().mean() == pytest.approx(0.22, abs=0.01)
    image = batch["image"][:, 0].float()
    assert image[membrane].mean() < image[~membrane].mean() - 30


def test_mean_and_std_are_those_of_the_training_pictures(splits: dict[str, Split]) -> None:
    mean, std = measured(all_of(splits["train"])["image"])
    stated = read_conf("isbi_em")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-5)
    assert std == pytest.approx(stated["std"], abs=6e-5)


def test_masks_stay_classes_when_resized(mirrored: Path) -> None:
    batch = make_data_set("isbi_em", image_size=[100, 120]).load("val").batch([0])
    assert batch["image"].shape == (1, 1, 100, 120)
    assert batch["mask"].unique().tolist() == [0, 1]

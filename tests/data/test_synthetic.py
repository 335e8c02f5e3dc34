from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.draws import uniform
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


def test_facts() -> None:
    splits = load_all(make_data_set("synthetic", count=2000))
    assert {name: len(split) for name, split in splits.items()} == {"train": 2000, "val": 200, "test": 200}
    batch = all_of(splits["train"])
    assert batch["image"].shape == (2000, 3, 32, 32)
    assert batch["image"].dtype == torch.uint8
    assert batch["image"].flatten().bincount(minlength=256).min() > 0.95 * 2000 * 3072 / 256
    assert batch["label"].bincount(minlength=10).min() > 150
    assert not torch.equal(batch["image"][:200], all_of(splits["val"])["image"])


def test_mean_and_std_are_those_stated() -> None:
    mean, std = measured(all_of(make_data_set("synthetic", count=2000).load("train"))["image"])
    stated = read_conf("synthetic")["data"]
    assert mean == pytest.approx(stated["mean"], abs=1e-3)
    assert std == pytest.approx(stated["std"], abs=1e-3)


def test_the_same_pictures_each_time_and_the_first_ones_whatever_the_count() -> None:
    few, more = (make_data_set("synthetic", count=count).load("train") for count in (7, 11))
    assert torch.equal(few.batch(range(7))["image"], more.batch(range(7))["image"])
    first = int(uniform(0x5F7, 0, 1, np.array(0)) * 2**48).to_bytes(6, "little")
    assert few.batch([0])["image"].flatten()[:6].tolist() == list(first)


def test_other_sizes() -> None:
    batch = make_data_set("synthetic", count=3, image_size=[5, 7], channels=1).load("val").batch([0])
    assert batch["image"].shape == (1, 1, 5, 7)


@pytest.mark.parametrize(
    ("count", "says"), [(0, "at least 1"), (True, "at least 1"), (2.5, "at least 1"), (400_000, "at most 349525")]
)
def test_a_count_that_makes_no_sense_is_refused(count: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make_data_set("synthetic", count=count)

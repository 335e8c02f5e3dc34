"""The data set that a configuration names gets what it asks for, and nothing is given that nobody reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnexp.builders.datasets import build_data, build_dataset, prepared_data
from cnnexp.builders.facts import provisional_facts
from cnnexp.data.apart import Apart
from cnnexp.data.folded import Folded
from cnnexp.data.image_folder import ImageFolder
from cnnexp.data.part import Part
from cnnexp.data.synthetic import Synthetic
from cnnexp.errors import InputError
from cnnexp.sampling.per_class import PerClass
from tests.builders.made import configuration
from tests.data.tiny import write_class_folders


def lines(config: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as refused:
        build_dataset(config)
    return list(refused.value.lines)


def own(root: Path, **changes: Any) -> dict[str, Any]:
    """A folder of the user's."""
    config = configuration(data={"_target_": "cnnexp.data.image_folder.ImageFolder", "root": str(root), **changes})
    del config["data"]["count"]
    return config


def test_what_it_asks_for_it_gets_and_lists_are_fixed() -> None:
    made = build_dataset(configuration(data={"count": 12, "image_size": [4, 6]}))
    assert isinstance(made, Synthetic)
    assert (made.count, made.channels, made.image_size) == (12, 3, (4, 6))
    assert made.classes == ("ant", "bee", "cat")


@pytest.mark.parametrize(("given", "stored"), [([12, 16], (12, 16)), (1.5, (12, 12)), (None, (8, 8))])
def test_pictures_are_decoded_at_the_size_that_is_stored(given: Any, stored: tuple[int, int], tmp_path: Path) -> None:
    made = build_dataset(own(tmp_path, decode_size=given))
    assert isinstance(made, ImageFolder) and made.image_size == stored


def test_a_key_that_nothing_reads_is_refused_where_it_holds_something() -> None:
    assert lines(configuration(data={"cuont": 3, "root": None}))[0].startswith("data.cuont: nothing reads it in Synth")
    assert isinstance(build_dataset(configuration(data={"root": None})), Synthetic), "null asks for nothing"


def test_keys_of_a_disk_are_refused_where_all_is_in_memory() -> None:
    assert lines(configuration(data={"workers": 2, "in_memory": False})) == [
        "data.in_memory=False: nothing reads it, data=synthetic is always in memory",
        "data.workers=2: nothing reads it, data=synthetic is always in memory",
    ]


def test_keys_of_a_disk_reach_what_is_on_one(tmp_path: Path) -> None:
    made = build_dataset(own(tmp_path, in_memory=False, workers=2))
    assert isinstance(made, ImageFolder) and made.in_memory is False


def test_folds_are_dealt_only_where_they_are_asked_for() -> None:
    made = build_dataset(configuration(data={"split": {"folds": 5, "fold": 2, "group": None}}))
    assert isinstance(made, Folded) and (made.folds, made.fold) == (5, 2)
    assert isinstance(made.dataset, Synthetic)
    (line,) = lines(configuration(data={"split": {"folds": 5, "fold": None, "group": None}}))
    assert "data.split.fold=0" in line


def test_a_group_is_handed_on_and_held_to() -> None:
    made = build_dataset(configuration(data={"split": {"folds": None, "fold": None, "group": "folder"}}))
    assert isinstance(made, Apart) and made.dataset.group == "folder"
    made = build_dataset(configuration(data={"split": {"folds": 5, "fold": 2, "group": "folder"}}))
    assert isinstance(made, Folded) and made.dataset.group == "folder"


def test_the_loaders_have_the_runs_numbers() -> None:
    config = configuration(seed=7, batch_size=5, data={"fraction": 0.5})
    sampling = PerClass(samples=2)
    data = build_data(config, build_dataset(config), provisional_facts(config), sampling)
    assert (data.seed, data.batch_size, data.part, data.workers) == (7, 5, Part(0.5), 0)
    assert data.sampling is sampling and len(data.train_positions()) == 20


def test_prepared_data_knows_the_classes_that_are_found(tmp_path: Path) -> None:
    data = prepared_data(own(write_class_folders(tmp_path, 10), classes=None))
    assert data.facts.names("label") == ("cat", "dog")
    assert sum(len(data.split(name)) for name in ("train", "val", "test")) == 20
    with pytest.raises(InputError, match="nowhere"):
        prepared_data(own(tmp_path / "nowhere", classes=None))

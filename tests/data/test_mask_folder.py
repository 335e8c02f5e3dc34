from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, write_mask, write_picture


def write_pairs(root: Path, values: list[int], count: int = 20) -> Path:
    """Masks that show the values from left to right in stripes."""
    stripes = np.resize(np.array(values), 30)
    for i in range(count):
        write_picture(root / "images" / f"p{i:02}.jpg")
        write_mask(root / "masks" / f"p{i:02}.png", np.tile(stripes, (20, 1)))
    return root


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """No test of a folder touches the user's cache."""


def test_numbered_classes_and_void(tmp_path: Path) -> None:
    made = make_data_set("mask_folder", root=str(write_pairs(tmp_path, [0, 1, 2, 255])), image_size=[20, 30])
    made.prepare()
    assert made.class_names() == ("0", "1", "2")
    splits = load_all(made)
    assert {name: len(split) for name, split in splits.items()} == {"train": 16, "val": 2, "test": 2}
    assert all_of(splits["val"])["mask"][0, 0, :5].tolist() == [0, 1, 2, 255, 0]


def test_black_and_white_is_background_and_foreground(tmp_path: Path) -> None:
    made = make_data_set("mask_folder", root=str(write_pairs(tmp_path, [0, 255])), image_size=[20, 30])
    assert made.class_names() == ("background", "foreground")
    assert all_of(made.load("test"))["mask"].unique().tolist() == [0, 1]


def test_classes_have_names(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, [0, 1, 2])
    (root / "classes.txt").write_text("soil\ncrop\nweed\n")
    assert make_data_set("mask_folder", root=str(root)).class_names() == ("soil", "crop", "weed")
    other = make_data_set("mask_folder", root=str(root), classes=["weed", "soil", "crop"], image_size=[20, 30])
    assert other.class_names() == ("weed", "soil", "crop")
    assert all_of(other.load("val"))["mask"][0, 0, :4].tolist() == [1, 2, 0, 1], "soil, crop and weed by their names"
    with pytest.raises(InputError, match=r"no 'wed' in the data, .*; did you mean weed\?"):
        make_data_set("mask_folder", root=str(root), classes=["soil", "crop", "wed"]).class_names()


def test_numbers_are_named_where_no_file_does(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, [0, 1, 2])
    named = make_data_set("mask_folder", root=str(root), classes=["a", "b", "c", "d"])
    assert named.class_names() == ("a", "b", "c", "d")
    with pytest.raises(InputError, match=r"no training sample in .* shows d; leave it out"):
        named.refuse_untaught()
    make_data_set("mask_folder", root=str(root), classes=["a", "b", "c"]).refuse_untaught()


def test_black_and_white_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, [0, 255])
    (root / "classes.txt").write_text("soil\nleaf\n")
    made = make_data_set("mask_folder", root=str(root), classes=["leaf", "soil"], image_size=[20, 30])
    assert all_of(made.load("test"))["mask"][0, 0, :2].tolist() == [1, 0]


def test_split_folders(tmp_path: Path) -> None:
    for split, count in {"train": 4, "val": 2, "test": 1}.items():
        write_pairs(tmp_path / split, [0, 1], count)
    splits = load_all(make_data_set("mask_folder", root=str(tmp_path)))
    assert {name: len(split) for name, split in splits.items()} == {"train": 4, "val": 2, "test": 1}


def test_pictures_and_masks_without_each_other_are_counted(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, [0, 1])
    (root / "masks" / "p04.png").rename(root / "masks" / "p04_mask.png")
    made = make_data_set("mask_folder", root=str(root))
    made.prepare()
    census = made.census()
    assert census is not None and census.used("pictures") == census.used("masks") == 19
    (mask,), (picture,) = census.left_out("masks"), census.left_out("pictures")
    assert mask.help == "rename p04_mask.png to p04.png" and picture.names == ["images/p04.jpg"]
    for i in range(20):
        (root / "masks" / f"p{i:02}.png").unlink(missing_ok=True)
    with pytest.raises(
        InputError, match=r"p04_mask\.png: without a picture of that name.* rename p04_mask\.png to p04"
    ):
        make_data_set("mask_folder", root=str(root)).prepare()


def test_a_mask_of_another_size(tmp_path: Path) -> None:
    root = write_pairs(tmp_path, [0, 1])
    for i in range(20):
        write_mask(root / "masks" / f"p{i:02}.png", np.eye(20))
    with pytest.raises(InputError, match=r"p\d\d\.png: the mask has 20×20 pixels and its picture p\d\d\.jpg 30×20"):
        make_data_set("mask_folder", root=str(root)).load("val")


def test_a_value_that_nothing_explains(tmp_path: Path) -> None:
    for split, values in {"train": [0, 1], "val": [0, 3], "test": [0, 1]}.items():
        write_pairs(tmp_path / split, values, 2)
    with pytest.raises(InputError, match="it cannot be told what the values of the masks stand for"):
        make_data_set("mask_folder", root=str(tmp_path)).load("val")


def test_one_class_is_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one class only"):
        make_data_set("mask_folder", root=str(write_pairs(tmp_path, [0, 0]))).class_names()


def test_a_class_that_only_validation_shows(tmp_path: Path) -> None:
    for split, values in {"train": [0, 2], "val": [0, 1], "test": [0, 2]}.items():
        write_pairs(tmp_path / split, values, 2)
    with pytest.raises(InputError, match=r": val shows 1, which no training sample does"):
        make_data_set("mask_folder", root=str(tmp_path)).refuse_untaught()

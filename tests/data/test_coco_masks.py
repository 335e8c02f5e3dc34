from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnexp.data.census import BOXES
from cnnexp.data.coco_masks import box_around, read_region, stated_size
from cnnexp.data.drawn_masks import OBJECTS, Drawing
from cnnexp.errors import InputError
from tests.data.tiny import all_of, make_data_set, write_coco, write_picture

SQUARE = [[2, 1, 4, 1, 4, 3, 2, 3]]
RUNS = {"size": [3, 4], "counts": [4, 2, 1, 2, 3]}  # columns of 3: ...|.XX|.XX|...
SEEN = [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0]]


@pytest.mark.parametrize(
    "given", [RUNS, {"size": [3, 4], "counts": "42102"}, [[1, 1, 3, 1, 3, 3, 1, 3]], [1, 1, 3, 1, 3, 3, 1, 3]]
)
def test_all_forms_of_a_segmentation(given: Any) -> None:
    region = read_region("here", {"segmentation": given}, 1)
    assert region is not None
    assert Drawing((region,), "").mask((3, 4), (3, 4)).tolist() == SEEN
    assert box_around(region) == (1, 1, 3, 3)


@pytest.mark.parametrize("given", [None, [], [[]], [[1, 1, 3, 3]]])
def test_what_has_no_area_is_no_region(given: Any) -> None:
    assert read_region("here", {"segmentation": given}) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("poly", "here: its segmentation is neither"),
        ([[1, 1, 3, 1, "x", 3]], "here: an outline of its segmentation holds something other than numbers"),
        ([[1, 1, 3, 1, 3, 3, 1]], "here: an outline of its segmentation is not x y, x y"),
        ([[1, 1, 3, 1, 3, float("nan")]], "is not x y, x y"),
        ({"size": [3, 4]}, "here: its segmentation is no run-length code"),
        ({"size": [3, 4], "counts": [4, 2, 100]}, "is no run-length code"),
        ({"counts": [4, 2, 6]}, "is no run-length code"),
    ],
)
def test_other_things_are_refused(given: Any, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        read_region("here", {"segmentation": given})


def test_a_size_is_taken_where_both_are_numbers() -> None:
    assert stated_size({"height": 3, "width": 4.0}) == (3, 4)
    assert stated_size({"height": 0, "width": 4}) is None and stated_size({"width": 4}) is None


@pytest.fixture
def root(cache: Path, tmp_path: Path) -> Path:
    """Ten pictures 6×8 with a large bus (7) below a small car (3), and a crowd of cars."""
    names = [write_picture(tmp_path / "images" / f"{i:03}.png", size=(6, 8)).name for i in range(10)]
    content = json.loads(write_coco(tmp_path / "a.json", names, [(3, []), (7, []), (3, [])]).read_text())
    shapes: list[Any] = [SQUARE, [[0, 0, 8, 0, 8, 5, 0, 5]], {"size": [6, 8], "counts": [40, 2, 4, 2]}]
    for note in content["annotations"]:
        place = note["id"] % 10
        del note["bbox"]
        note |= {"segmentation": shapes[place], "iscrowd": int(place == 2)}
    (tmp_path / "a.json").write_text(json.dumps(content))
    return tmp_path


def test_masks_have_a_background_and_crowds(root: Path) -> None:
    data = make_data_set("coco", root=str(root), target="mask", image_size=[6, 8])
    assert data.class_names() == ("background", "car", "bus") and data.chosen() == ("mask",)
    batch = all_of(data.load("val"))
    assert set(batch) == {"image", "mask", "index"}
    assert batch["mask"][0].tolist() == [
        [2, 2, 2, 2, 2, 2, 2, 2],
        [2, 2, 1, 1, 2, 2, 2, 2],
        [2, 2, 1, 1, 2, 2, 2, 2],
        [2, 2, 2, 2, 2, 2, 2, 2],
        [2, 2, 2, 2, 2, 2, 1, 1],
        [0, 0, 0, 0, 0, 0, 1, 1],
    ]
    census = data.census()
    assert census is not None and census.used(OBJECTS) == 30


def test_boxes_come_from_segmentations_and_crowds_are_marked(root: Path) -> None:
    data = make_data_set("coco", root=str(root), image_size=[6, 8])
    batch = all_of(data.load("val"))
    assert batch["boxes"][0, :2].tolist() == [[2, 1, 4, 3], [0, 0, 8, 5]] and batch["classes"][0].tolist() == [0, 1, 0]
    assert batch["ignored"][0].tolist() == [False, False, True]
    census = data.census()
    assert census is not None and (census.used(BOXES), census.line()) == (
        30,
        "10 boxes of crowds, neither learnt nor counted",
    )


def test_some_classes_of_masks(root: Path) -> None:
    data = make_data_set("coco", root=str(root), target="mask", image_size=[6, 8], classes=["background", "bus"])
    assert all_of(data.load("val"))["mask"][0, 1].tolist() == [1] * 8
    with pytest.raises(InputError, match=r"data\.classes=\[background,bus\]"):
        make_data_set("coco", root=str(root), target="mask", classes=["bus"]).prepare()


def test_a_category_that_is_the_background(root: Path) -> None:
    path = root / "a.json"
    path.write_text(path.read_text().replace('"bus"', '"background"'))
    data = make_data_set("coco", root=str(root), target="mask", image_size=[6, 8])
    assert data.class_names() == ("background", "car")
    assert all_of(data.load("val"))["mask"][0, 1].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_boxes_alone_are_no_masks(cache: Path, tmp_path: Path) -> None:
    names = [write_picture(tmp_path / f"{i}.png").name for i in range(10)]
    write_coco(tmp_path / "a.json", names, [(3, [1, 1, 5, 5])])
    with pytest.raises(
        InputError, match=r"no annotation has a segmentation \(10 objects: .*; boxes alone are no masks"
    ):
        make_data_set("coco", root=str(tmp_path), target="mask").prepare()


def test_a_picture_of_another_size_than_the_file_says(root: Path) -> None:
    content = json.loads((root / "a.json").read_text())
    for image in content["images"]:
        image |= {"height": 60, "width": 80}
    (root / "a.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"a\.json, 00\d\.png: drawn on 80×60 pixels, and the picture has 8×6"):
        make_data_set("coco", root=str(root), target="mask").load("val")


def test_for_a_task_without_truth_the_pictures_alone(root: Path) -> None:
    data = make_data_set("coco", root=str(root), target=None)
    assert set(all_of(data.load("val"))) == {"image", "index"}


def test_no_class_of_masks_is_missing_in_training(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    for target in ("mask", "boxes", None):
        make_data_set("coco", root=str(root), target=target, image_size=[6, 8]).refuse_untaught()
    assert "no training sample shows" not in caplog.text


def test_instances_have_a_number_each_and_crowds_are_ignored(root: Path) -> None:
    data = make_data_set("coco", root=str(root), image_size=[6, 8], target="instances")
    assert data.class_names() == ("car", "bus") and data.chosen() == ("instances",)
    for in_memory in (True, False):
        data = make_data_set("coco", root=str(root), image_size=[6, 8], target="instances", in_memory=in_memory)
        batch = all_of(data.load("val"))
        masks = all_of(make_data_set("coco", root=str(root), image_size=[6, 8], target="mask").load("val"))["mask"]
        assert set(batch) == {"image", "instances", "boxes", "classes", "ignored", "index"}
        kinds = torch.nn.functional.pad(batch["classes"] + 1, (1, 0)).gather(1, batch["instances"].flatten(1).long())
        assert kinds.view(masks.shape).tolist() == masks.tolist()
        assert batch["ignored"][0].any() and batch["boxes"].shape[1] == batch["classes"].shape[1]
    census = data.census()
    assert census is not None and census.line() == "10 objects of crowds, neither learnt nor counted"

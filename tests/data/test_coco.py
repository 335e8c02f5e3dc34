from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, write_coco, write_picture

BOXES = [(7, [0.0, 0.0, 15.0, 10.0]), (3, [10.0, 5.0, 20.0, 15.0])]


def pictures(folder: Path, count: int, start: int = 0) -> list[str]:
    return [write_picture(folder / f"{i:03}.png").name for i in range(start, start + count)]


@pytest.fixture
def root(cache: Path, tmp_path: Path) -> Path:
    """As COCO 2017 lays it out, with the captions that come with it."""
    root = tmp_path / "coco"
    for i, (name, count) in enumerate({"train2017": 5, "val2017": 2, "test2017": 3}.items()):
        names = pictures(root / name, count, 100 * i)
        write_coco(root / "annotations" / f"instances_{name}.json", names, BOXES)
        write_coco(root / "annotations" / f"captions_{name}.json", [], [])
    return root


def test_the_layout_of_coco_2017(root: Path) -> None:
    made = make_data_set("coco", root=str(root), image_size=[40, 30])
    made.prepare()
    assert made.class_names() == ("car", "bus")  # in the order of their ids, 3 and 7
    splits = load_all(made)
    assert {name: len(split) for name, split in splits.items()} == {"train": 5, "val": 2, "test": 3}
    batch = all_of(splits["test"])
    assert batch["boxes"][0].tolist() == [[0, 0, 15, 20], [10, 10, 30, 40]]
    assert batch["classes"].tolist() == [[1, 0]] * 3


def test_one_file_for_all_is_divided(cache: Path, tmp_path: Path) -> None:
    write_coco(tmp_path / "labels.json", pictures(tmp_path / "images", 20), BOXES)
    splits = load_all(make_data_set("coco", root=str(tmp_path)))
    assert {name: len(split) for name, split in splits.items()} == {"train": 16, "val": 2, "test": 2}


def test_files_beside_their_pictures(cache: Path, tmp_path: Path) -> None:
    for i, (name, count) in enumerate({"train": 4, "valid": 2, "test": 1}.items()):
        names = pictures(tmp_path / name, count, 100 * i)
        write_coco(tmp_path / name / "_annotations.coco.json", names, BOXES)
    splits = load_all(make_data_set("coco", root=str(tmp_path)))
    assert {name: len(split) for name, split in splits.items()} == {"train": 4, "val": 2, "test": 1}


def test_some_classes_and_crowds_marked(root: Path) -> None:
    path = root / "annotations" / "instances_val2017.json"
    content = json.loads(path.read_text())
    content["annotations"][1]["iscrowd"] = 1
    path.write_text(json.dumps(content))
    batch = all_of(make_data_set("coco", root=str(root), classes=["car"]).load("val"))
    assert batch["classes"].tolist() == [[0], [0]]
    assert batch["ignored"].tolist() == [[True], [False]] and "hard" not in batch
    with pytest.raises(
        InputError, match=r"^data\.classes: no 'bos' in the data, .*coco has car, bus; did you mean bus\?"
    ):
        make_data_set("coco", root=str(root), classes=["car", "bos"]).prepare()


def test_a_category_that_only_validation_has_is_refused(root: Path) -> None:
    path = root / "annotations" / "instances_val2017.json"
    content = json.loads(path.read_text())
    content["categories"].append({"id": 9, "name": "zebra"})
    path.write_text(json.dumps(content))
    make_data_set("coco", root=str(root)).prepare()
    content["annotations"][1]["category_id"] = 9
    path.write_text(json.dumps(content))
    expected = r"instances_val2017\.json: annotations\[1\]: the class 'zebra' is not among car, bus; a class has to be"
    with pytest.raises(InputError, match=expected):
        make_data_set("coco", root=str(root)).prepare()
    with pytest.raises(InputError, match=expected):
        make_data_set("coco", root=str(root), classes=["car"]).prepare()


def test_a_class_that_only_validation_shows_is_refused_before_a_training(root: Path) -> None:
    path = root / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    content["annotations"] = [one for one in content["annotations"] if one["category_id"] != 7]
    path.write_text(json.dumps(content))
    made = make_data_set("coco", root=str(root))
    made.prepare()
    with pytest.raises(InputError, match=r"coco: val shows bus, which no training sample does; add some to train"):
        made.refuse_untaught()
    with pytest.raises(InputError, match=r"^data\.classes: no training sample in .*coco shows bus"):
        make_data_set("coco", root=str(root), classes=["car", "bus"]).refuse_untaught()


def test_no_category_at_all_is_no_data_to_learn_from(root: Path) -> None:
    path = root / "annotations" / "instances_train2017.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "annotations": [], "categories": []}))
    with pytest.raises(InputError, match=r"coco: no class in it, so there is nothing to learn"):
        make_data_set("coco", root=str(root)).prepare()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("{", r"instances_val2017\.json: not a JSON file .*line 1"),
        ("[]", r"not in the format of COCO, it has no 'images'"),
        (
            {"annotations": [{"image_id": 99, "category_id": 3, "bbox": [0, 0, 1, 1]}]},
            r"annotations\[0\] names an image",
        ),
        (
            {"annotations": [{"image_id": 0, "category_id": 5, "bbox": [0, 0, 1, 1]}]},
            r"annotations\[0\] names the category 5, which",
        ),
        (
            {"annotations": [{"image_id": 0, "category_id": 3, "bbox": [0, 0, 1]}]},
            r"annotations\[0\], of 100\.png: has no bbox of four numbers",
        ),
        ({"annotations": [{"image_id": 0}]}, r"not in the format of COCO \(KeyError: 'category_id'"),
        ({"images": [{"id": 0, "file_name": "gone.png"}], "annotations": []}, r"gone\.png: .* in none of .*val2017"),
        ({"categories": [{"id": 3}]}, r"a category has no id or no name"),
    ],
)
def test_a_bad_file_is_named(root: Path, change: str | dict[str, object], expected: str) -> None:
    path = root / "annotations" / "instances_val2017.json"
    path.write_text(change if isinstance(change, str) else json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=expected):
        make_data_set("coco", root=str(root)).prepare()


def test_no_file_or_two(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no annotation file for training"):
        make_data_set("coco", root=str(root / "train2017")).prepare()
    write_coco(root / "annotations" / "instances_train2014.json", [], [])
    with pytest.raises(InputError, match=r"instances_train2014\.json is for train too; keep one"):
        make_data_set("coco", root=str(root)).prepare()


def edited(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_an_id_of_two_images_is_refused(root: Path) -> None:
    edited(root / "annotations" / "instances_val2017.json", images=[{"id": 1, "file_name": name} for name in "ab"])
    with pytest.raises(InputError, match=r"images\[1\], b, has the id 1 of a \(1 such images\)"):
        make_data_set("coco", root=str(root)).prepare()


def test_a_picture_that_is_named_twice_has_the_boxes_of_both(root: Path) -> None:
    path = root / "annotations" / "instances_val2017.json"
    images = [{"id": 0, "file_name": "100.png"}, {"id": 1, "file_name": "100.png"}]
    other = {"image_id": 1, "category_id": 7, "bbox": [1, 2, 5, 6]}
    edited(path, images=images, annotations=[*json.loads(path.read_text())["annotations"], other])
    made = make_data_set("coco", root=str(root), image_size=[20, 30])
    batch = all_of(made.load("val"))
    assert batch["boxes"].tolist() == [[[0, 0, 15, 10], [10, 5, 30, 20], [1, 2, 6, 8]]]  # once, and once more
    assert "1 picture named twice in an annotation file, their boxes put together" in made.census().line()  # type: ignore[union-attr]


def test_annotations_of_no_image_are_counted_and_most_of_them_refused(root: Path) -> None:
    path = root / "annotations" / "instances_val2017.json"
    notes = json.loads(path.read_text())["annotations"]
    lost = {"image_id": 99, "category_id": 3, "bbox": [0, 0, 9, 9]}
    edited(path, annotations=[*notes, lost])
    made = make_data_set("coco", root=str(root))
    made.prepare()
    assert "1 of an image that is not in the file" in made.census().line()  # type: ignore[union-attr]
    edited(path, annotations=[*notes, *[lost] * 5])
    with pytest.raises(InputError, match=r"annotations\[4\] names an image that is not in the file \(99\).* 5 of 9"):
        make_data_set("coco", root=str(root)).prepare()


def test_ids_may_be_text_here_and_numbers_there(root: Path) -> None:
    path = root / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    for note in content["annotations"]:
        note |= {"category_id": str(note["category_id"]), "image_id": float(note["image_id"])}
    path.write_text("\ufeff" + json.dumps(content))
    made = make_data_set("coco", root=str(root))
    assert made.class_names() == ("car", "bus")
    assert all_of(made.load("train"))["classes"].tolist() == [[1, 0]] * 5


def test_crowds_and_pictures_that_are_not_named_are_counted(root: Path) -> None:
    path = root / "annotations" / "instances_val2017.json"
    content = json.loads(path.read_text())
    content["annotations"][1]["iscrowd"] = 1
    path.write_text(json.dumps(content))
    write_picture(root / "train2017" / "extra.png")
    made = make_data_set("coco", root=str(root))
    made.prepare()
    census = made.census()
    assert census is not None
    assert census.line() == (
        "11 pictures: 10 used, 1 left out (1 named by no annotation file); 1 box of crowds, neither learnt nor counted"
    )
    assert census.as_record()["counts"]["pictures"]["left_out"][0]["names"] == ["train2017/extra.png"]

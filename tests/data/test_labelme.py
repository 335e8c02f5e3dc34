from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.data.base import DataSet
from cnnexp.data.labelme_files import read_annotation
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, write_picture

SIZE = (6, 8)
BUS = {"label": "bus", "points": [[0, 0], [8, 0], [8, 5], [0, 5]], "shape_type": "polygon"}
CAR = {"label": "car", "points": [[4, 3], [2, 1]], "shape_type": "rectangle"}  # from the lower right corner
LINE = {"label": "car", "points": [[4, 3], [2, 1]], "shape_type": "line"}
VOID_CORNER = {"label": "__ignore__", "points": [[6, 4], [8, 4], [8, 6], [6, 6]], "shape_type": "polygon"}


def annotate(picture: Path, shapes: list[dict[str, Any]], **changes: Any) -> Path:
    write_picture(picture, size=SIZE)
    content = {"shapes": shapes, "imagePath": picture.name, "imageHeight": 6, "imageWidth": 8, "imageData": None}
    path = picture.with_suffix(".json")
    path.write_text(json.dumps(content | changes), encoding="utf-8")
    return path


@pytest.fixture
def root(cache: Path, tmp_path: Path) -> Path:
    for i in range(10):
        annotate(tmp_path / f"{i:03}.png", [CAR, BUS, LINE, VOID_CORNER])
    write_picture(tmp_path / "bare.png")
    return tmp_path


def made(root: Path, target: str | None, **changes: Any) -> DataSet:
    return make_data_set("labelme", root=str(root), target=target, image_size=list(SIZE), **changes)


def test_boxes_around_shapes(root: Path) -> None:
    data = made(root, "boxes")
    assert data.class_names() == ("bus", "car")
    splits = load_all(data)
    assert {name: len(split) for name, split in splits.items()} == {"train": 8, "val": 1, "test": 1}
    batch = all_of(splits["val"])
    assert batch["boxes"].tolist() == [[[2, 1, 4, 3], [0, 0, 8, 5]]] and batch["classes"].tolist() == [[1, 0]]
    census = data.census()
    assert census is not None and census.line() == (
        "11 pictures: 10 used, 1 left out (1 without a JSON file: a picture that shows nothing has one, too); "
        "40 boxes: 20 used, 20 left out (10 that are lines or points, 10 called __ignore__)"
    )


def test_masks_with_void(root: Path) -> None:
    data = made(root, "mask")
    assert data.class_names() == ("background", "bus", "car")
    assert all_of(data.load("val"))["mask"][0].tolist() == [
        [1, 1, 1, 1, 1, 1, 1, 1],
        [1, 1, 2, 2, 1, 1, 1, 1],
        [1, 1, 2, 2, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 255, 255],
        [0, 0, 0, 0, 0, 0, 255, 255],
    ]
    data = made(root, "mask", classes=["background", "car"])
    assert all_of(data.load("val"))["mask"][0, 1].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert set(all_of(made(root, None).load("val"))) == {"image", "index"}


def test_split_folders_and_pictures_elsewhere(cache: Path, tmp_path: Path) -> None:
    """imagePath leads out of the folder, with Windows' bars, or to where the picture once was."""
    for split in ("train", "Valid", "test"):
        write_picture(tmp_path / "pictures" / f"{split}.png", size=SIZE)
        path = annotate(tmp_path / split / f"{split}1.png", [BUS], imagePath=rf"C:\old\{split}1.png")
        content = json.loads(path.read_text()) | {"imagePath": rf"..\pictures\{split}.png"}
        path.with_name("other.json").write_text(json.dumps(content))
    (tmp_path / "train" / "settings.json").write_text("{}")
    names = {name: list(split.names or ()) for name, split in load_all(made(tmp_path, "boxes")).items()}
    assert names == {
        name: [f"pictures/{folder}.png", f"{folder}/{folder}1.png"]
        for name, folder in (("train", "train"), ("val", "Valid"), ("test", "test"))
    } | {"val": ["Valid/Valid1.png", "pictures/Valid.png"]}


def test_circles_and_single_pixels(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(np.array([[1, 0], [1, 1]], np.uint8)).save(buffer, "PNG")
    painted = {
        "label": "x",
        "points": [[6, 4], [7, 5]],
        "shape_type": "mask",
        "mask": base64.b64encode(buffer.getvalue()).decode(),
    }
    circle = {"label": "x", "points": [[4, 3], [4, 1]], "shape_type": "circle"}
    note = read_annotation(annotate(tmp_path / "a.png", [circle, painted]))
    assert note is not None and note.shapes[0].box == pytest.approx((2, 1, 6, 5))
    area = np.frombuffer(note.shapes[0].outlines[0]).reshape(-1, 2)
    x, y = area.T
    assert abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 == pytest.approx(np.pi * 4, rel=1e-3)
    assert note.shapes[1].box == (6, 4, 8, 6)
    data_mask = note.shapes[1].runs
    from cnnexp.data.drawn_masks import Drawing, Region

    assert np.argwhere(Drawing((Region(1, runs=data_mask),), "").mask(SIZE, SIZE)).tolist() == [[4, 6], [5, 6], [5, 7]]


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([{"points": [[0, 0]]}], r"shapes\[0\]: has no label"),
        ([{"label": "x", "points": [[0, "a"]]}], r"points that are not pairs of numbers"),
        ([{"label": " ", "points": [[0, 0]]}], "has an empty label"),
        ([{"label": "x", "points": [[0, 0]], "shape_type": "spline"}], "a spline of 1 points is not known"),
        ([{"label": "x", "points": [[0, 0], [1, 1]], "shape_type": "mask", "mask": "no"}], "mask that cannot be read"),
    ],
)  # fmt: skip
def test_shapes_that_labelme_does_not_write(shapes: list[dict[str, Any]], expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=expected):
        read_annotation(annotate(tmp_path / "a.png", shapes))


def test_what_does_not_belong_together_is_refused(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no JSON file of labelme"):
        made(tmp_path, "boxes").prepare()
    path = annotate(tmp_path / "a.png", [LINE])
    with pytest.raises(InputError, match="hold no shape with an area"):
        made(tmp_path, "boxes").class_names()
    annotate(tmp_path / "a.png", [BUS])
    path.with_name("b.json").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"b\.json: is for a\.png, and so is .*a\.json; remove one"):
        made(tmp_path, "boxes").prepare()
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.json: without a picture where imagePath says, and so 2 of 2"):
        made(tmp_path, "boxes").prepare()


def test_shapes_of_one_group_are_one_object(cache: Path, tmp_path: Path) -> None:
    square = {"label": "car", "points": [[6, 0], [8, 0], [8, 1], [6, 1]], "shape_type": "polygon"}
    for i in range(10):
        annotate(tmp_path / f"{i:03}.png", [CAR | {"group_id": 5}, BUS, square | {"group_id": 5}, square, VOID_CORNER])
    data = made(tmp_path, "instances")
    assert data.class_names() == ("bus", "car")
    batch = all_of(data.load("val"))
    assert batch["classes"].tolist() == [[1, 0, 1]]
    assert batch["instances"][0].tolist() == [
        [2, 2, 2, 2, 2, 2, 3, 3],
        [2, 2, 1, 1, 2, 2, 2, 2],
        [2, 2, 1, 1, 2, 2, 2, 2],
        [2, 2, 2, 2, 2, 2, 2, 2],
        [2, 2, 2, 2, 2, 2, 2, 2],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
    assert batch["boxes"].tolist() == [[[2, 1, 4, 3], [0, 0, 8, 5], [6, 0, 8, 1]]]

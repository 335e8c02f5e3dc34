from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnexp.data.base import DataSet, Split
from cnnexp.data.census import PICTURES
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, write_picture

SPLITS = ["train", "train", "train", "Valid", "test"]


def write(folder: Path, header: str, rows: list[str], pictures: int | None = None) -> Path:
    """A table, and the pictures 20×30 a0.png, a1.png, ... beside it, as many as there are rows."""
    for place in range(len(rows) if pictures is None else pictures):
        write_picture(folder / f"a{place}.png")
    path = folder / "labels.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def made(path: Path, target: str | None, **changes: Any) -> DataSet:
    columns = dict.fromkeys(("file", "label", "value", "box", "split")) | changes.pop("columns", {})
    return make_data_set(
        "csv", **{"file": str(path), "target": target, "columns": columns, "image_size": [20, 30]} | changes
    )


def split_rows(*truths: str) -> list[str]:
    return [f"a{i}.png,{split},{truth}" for i, (split, truth) in enumerate(zip(SPLITS, truths, strict=True))]


def truth_of(splits: dict[str, Split], key: str) -> list[Any]:
    return [row for split in splits.values() for row in all_of(split)[key].tolist()]


def test_one_class_for_each_picture_in_the_splits_of_the_table(cache: Path, tmp_path: Path) -> None:
    data = made(write(tmp_path, "File Name,split,class", split_rows("dog", "cat ", "10", "dog", "cat")), "label")
    splits = load_all(data)
    assert data.class_names() == ("10", "cat", "dog") and data.chosen() == ("label",)
    assert {name: list(split.names or ()) for name, split in splits.items()} == {
        "train": ["a0.png", "a1.png", "a2.png"], "val": ["a3.png"], "test": ["a4.png"],
    }  # fmt: skip
    assert truth_of(splits, "label") == [2, 1, 0, 2, 1]
    assert data.columns("val") == {"File Name": ["a3.png"], "split": ["Valid"], "class": ["dog"]}


def test_numbers_as_classes_are_in_their_order_however_a_program_wrote_them(cache: Path, tmp_path: Path) -> None:
    data = made(write(tmp_path, "file,split,label", split_rows("10.0", "9.0", "10.0", "9.0", "9.0")), "label")
    assert data.class_names() == ("9", "10")
    assert truth_of(load_all(data), "label") == [1, 0, 1, 0, 0]


def test_classes_that_are_named_are_taken_alone(cache: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "file,split,label", split_rows("cat", "cow", "dog", "dog", "cat"))
    data = made(path, "label", classes=["dog", "cat"])
    assert truth_of(load_all(data), "label") == [1, 0, 0, 1]
    census = data.census()
    assert census is not None and census.line() == (
        "5 pictures: 4 used, 1 left out (1 of classes that are not asked for)"
    )


def test_without_splits_they_are_divided_and_groups_stay_together(cache: Path, tmp_path: Path) -> None:
    rows = [f"a{i},{'xy'[i % 2]},p{i // 4}" for i in range(40)]  # without the pictures' suffix
    data = made(write(tmp_path, "image_id,label,patient", rows), "label")
    data.group = "patient"
    whose = {name: set(data.columns(name)["patient"]) for name in ("train", "val", "test")}
    assert {name: len(found) for name, found in whose.items()} == {"train": 8, "val": 1, "test": 1}
    assert len(set.union(*whose.values())) == 10


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["a b", "b", "", "a", "b"], [[1, 1], [0, 1], [0, 0], [1, 0], [0, 1]]),
        (["a;b", "b;", "", "a", "b ; a"], [[1, 1], [0, 1], [0, 0], [1, 0], [1, 1]]),
        (["big a|b", "b", "big a", "b", "b"], [[1, 1], [1, 0], [0, 1], [1, 0], [1, 0]]),
    ],
)
def test_several_classes_in_a_cell(cells: list[str], expected: list[list[int]], cache: Path, tmp_path: Path) -> None:
    data = made(write(tmp_path, "file,split,tags", split_rows(*cells)), "labels")
    assert truth_of(load_all(data), "labels") == expected
    assert data.chosen() == ("labels",)


def test_several_classes_in_rows_and_in_columns(cache: Path, tmp_path: Path) -> None:
    rows = [*split_rows("a", "b", "a", "b", "a"), "a1.png,train,a"]
    assert truth_of(load_all(made(write(tmp_path, "file,split,label", rows, 5), "labels")), "labels") == [
        [1, 0], [1, 1], [1, 0], [0, 1], [1, 0],
    ]  # fmt: skip
    path = write(tmp_path, "file,split,b,a", split_rows("1,0", "0,1", "0,0", "1,1", "True,-1"))
    data = made(path, "labels", columns={"label": ["b", "a"]})
    assert data.class_names() == ("b", "a")
    assert truth_of(load_all(data), "labels") == [[1, 0], [0, 1], [0, 0], [1, 1], [1, 0]]


def test_numbers(cache: Path, tmp_path: Path) -> None:
    rows = [row.replace(",", ";") for row in split_rows("1;2", "3;4", "5;6", "0;0", "1;")]
    rows[0] = "a0.png;train;1,5;2"
    path = write(tmp_path, "file;split;width;age", [*rows, "a5.png;test;7;8", "a6.png;test;;1"], 7)
    data = made(path, "value", columns={"value": ["age", "width"]})
    splits = load_all(data)
    assert data.class_names() == ("age", "width") and data.chosen() == ("value",)
    assert truth_of(splits, "value") == [[2, 1.5], [4, 3], [6, 5], [0, 0], [8, 7]]
    census = data.census()
    assert census is not None and census.line() == "7 pictures: 5 used, 2 left out (2 without a number)"


@pytest.mark.parametrize(
    ("header", "box", "changes"),
    [
        ("x1,y1,x2,y2", (6, 4, 18, 16), {}),
        ("XMin,XMax,YMin,YMax", (6, 18, 4, 16), {}),
        ("x,y,width,height", (6, 4, 12, 12), {}),
        ("cx,cy,w,h", (12, 10, 12, 12), {}),
        ("a,b,c,d", (12, 10, 12, 12), {"columns": {"box": ["a", "b", "c", "d"]}, "box": "cxcywh"}),
        ("x1,y1,x2,y2", (0.2, 0.2, 0.6, 0.8), {}),
    ],
)
def test_boxes_in_all_forms(
    header: str, box: tuple[float, ...], changes: dict[str, Any], cache: Path, tmp_path: Path
) -> None:
    rows = split_rows(*[",".join(["cat", *map(str, box)])] * 5)
    rows += [rows[0], rows[0].replace("cat", "dog"), "a5.png,test,,,,,"]
    data = made(write(tmp_path, f"file,split,class,{header}", rows, 6), "boxes", image_size=[40, 30], **changes)
    splits = load_all(data)
    train, test = all_of(splits["train"]), all_of(splits["test"])
    assert train["boxes"][0, 0].tolist() == pytest.approx([6, 8, 18, 32])
    assert train["classes"].tolist() == [[0, 1], [0, -1], [0, -1]]  # a row that is there twice is one box
    assert test["classes"].tolist() == [[0], [-1]]


def test_pictures_that_are_not_there_and_rows_that_are_not(cache: Path, tmp_path: Path) -> None:
    rows = [f"photos\\a{i}.png,{'xy'[i % 2]}" for i in range(20)]
    path = write(tmp_path, "file,label", [*rows, "photos/gone.png,x"], 0)
    for i in range(21):
        write_picture(tmp_path / "photos" / f"a{i}.png")
    write_picture(tmp_path / "other" / "not_asked.png")
    census = made(path, "label").census()
    assert census is not None and census.used(PICTURES) == 20
    assert census.line() == "22 pictures: 20 used, 2 left out (1 that are not there, 1 named by no row)"


def test_for_a_task_without_truth_the_pictures_alone(cache: Path, tmp_path: Path) -> None:
    data = made(write(tmp_path, "file,whatever", [f"a{i}.png,{i}" for i in range(20)]), None)
    assert set(all_of(data.load("train"))) == {"image", "index"} and data.chosen() == ()


@pytest.mark.parametrize(
    ("header", "rows", "target", "expected"),
    [
        ("name,label", ["a0.png,x"], "label", r"columns are name, label; which is the file\? add data\.columns\.file="),
        ("file,path,label", ["a0.png,b,x"], "label", r"file and path may both be the file; say which"),
        ("file,kind", ["a0.png,x"], "label", r"which is the label\? add data\.columns\.label=NAME"),
        ("file,label", ["a0.png,1.5", "a1.png,2"], "label", r"label holds numbers such as 1\.5.*task=regression"),
        ("file,label", ["a0.png,x", "a1.png,x", "./a0.png,y"], "label", r"a0\.png is x \(line 2\) and y \(line 4\)"),
        ("file,label", ["b0.png,x", "b1.png,y"], "label", r"names b0\.png, .*2 of 2 pictures; data\.root="),
        ("file,label", [",x"], "label", r"labels\.csv:2: names no picture in file"),
        ("file,label", ["a0.png,"], "label", "no row names a class in label"),
        ("file,label,split", ["a0.png,x,train", "a1.png,x,later"], "label", r"labels\.csv:3: split is 'later'; train"),
        ("file,label,split", ["a0.png,x,train", "a0.png,x,test"], "label", r"a0\.png is in train .* and test"),
        ("file,label,split", ["a0.png,x,val"], "label", "no row says train in split"),
        ("file,value", ["a0.png,1", "a1.png,tall"], "value", r"labels\.csv:3: value is 'tall', and no number"),
        ("file,value", ["a0.png,1", "a0.png,2"], "value", "a0.png has different numbers in lines 2 and 3"),
        ("file;value", ["a0.png;1,234", "a1.png;5.6"], "value", r"value holds 1,234 and 5\.6"),
        ("file,label", ["a0.png,x"], "boxes", r"no columns of boxes; its columns are file, label; add"),
        ("file,label,x1,y1,x2,y2,x,y,w,h", ["a0.png,x,1,2,3,4,5,6,7,8"], "boxes", "x1,y1,x2,y2 and x,y,w,h may both"),
        ("file,label,x1,y1,x2,y2", ["a0.png,x,1,2,,4"], "boxes", r"labels\.csv:2: a box takes all of x1, y1, x2, y2"),
        ("file,label,x1,y1,x2,y2", ["a0.png,,1,2,3,4", "a1.png,x,1,2,3,4"], "boxes", ":2: a box has one class, in"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(
    header: str, rows: list[str], target: str, expected: str, cache: Path, tmp_path: Path
) -> None:
    data = made(write(tmp_path, header, rows), target)
    with pytest.raises(InputError, match=expected):
        data.class_names()
        data.prepare()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"file": None}, r"data=csv reads a table of yours: add data\.file="),
        ({"columns": {"label": "kind"}}, r"data\.columns\.label=kind: no such column in .*its columns are file, label"),
        ({"columns": {"label": ["file", "label"]}}, r"labels\.csv:2: file is 'a0\.png'; a column for a class holds 1"),
        ({"target": "boxes", "columns": {"box": ["a", "b", "c", "d"]}}, r"what are the four\? add data\.box=xyxy"),
        ({"target": "boxes", "columns": {"box": ["a", "b"]}, "box": "xyxy"}, "names four columns"),
        ({"group": "label"}, r"data\.split\.group=label: rows of one picture have different ones"),
    ],
)
def test_what_is_stated_has_to_be_there(changes: dict[str, Any], expected: str, cache: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "file,label", ["a0.png,x", "a0.png,y"])
    given = {"target": "labels"} | changes
    group = given.pop("group", None)
    data = made(path, given.pop("target"), **given)
    data.group = group
    with pytest.raises(InputError, match=expected):
        data.prepare()


def test_where_the_pictures_are_is_said(cache: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "file,label", ["b0.png,x", "b1.png,y"], 0)
    write_picture(tmp_path / "photos" / "b0.png")
    with pytest.raises(InputError, match=rf"there is photos/b0\.png: data\.root={tmp_path}/photos$"):
        made(path, "label").prepare()
    write_picture(tmp_path / "photos" / "b0.jpg")
    with pytest.raises(InputError, match=r"b0\.png is there too; the table has to say which is meant"):
        made(write(tmp_path, "file,label", ["b0,x"], 0), "label", root=str(tmp_path / "photos")).prepare()


def test_a_table_inside_the_folder_of_pictures(cache: Path, tmp_path: Path) -> None:
    write(tmp_path, "file,label", [f"a{i}.png,{'xy'[i % 2]}" for i in range(20)])
    assert len(made(Path("labels.csv"), "label", root=str(tmp_path)).load("train")) == 16


def test_what_training_shows_is_known_of_every_truth(cache: Path, tmp_path: Path) -> None:
    """A class that only the test has is refused; numbers, and pictures alone, have no classes."""
    path = write(tmp_path, "file,split,label,value", split_rows("x,1", "x,2", "x,3", "x,4", "y,5"))
    for target in ("label", "labels"):
        with pytest.raises(InputError, match="test shows y, which no training sample does"):
            made(path, target).refuse_untaught()
    for target in ("value", None):
        made(path, target, columns={"value": "value"}).refuse_untaught()

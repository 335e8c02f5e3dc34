from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, write_voc

STEMS = [f"p{i:02}" for i in range(20)]
BOXES = [("dog", 1, 1, 15, 10), ("cat", 16, 11, 30, 20)]


@pytest.fixture
def root(cache: Path, tmp_path: Path) -> Path:
    return write_voc(tmp_path / "voc", STEMS, BOXES)


def test_without_lists_the_pictures_are_divided(root: Path) -> None:
    made = make_data_set("voc", root=str(root), image_size=[40, 30])
    made.prepare()
    assert made.class_names() == ("cat", "dog")
    splits = load_all(made)
    assert {name: len(split) for name, split in splits.items()} == {"train": 16, "val": 2, "test": 2}
    batch = all_of(splits["val"])
    # Twice as high, as wide as before; VOC counts from 1 and includes the last pixel.
    assert batch["boxes"][0].tolist() == [[0, 0, 15, 20], [15, 20, 30, 40]]
    assert batch["classes"][0].tolist() == [1, 0]


def test_lists_say_what_is_what(root: Path) -> None:
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name, stems in {"train": STEMS[:3], "val": STEMS[3:5], "test": STEMS[5:6]}.items():
        (lists / f"{name}.txt").write_text("".join(f"{stem}  1\n" for stem in stems))
    splits = load_all(make_data_set("voc", root=str(root)))
    assert {name: list(split.names or ()) for name, split in splits.items()} == {
        "train": STEMS[:3],
        "val": STEMS[3:5],
        "test": STEMS[5:6],
    }


def test_a_picture_may_show_nothing(root: Path) -> None:
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("\n".join(STEMS[3:]))
    (lists / "val.txt").write_text("\n".join(STEMS[:2]))
    for stem in STEMS[:2]:
        (root / "Annotations" / f"{stem}.xml").write_text("<annotation></annotation>")
    made = make_data_set("voc", root=str(root))
    batch = all_of(made.load("val"))
    assert batch["boxes"].shape == (2, 0, 4)
    assert batch["classes"].shape == (2, 0)
    assert made.census().remarks == ["no picture for val has a box, so that its scores mean nothing"]  # type: ignore[union-attr]
    for stem in STEMS:
        (root / "Annotations" / f"{stem}.xml").write_text("<annotation></annotation>")
    with pytest.raises(InputError, match=r"no class in it, so there is nothing to learn"):
        make_data_set("voc", root=str(root)).prepare()


def test_a_class_that_only_a_later_list_shows_is_refused(root: Path) -> None:
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name, stems in {"train": STEMS[:10], "val": STEMS[10:]}.items():
        (lists / f"{name}.txt").write_text("\n".join(stems))
    annotation = root / "Annotations" / f"{STEMS[12]}.xml"
    annotation.write_text(annotation.read_text().replace("<name>cat", "<name>Cat"))
    with pytest.raises(
        InputError, match=r"p12\.xml: the class 'Cat' is not among cat, dog; did you mean cat\?; a class"
    ):
        make_data_set("voc", root=str(root)).prepare()


def test_no_object_at_all_is_no_data_to_learn_from(root: Path) -> None:
    for path in (root / "Annotations").glob("*.xml"):
        path.write_text("<annotation></annotation>")
    with pytest.raises(InputError, match=r"voc: no class in it, so there is nothing to learn"):
        make_data_set("voc", root=str(root)).class_names()


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<annotation>", r"p03\.xml: not a VOC annotation \(no element found: line 1"),
        ("<a><object><name>dog</name></object></a>", r"p03\.xml: .*an object has no bndbox/xmin"),
        ("<a><object><bndbox/></object></a>", r"p03\.xml: .*an object has no name"),
    ],
)
def test_a_bad_annotation_is_named(root: Path, xml: str, expected: str) -> None:
    path = root / "Annotations" / "p03.xml"
    path.write_text(xml)
    with pytest.raises(InputError, match=expected):
        make_data_set("voc", root=str(root)).prepare()


def test_other_mistakes(root: Path) -> None:
    with pytest.raises(
        InputError, match=r"p\d\d\.xml: the class 'dog' is not among cat; a class has to be in .* in data\.classes"
    ):
        make_data_set("voc", root=str(root), classes=["cat"]).prepare()
    with pytest.raises(InputError, match=r"^data\.classes: no 'eel' in the data"):
        make_data_set("voc", root=str(root), classes=["cat", "eel"]).prepare()
    with pytest.raises(InputError, match="holds no folder JPEGImages"):
        make_data_set("voc", root=str(root / "JPEGImages")).prepare()


def test_pictures_and_annotations_without_each_other_are_counted(root: Path) -> None:
    (root / "JPEGImages" / "p07.jpg").unlink()
    (root / "Annotations" / "p03.xml").unlink()
    made = make_data_set("voc", root=str(root))
    made.prepare()
    assert made.census().line() == (  # type: ignore[union-attr]
        "19 pictures: 18 used, 1 left out (1 without an annotation: write one for each in Annotations, with no objects "
        "if it shows none); 19 annotations: 18 used, 1 left out (1 without a picture of that name: each is called like "
        "its picture: NAME.xml for NAME.jpg)"
    )


def test_most_of_them_without_each_other_is_refused(root: Path) -> None:
    for path in (root / "Annotations").glob("*.xml"):
        path.rename(path.with_name(f"{path.stem}.jpg.xml"))
    with pytest.raises(InputError, match=r"20 of 20 annotations; rename p00\.jpg\.xml to p00\.xml"):
        make_data_set("voc", root=str(root)).prepare()


def test_lists_may_name_some_that_are_not_there(root: Path) -> None:
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("\n".join([*STEMS[:17], "gone"]))
    made = make_data_set("voc", root=str(root))
    made.prepare()
    assert made.census().line() == (  # type: ignore[union-attr]
        "21 pictures: 17 used, 4 left out (3 in no list of ImageSets/Main, 1 listed in train.txt and not there with an "
        "annotation)"
    )
    (lists / "train.txt").write_text("gone\nlost\np01\n")
    with pytest.raises(InputError, match=r"train\.txt: lists gone, .* 2 of 3"):
        make_data_set("voc", root=str(root)).prepare()


@pytest.mark.parametrize("in_memory", [True, False])
def test_swapped_corners_are_told_on_disk_too(root: Path, in_memory: bool, caplog: pytest.LogCaptureFixture) -> None:
    swapped = (
        "<object><name>cat</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>3</xmax><ymax>2</ymax></bndbox></object>"
    )
    path = root / "Annotations" / "p05.xml"
    path.write_text(path.read_text().replace("</annotation>", swapped * 3 + "</annotation>"))
    made = make_data_set("voc", root=str(root), in_memory=in_memory)
    made.load("train")
    assert "3 of 43 boxes are left out (3 with their corners swapped: written as x2 y1" in caplog.text
    assert "such as p05" in caplog.text


def test_difficult_objects_are_counted(root: Path) -> None:
    path = root / "Annotations" / "p05.xml"
    path.write_text(path.read_text().replace("<name>dog</name>", "<name>dog</name><difficult>1</difficult>"))
    made = make_data_set("voc", root=str(root))
    made.prepare()
    marked = set()
    for one in load_all(made).values():
        batch = all_of(one)
        assert torch.equal(batch["hard"], batch["ignored"]), "no crowds"
        ignored = batch["ignored"].any(1).tolist()
        marked |= {name for name, here in zip(one.names or (), ignored, strict=True) if here}
    assert marked == {"p05"}
    assert made.census().line() == "1 box marked difficult, neither learnt nor counted"  # type: ignore[union-attr]


def test_what_systems_leave_behind_and_other_cases_of_suffixes_are_no_obstacle(root: Path) -> None:
    (root / "Annotations" / "._p01.xml").write_bytes(b"\0\5\x16\7")
    (root / "Annotations" / "p02.xml").rename(root / "Annotations" / "p02.XML")
    path = root / "Annotations" / "p03.xml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    splits = load_all(make_data_set("voc", root=str(root)))
    assert sum(len(split) for split in splits.values()) == 20

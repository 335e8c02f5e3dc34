from __future__ import annotations

from pathlib import Path

import pytest

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
    for name, stems in {"train": STEMS[:3], "val": STEMS[3:5], "test": STEMS[5:6]}.items():
        (lists / f"{name}.txt").write_text("\n".join(stems))
    for stem in STEMS[3:5]:
        (root / "Annotations" / f"{stem}.xml").write_text("<annotation></annotation>")
    batch = all_of(make_data_set("voc", root=str(root)).load("val"))
    assert batch["boxes"].shape == (2, 0, 4)
    assert batch["classes"].shape == (2, 0)


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
        (None, r"p03\.xml: no such file"),
    ],
)
def test_a_bad_annotation_is_named(root: Path, xml: str | None, expected: str) -> None:
    path = root / "Annotations" / "p03.xml"
    if xml is None:
        path.unlink()
        (root / "ImageSets" / "Main").mkdir(parents=True)
        (root / "ImageSets" / "Main" / "train.txt").write_text("\n".join(STEMS))
    else:
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
    (root / "JPEGImages" / "p07.jpg").unlink()
    with pytest.raises(InputError, match="holds no picture p07"):
        make_data_set("voc", root=str(root)).prepare()
    with pytest.raises(InputError, match="holds no folder Annotations"):
        make_data_set("voc", root=str(root / "JPEGImages")).prepare()

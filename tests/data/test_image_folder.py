from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from cnnexp.data.base import FileSplit
from cnnexp.data.census import Census
from cnnexp.errors import InputError
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES
from tests.data.tiny import GREEN, RED, all_of, load_all, make_data_set, write_class_folders, write_picture


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """No test of a folder touches the user's cache."""


def lengths(root: Path, **changes: object) -> dict[str, int]:
    return {
        name: len(split) for name, split in load_all(make_data_set("image_folder", root=str(root), **changes)).items()
    }


def test_split_folders(tmp_path: Path) -> None:
    for name, count in {"train": 6, "valid": 2, "Test": 3}.items():
        write_class_folders(tmp_path / name, count)
    made = make_data_set("image_folder", root=str(tmp_path), image_size=[8, 8])
    made.prepare()
    assert made.class_names() == ("cat", "dog")
    assert {name: len(split) for name, split in load_all(made).items()} == {"train": 12, "val": 4, "test": 6}
    test = made.load("test")
    batch = all_of(test)
    assert list(test.names or ())[:2] == ["Test/cat/cat000.png", "Test/cat/cat001.png"]
    assert batch["label"].tolist() == [0] * 3 + [1] * 3
    assert [tuple(batch["image"][i, :, 0, 0].tolist()) for i in (0, 5)] == [RED, GREEN]


def test_class_folders_alone_are_divided_the_same_way_every_time(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 20)
    assert lengths(tmp_path) == {"train": 32, "val": 4, "test": 4}
    first = load_all(make_data_set("image_folder", root=str(tmp_path)))
    again = load_all(make_data_set("image_folder", root=str(tmp_path)))
    assert {name: list(split.names or ()) for name, split in first.items()} == {
        name: list(split.names or ()) for name, split in again.items()
    }
    assert all_of(first["val"])["label"].bincount().tolist() == [2, 2]
    assert len({name for split in first.values() for name in split.names or ()}) == 40


def test_without_val_a_tenth_of_train_is_held_out(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "train", 10)
    write_class_folders(tmp_path / "test", 3)
    assert lengths(tmp_path) == {"train": 18, "val": 2, "test": 6}


def test_without_test_a_warning_says_what_is_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_class_folders(tmp_path / "train", 5)
    write_class_folders(tmp_path / "val", 2)
    with caplog.at_level(logging.WARNING):
        assert lengths(tmp_path) == {"train": 10, "val": 4, "test": 4}
    assert "no pictures for test" in caplog.text


def test_pictures_may_lie_deeper_and_stay_on_disk(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 10)
    write_picture(tmp_path / "dog" / "puppies" / "a.webp")
    assert sum(lengths(tmp_path).values()) == 21
    assert isinstance(make_data_set("image_folder", root=str(tmp_path), in_memory=False).load("train"), FileSplit)


def test_classes_can_be_named(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 10)
    made = make_data_set("image_folder", root=str(tmp_path), classes=["dog", "cat"])
    test = made.load("test")
    assert [name.split("/")[0] for name in test.names or ()] == ["cat", "dog"]
    assert all_of(test)["label"].tolist() == [1, 0]


def test_bad_folders(tmp_path: Path) -> None:
    def problem(root: str | None, **changes: object) -> str:
        with pytest.raises(InputError) as caught:
            made = make_data_set("image_folder", root=root, **changes)
            made.prepare()
            made.load("train")
        (line,) = caught.value.lines
        return line

    assert problem(None) == "data=image_folder reads a folder of yours: add data.root=FOLDER"
    assert problem(str(tmp_path / "none")).endswith("none: no such folder")
    assert "holds no folders; expected one folder of pictures per class" in problem(str(tmp_path))
    (tmp_path / "empty" / "cat").mkdir(parents=True)
    assert "no pictures found" in problem(str(tmp_path / "empty"))
    write_class_folders(tmp_path / "only" / "val", 3)
    assert "holds val but no train" in problem(str(tmp_path / "only"))
    write_class_folders(tmp_path / "hole" / "train", 3)
    (tmp_path / "hole" / "train" / "eel").mkdir()
    assert problem(str(tmp_path / "hole")).endswith("eel: no pictures to train this class with")
    write_class_folders(tmp_path / "odd" / "train", 3)
    write_class_folders(tmp_path / "odd" / "val", 3, ("cat", "dog", "eel"))
    assert "eel: the class 'eel' is not among cat, dog; a class has to be in the training samples" in problem(
        str(tmp_path / "odd")
    )
    write_class_folders(tmp_path / "few", 1)
    assert "no pictures for val" in problem(str(tmp_path / "few"))
    write_class_folders(tmp_path / "twice" / "train", 3)
    write_class_folders(tmp_path / "twice" / "val", 3)
    write_class_folders(tmp_path / "twice" / "valid", 3)
    assert "val and valid both look like val" in problem(str(tmp_path / "twice"))
    broken = write_class_folders(tmp_path / "broken", 10) / "cat" / "cat003.png"
    broken.write_bytes(broken.read_bytes()[:50])
    with pytest.raises(InputError, match=r"cat003\.png: not a readable picture"):
        load_all(make_data_set("image_folder", root=str(tmp_path / "broken")))


def census_of(root: Path, **changes: object) -> Census:
    made = make_data_set("image_folder", root=str(root), **changes)
    found = made.census()
    assert found is not None and made.census() is found
    return found


@pytest.fixture
def without_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the library for HEIC is not installed."""
    known = PICTURE_SUFFIXES - {".heic", ".heif", ".hif"}
    for module in ("cnnexp.inputs.picture_formats", "cnnexp.data.picture_folders"):
        monkeypatch.setattr(f"{module}.PICTURE_SUFFIXES", known)


@pytest.mark.usefixtures("without_heic")
def test_what_is_left_out_is_counted_by_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_class_folders(tmp_path, 10)
    for name in ("cat/1.HEIC", "dog/2.heif", "dog/3.NEF", "dog/notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    write_picture(tmp_path / "dog" / ".ipynb_checkpoints" / "4-checkpoint.png")
    write_picture(tmp_path / "5.png").rename(tmp_path / "5.jfif")
    write_picture(tmp_path / "dog" / "6.jpg").rename(tmp_path / "dog" / "6")
    census = census_of(tmp_path)
    assert census.line() == (
        "26 pictures: 20 used, 6 left out (2 HEIC: pip install 'cnnexp[heif]', 1 hidden, 1 camera RAW: save them as "
        "PNG or JPEG, 1 without a picture's suffix: rename them to .jpg, say, 1 in no class folder)"
    )
    assert "5 of 26 pictures are left out" in caplog.text, "hidden ones are no loss"
    (other,) = census.left_out("other files")
    assert other.names == ["dog/notes.txt"]


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_census_is_the_same_in_memory_and_on_disk(tmp_path: Path, in_memory: bool) -> None:
    write_class_folders(tmp_path, 10)
    write_picture(tmp_path / "dog" / "._a.png")
    record = census_of(tmp_path, in_memory=in_memory).as_record()
    assert record["counts"]["pictures"]["used"] == 20
    assert record["counts"]["pictures"]["left_out"] == [
        {"reason": "hidden", "count": 1, "help": "", "names": ["dog/._a.png"]}
    ]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path, 10, ("bus", "car", "train"))
    made = make_data_set("image_folder", root=str(root))
    assert made.class_names() == ("bus", "car", "train")
    assert len(made.load("train")) == 24
    (remark,) = made.census().remarks  # type: ignore[union-attr]
    assert "train beside bus, car: read as a class and no split" in remark


def test_classes_in_a_split_decide_and_what_lies_beside_is_counted(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "train", 10)
    write_class_folders(tmp_path, 3, ("bus",))
    census = census_of(tmp_path)
    (beside,) = census.left_out("pictures")
    assert (beside.count, beside.reason) == (3, "beside train/")
    assert beside.help == "data.classes=[bus,train] makes classes of all folders"
    made = make_data_set("image_folder", root=str(tmp_path), classes=["bus", "train"])
    assert sum(len(split) for split in load_all(made).values()) == 23


def test_the_only_folder_in_the_folder_is_entered(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "pets" / "inner", 10)
    (tmp_path / "__MACOSX" / "pets").mkdir(parents=True)
    (tmp_path / "README").write_text("x")
    census = census_of(tmp_path)
    assert census.used("pictures") == 20
    assert census.remarks == [f"{tmp_path}: holds a single folder, so {tmp_path / 'pets' / 'inner'} is read"]


def test_links_are_read_and_one_folder_is_no_two_classes(tmp_path: Path) -> None:
    write_class_folders(tmp_path / "data", 10)
    write_class_folders(tmp_path / "nas", 5, ("more",))
    (tmp_path / "data" / "cat" / "linked").symlink_to(tmp_path / "nas" / "more")
    assert census_of(tmp_path / "data").used("pictures") == 25
    (tmp_path / "data" / "kitty").symlink_to(tmp_path / "data" / "cat")
    with pytest.raises(InputError, match=r"kitty: the same folder as cat, by a link"):
        make_data_set("image_folder", root=str(tmp_path / "data")).prepare()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_class_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 10)
    os.rename(tmp_path / "dog", os.fsencode(tmp_path) + b"/h\xfcnd")
    with pytest.raises(InputError, match=r"h\\xfcnd: a class whose name is not UTF-8; rename the folder"):
        make_data_set("image_folder", root=str(tmp_path)).prepare()


def test_a_task_without_a_truth_takes_pictures_in_no_class_folder(tmp_path: Path) -> None:
    for place in range(10):
        write_picture(tmp_path / f"{place}.png")
    made = make_data_set("image_folder", root=str(tmp_path), image_size=[8, 8], target=None)
    made.prepare()
    assert made.class_names() == ()
    splits = load_all(made)
    assert sorted(name for one in splits.values() for name in one.names or ()) == [
        f"{place}.png" for place in range(10)
    ]
    assert "label" not in all_of(splits["train"])
    again = make_data_set("image_folder", root=str(tmp_path), image_size=[8, 8], target=None, classes=[])
    assert list(again.load("test").names or ()) == list(splits["test"].names or ()), "as a run's record opens it again"


def test_split_folders_may_hold_pictures_alone_where_nothing_is_named(tmp_path: Path) -> None:
    for split, count in {"train": 4, "val": 2, "test": 3}.items():
        for place in range(count):
            write_picture(tmp_path / split / f"{place}.png")
    assert lengths(tmp_path, target=None) == {"train": 4, "val": 2, "test": 3}
    with pytest.raises(InputError, match="expected one folder of pictures per class"):
        make_data_set("image_folder", root=str(tmp_path)).prepare()


def test_class_folders_are_still_divided_by_class_where_nothing_is_named(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 10)
    named, unnamed = (
        load_all(make_data_set("image_folder", root=str(tmp_path), target=one)) for one in ("label", None)
    )
    assert {key: one.names for key, one in named.items()} == {key: one.names for key, one in unnamed.items()}

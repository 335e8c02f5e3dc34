"""A folder a person: who is in which split, what is counted, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.data.base import SPLITS, DataSet
from cnnexp.data.face_folder import FaceFolder
from cnnexp.errors import InputError
from tests.data.tiny import RED, all_of, load_all, make_data_set, write_picture

PEOPLE = ("anna", "ben", "cleo", "dan", "eve", "finn", "gil")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """No test of a folder touches the user's cache."""


def write_people(root: Path, names: tuple[str, ...] = PEOPLE, pictures: int = 3) -> Path:
    for name in names:
        for number in range(pictures):
            (root / name).mkdir(parents=True, exist_ok=True)
            write_picture(root / name / f"{number}.png", RED)
    return root


def faces(root: Path, **changes: object) -> DataSet:
    made = make_data_set("face_folder", root=str(root), image_size=[8, 8], **changes)
    made.prepare()
    return made


def who(data: DataSet) -> dict[str, set[str]]:
    """The people of each split, as its names, its column and its labels all say."""
    found = {}
    for name, split in load_all(data).items():
        people = {one.split("/")[-2] for one in split.names or ()}
        names = data.class_names() or ()
        assert people == {names[number] for number in all_of(split)["label"].tolist()}
        assert people == set(data.columns(name)["person"])  # type: ignore[arg-type]
        found[name] = people
    return found


def test_people_are_in_one_split_each(tmp_path: Path) -> None:
    found = who(faces(write_people(tmp_path)))
    assert {name: len(people) for name, people in found.items()} == {"train": 3, "val": 2, "test": 2}
    assert set.union(*found.values()) == set(PEOPLE)
    assert who(faces(tmp_path)) == found


def test_split_folders_keep_their_people_and_missing_ones_are_dealt_out_of_train(tmp_path: Path) -> None:
    write_people(tmp_path / "train", PEOPLE[:5])
    write_people(tmp_path / "test", PEOPLE[5:])
    found = who(faces(tmp_path))
    assert found["test"] == set(PEOPLE[5:]) and len(found["val"]) == 2 and len(found["train"]) == 3


def test_somebody_with_one_picture_is_trained_on_and_noted(tmp_path: Path) -> None:
    write_people(write_people(tmp_path), ("solo",), pictures=1)
    made = faces(tmp_path)
    assert "solo" in who(made)["train"]
    census = made.census()
    assert census is not None
    assert "1 picture of people with a single picture, which makes no pair of one person" in census.line()


def test_what_lies_elsewhere_is_counted(tmp_path: Path) -> None:
    write_people(tmp_path / "train", PEOPLE[:4])
    write_people(tmp_path / "val", PEOPLE[4:6])
    write_people(tmp_path / "test", ("gil", "hal"))
    write_people(tmp_path, ("ina",))
    write_picture(tmp_path / "train" / "loose.png", RED)
    (tmp_path / "train" / "nobody").mkdir()
    made = faces(tmp_path)
    census = made.census()
    assert census is not None and census.used("pictures") == 24
    assert {one.reason: one.count for one in census.left_out("pictures")} == {
        "in nobody's folder": 1,
        "beside train/": 3,
    }
    assert any("no picture in it, so nobody takes no part" in one for one in census.remarks)


def test_people_of_the_test_are_no_mistake(tmp_path: Path) -> None:
    """Of other folders a class that is tested and not learnt is one."""
    made = faces(write_people(tmp_path))
    made.refuse_untaught()
    assert isinstance(made, FaceFolder) and made.distinct() == SPLITS


@pytest.mark.parametrize(
    ("people", "part"),
    [
        ((), "holds no folders; expected one folder of pictures per person"),
        (PEOPLE[:5], "5 people with two pictures or more; it takes 6"),
    ],
)
def test_too_little_is_refused(people: tuple[str, ...], part: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=part):
        faces(write_people(tmp_path, people))


def test_one_picture_each_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 people with two pictures or more; it takes 6"):
        faces(write_people(tmp_path, pictures=1))


def test_folders_without_pictures_are_refused(tmp_path: Path) -> None:
    for name in PEOPLE:
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=r"no pictures found; expected .*/PERSON/PICTURE\.jpg"):
        faces(tmp_path)


def test_somebody_in_two_splits_is_refused(tmp_path: Path) -> None:
    write_people(tmp_path / "train", PEOPLE)
    write_people(tmp_path / "test", ("anna", "zoe"))
    with pytest.raises(InputError, match=r"test/anna: anna is in train/ as well; nobody may be in two splits"):
        faces(tmp_path)


def test_a_split_of_one_person_is_refused(tmp_path: Path) -> None:
    write_people(tmp_path / "train", PEOPLE)
    write_people(tmp_path / "test", ("zoe",))
    with pytest.raises(InputError, match="1 people with two pictures or more for test; it takes 2"):
        faces(tmp_path)


def test_only_test_is_refused(tmp_path: Path) -> None:
    write_people(tmp_path / "test")
    with pytest.raises(InputError, match="holds test but no train"):
        faces(tmp_path)


def test_an_unknown_person_of_data_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.classes: no 'zoe' in the data"):
        faces(write_people(tmp_path), classes=[*PEOPLE, "zoe"])

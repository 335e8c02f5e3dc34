"""What data sets of a user's folder share: names that are given or found, splits that are made where there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnexp.data.base import SplitName, TensorSplit
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError


class Flat(OwnFolder):
    """Pictures whose names begin with their class: a0.png is of class 0."""

    targets = ("label",)
    looked = named = 0

    def names(self) -> tuple[str, ...]:
        self.named += 1
        return ("found", "too")

    def found(self) -> Mapping[SplitName, Sequence[Sample]]:
        self.looked += 1
        files = sorted(self.folder.glob("*.png"))
        return {"train": [Sample(one, one.name, label="ab".index(one.name[0])) for one in files]}


class Masked(Flat):
    """The same with a mask for each: its values 3 and 9 are the classes 0 and 1."""

    def found(self) -> Mapping[SplitName, Sequence[Sample]]:
        samples = super().found()["train"]
        return {"train": [Sample(one.picture, one.name, mask=one.picture.with_suffix(".bmp")) for one in samples]}

    def mask_values(self) -> tuple[int, ...] | None:
        return tuple({3: 0, 9: 1, 255: 255}.get(value, -1) for value in range(256))


def write(folder: Path, count: int = 20) -> Path:
    for place in range(count):
        name = f"{'ab'[place % 2]}{place:02}"
        Image.new("RGB", (6, 4), (place, 0, 200)).save(folder / f"{name}.png")
        Image.fromarray(np.full((4, 6), 3 if place % 2 else 9, np.uint8)).save(folder / f"{name}.bmp")
    return folder


def made(kind: type[Flat], root: Path | None, **changes: Any) -> Flat:
    given: dict[str, Any] = dict(classes=None, image_size=(4, 6), channels=3, in_memory=True)
    return kind(root=None if root is None else str(root), **(given | changes))


def test_what_is_not_split_is_split_stratified_and_no_sample_twice(tmp_path: Path) -> None:
    data = made(Flat, write(tmp_path, 40))
    splits = {name: data.load(name) for name in ("train", "val", "test")}
    names = [name for split in splits.values() for name in (split.names or ())]
    assert len(names) == len(set(names)) == 40
    for split in splits.values():
        labels = split.batch(range(len(split)))["label"]
        assert labels.sum() * 2 == len(labels), "half of each class"
    again = made(Flat, tmp_path).load("test")
    assert again.names == splits["test"].names


def test_pictures_have_the_size_and_the_channels_asked_for(tmp_path: Path) -> None:
    write(tmp_path)
    assert made(Flat, tmp_path).load("train").batch([0])["image"].shape == (1, 3, 4, 6)
    assert made(Flat, tmp_path, channels=1, image_size=(2, 3)).load("train").batch([0])["image"].shape == (1, 1, 2, 3)
    with pytest.raises(InputError, match=r"holds 3 channels, and data\.channels=2"):
        made(Flat, tmp_path, channels=2).load("train").batch([0])


def test_names_that_are_given_are_those_of_the_files_in_another_order(tmp_path: Path) -> None:
    data = made(Flat, write(tmp_path), classes=["too", "found"])
    assert data.class_names() == ("too", "found") and data.looked == 0
    with pytest.raises(
        InputError, match=r"^data\.classes: no 'fuond' in the data, .* has found, too; did you mean found\?"
    ):
        made(Flat, tmp_path, classes=["fuond", "too"]).class_names()
    data = made(Flat, tmp_path)
    assert data.class_names() == data.class_names() == ("found", "too") and data.named == 1


class Numbered(Flat):
    """Files that only number their classes."""

    def listed(self) -> tuple[str, ...] | None:
        return None


def test_numbers_may_be_called_anything(tmp_path: Path) -> None:
    data = made(Numbered, write(tmp_path), classes=["cat", "dog"])
    assert data.class_names() == ("cat", "dog") and data.named == 0
    with pytest.raises(InputError, match=r"^data\.classes: names the class 'cat' more than once"):
        made(Numbered, tmp_path, classes=["cat", "cat"]).class_names()


def test_a_class_that_was_asked_for_has_a_training_sample(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made(Numbered, write(tmp_path), classes=["cat", "dog"]).refuse_untaught()
    with pytest.raises(InputError, match=r"^data\.classes: no training sample in .* shows eel; leave it out"):
        made(Numbered, tmp_path, classes=["cat", "dog", "eel"]).refuse_untaught()
    assert not caplog.messages
    Numbered.names = lambda self: ("cat", "dog", "eel")  # type: ignore[method-assign]
    made(Numbered, tmp_path).refuse_untaught()
    assert caplog.messages == ["no training sample shows eel, so the net will not learn it"]


class Reversed(Flat):
    """The same files, whose classes have the numbers the other way round."""

    def found(self) -> Mapping[SplitName, Sequence[Sample]]:
        samples = super().found()["train"]
        return {"train": [Sample(one.picture, one.name, label=1 - (one.label or 0)) for one in samples]}


def test_the_order_of_the_classes_moves_no_picture_to_another_split(tmp_path: Path) -> None:
    write(tmp_path, 40)
    one, other = made(Flat, tmp_path), made(Reversed, tmp_path, classes=["too", "found"])
    for split in ("train", "val", "test"):
        assert one.load(split).names == other.load(split).names  # type: ignore[arg-type]


def test_the_folder_is_read_once(tmp_path: Path) -> None:
    data = made(Flat, write(tmp_path))
    data.prepare()
    for split in ("train", "val", "test"):
        data.load(split)
    assert data.looked == 1


def test_a_folder_is_named_by_the_data_sets_own_word(tmp_path: Path) -> None:
    """The word of ``data=`` is the module's name."""
    with pytest.raises(InputError, match=r"^data=test_own_folder reads a folder of yours: add data\.root=FOLDER$"):
        made(Flat, None).prepare()
    with pytest.raises(InputError, match="no such folder"):
        made(Flat, tmp_path / "nowhere").prepare()


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_pictures_are_refused_before_a_split_is_empty(count: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no pictures for .*at least ten in all"):
        made(Flat, write(tmp_path, count)).load("train")


def test_masks_are_read_by_the_values_that_stand_for_classes(tmp_path: Path) -> None:
    split = made(Masked, write(tmp_path)).load("train")
    masks = split.batch(range(len(split)))["mask"]
    expected = [1 if (name or "")[0] == "a" else 0 for name in split.names or ()]
    assert masks.flatten(1).float().mean(1).tolist() == expected
    assert made(Flat, tmp_path).mask_values() is None


def test_in_memory_is_what_was_asked_for(tmp_path: Path) -> None:
    write(tmp_path)
    assert isinstance(made(Flat, tmp_path, in_memory=True).load("train"), TensorSplit)
    assert not isinstance(made(Flat, tmp_path, in_memory=False).load("train"), TensorSplit)

"""What is listed of samples: from files without decoding them, and from numbers in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnexp.data.base import FileSplit, TensorSplit
from cnnexp.data.fingerprint import depth_of, listed, listed_files
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError
from tests.data.tiny import make_data_set, write_class_folders, write_mask, write_picture


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_files_are_listed_by_name_size_label_and_contents_in_memory_or_not(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path, 10)
    found = {}
    for in_memory in (True, False):
        dataset = make_data_set("image_folder", root=str(root), image_size=[4, 4], in_memory=in_memory)
        found[in_memory] = listed(dataset.load("val"), ("cat", "dog"), "contents")
        assert listed_files(None, dataset.origins("val") or [], ("cat", "dog"), "contents") == found[in_memory]
    one = found[True]
    assert one == found[False]
    assert one.names is not None and [name[:3] for name in one.names] == ["cat", "dog"] and one.truths == [0, 1]
    assert one.sizes == [(root / name).stat().st_size for name in one.names]
    assert one.digests == [digest(root / name) for name in one.names]
    shallow = listed(make_data_set("image_folder", root=str(root), image_size=[4, 4]).load("val"), (), "names")
    assert (shallow.names, shallow.sizes, shallow.digests) == (one.names, None, None)


def test_boxes_are_a_truth_by_the_names_of_their_classes_in_any_order(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.png")
    boxes = ((1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0))
    here = Sample(picture, "a.png", boxes=boxes, classes=(0, 1))
    same = Sample(picture, "a.png", boxes=boxes[::-1], classes=(0, 1))
    moved = Sample(picture, "a.png", boxes=((1.0, 2.0, 3.0, 4.5), boxes[1]), classes=(0, 1))

    def truth(sample: Sample, *classes: str) -> object:
        return (listed_files(None, [sample], classes, "sizes").truths or [])[0]

    assert truth(here, "cat", "dog") == truth(same, "dog", "cat")
    assert len({truth(one, "cat", "dog") for one in (here, moved)} | {truth(here, "dog", "cat")}) == 3
    assert truth(Sample(picture, "a.png"), "cat") is None


def test_a_mask_is_a_truth_by_its_contents_or_its_size(tmp_path: Path) -> None:
    picture, mask = write_picture(tmp_path / "a.png"), tmp_path / "m.png"

    def truth(value: int, depth: str) -> object:
        write_mask(mask, np.full((4, 4), value))
        return (listed_files(None, [Sample(picture, "a.png", mask=mask)], (), depth).truths or [])[0]  # type: ignore[arg-type]

    assert truth(1, "contents") != truth(2, "contents")
    assert str(truth(1, "sizes")).startswith("?") and truth(1, "names") == "?"


def test_numbers_are_hashed_whole_and_their_form_is_told() -> None:
    tensors = {"image": torch.arange(12, dtype=torch.uint8).reshape(2, 1, 2, 3), "label": torch.tensor([1, 0])}
    one = listed(TensorSplit(tensors, names=["x/0", "x/1"]), (), "contents")
    assert (one.count, one.names, one.truths, one.sizes) == (2, ["x/0", "x/1"], [1, 0], None)
    assert one.form == "image torch.uint8 (1, 2, 3), label torch.int64 ()"
    tensors["image"][1, 0, 1, 2] += 1
    other = listed(TensorSplit(tensors, names=["x/0", "x/1"]), (), "contents")
    assert other.form == one.form and None is not other.whole != one.whole


def test_a_split_that_tells_nothing_of_its_files_is_known_by_names_and_labels() -> None:
    split = FileSplit(lambda position: {}, 2, names=["a", "b"], labels=torch.tensor([0, 1]))
    one = listed(split, (), "contents")
    assert (one.names, one.truths, one.digests, one.whole) == (["a", "b"], [0, 1], None, None)


def test_contents_are_read_as_far_as_the_size_allows_or_a_person_wishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = make_data_set("image_folder", root=str(write_class_folders(tmp_path, 10)), image_size=[4, 4]).load("train")
    assert [depth_of([split], wish) for wish in ("auto", "names")] == ["contents", "names"]
    monkeypatch.setattr("cnnexp.data.fingerprint.MOST_BYTES", 100)
    assert [depth_of([split], wish) for wish in ("auto", "contents")] == ["sizes", "contents"]


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png: cannot be read \(No such file or directory\)"):
        listed_files(None, [Sample(tmp_path / "gone.png", "gone.png")], (), "contents")

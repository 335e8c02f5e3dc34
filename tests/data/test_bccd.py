from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnnexp.data.bccd import DOWNLOAD
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


def test_facts(mirrored: Path) -> None:
    made = make_data_set("bccd")
    splits = load_all(made)
    assert {split: len(part) for split, part in splits.items()} == {"train": 205, "val": 87, "test": 72}
    counts = torch.zeros(3, dtype=torch.int64)
    for split in splits.values():
        batch = all_of(split)
        assert batch["image"].shape[1:] == (3, 240, 320)
        real = batch["classes"] >= 0
        counts += batch["classes"][real].bincount(minlength=3)
        boxes = batch["boxes"][real]
        assert boxes.min() >= 0
        assert boxes[:, 2].max() <= 320 and boxes[:, 3].max() <= 240
        assert ((boxes[:, 2:] - boxes[:, :2]) > 0.5).all()
        assert batch["boxes"][~real].abs().sum() == 0
    assert counts.tolist() == [4155 - 2, 372, 361]  # red cells, of which two are single pixels, white cells, platelets
    census = made.census()
    assert census is not None and made.census() is census
    assert census.line() == "4,888 boxes: 4,886 used, 2 left out (2 of a pixel or less)"
    names = [name for split in splits.values() for name in split.names or ()]
    assert len(set(names)) == 364


def test_mean_and_std_are_those_of_the_training_pictures(mirrored: Path) -> None:
    mean, std = measured(all_of(make_data_set("bccd").load("train"))["image"])
    stated = read_conf("bccd")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-4)  # JPEG decoders differ a little
    assert std == pytest.approx(stated["std"], abs=6e-4)


def test_boxes_are_where_the_annotation_says(mirrored: Path) -> None:
    """BloodImage_00002 begins with a red cell from (385, 98) to (523, 198), counted from 1, in 640×480."""
    for split in load_all(make_data_set("bccd", image_size=[480, 640])).values():
        names = list(split.names or ())
        if "BloodImage_00002" in names:
            batch = split.batch([names.index("BloodImage_00002")])
            assert batch["boxes"][0, 0].tolist() == [384, 97, 523, 198]
            assert batch["classes"][0, 0] == 0
            return
    raise AssertionError("BloodImage_00002 is in no split")


def test_white_cells_are_the_dark_purple_ones(mirrored: Path) -> None:
    """Their nuclei are stained: less green inside their boxes than inside those of red cells."""
    batch = all_of(make_data_set("bccd").load("val"))
    green: dict[int, list[float]] = {0: [], 1: []}
    for image, boxes, classes in zip(batch["image"], batch["boxes"].int(), batch["classes"], strict=True):
        for (x1, y1, x2, y2), kind in zip(boxes.tolist(), classes.tolist(), strict=True):
            if kind in green:
                green[kind].append(float(image[1, y1:y2, x1:x2].float().mean()))
    red, white = (sum(values) / len(values) for values in green.values())
    assert white < red - 10


def test_a_broken_picture_in_the_cache_is_mended(mirrored: Path) -> None:
    """Of the right size, so that only decoding finds it."""
    path = next(DOWNLOAD.place.rglob("BloodImage_00007.jpg"))
    content = path.read_bytes()
    path.write_bytes(bytes(len(content)))
    assert len(make_data_set("bccd").load("test")) == 72
    assert path.read_bytes() == content

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.data.base import Split
from cnnexp.data.census import PICTURES
from cnnexp.data.drawn_masks import OBJECTS
from cnnexp.data.dsb2018 import _IDS, DOWNLOAD, DSB2018, _samples
from cnnexp.inputs.corrupt import CorruptFile
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


@pytest.fixture(scope="module")
def splits(mirrored: Path) -> dict[str, Split]:
    return load_all(make_data_set("dsb2018"))


def test_facts(splits: dict[str, Split]) -> None:
    assert {split: len(part) for split, part in splits.items()} == {"train": 80, "val": 10, "test": 20}
    names = [name for split in splits.values() for name in split.names or ()]
    assert names == sorted(names) and len(set(names)) == 110 and all(name.endswith(".png") for name in names)
    batches = {name: all_of(part) for name, part in splits.items()}
    assert {name: int((one["classes"] == 0).sum()) for name, one in batches.items()} == {
        "train": 2085,
        "val": 249,
        "test": 657,
    }
    for one in batches.values():
        assert one["image"].shape[1:] == (1, 256, 256) and one["instances"].dtype == torch.int16
        assert int(one["instances"].max()) == one["classes"].shape[1]


def test_each_nucleus_is_the_mask_of_its_file(splits: dict[str, Split]) -> None:
    sample = _samples(DOWNLOAD.place)[0]
    batch = splits["train"].batch([0])
    for number, path in enumerate(sample.parts, 1):
        pixels = np.asarray(Image.open(path)) > 0
        assert (batch["instances"][0].numpy() == number).tolist() == pixels.tolist(), "none of these overlap"
        rows, columns = pixels.any(1).nonzero()[0], pixels.any(0).nonzero()[0]
        box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert batch["boxes"][0, number - 1].tolist() == box


def test_mean_and_std_are_those_of_the_training_pictures(splits: dict[str, Split]) -> None:
    mean, std = measured(all_of(splits["train"])["image"])
    stated = read_conf("dsb2018")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-5)
    assert std == pytest.approx(stated["std"], abs=6e-5)


@pytest.mark.parametrize("in_memory", [True, False])
def test_boxes_and_masks_are_those_of_the_nuclei(in_memory: bool, splits: dict[str, Split], mirrored: Path) -> None:
    whole = splits["val"].batch([3, 7])
    boxes = make_data_set("dsb2018", target="boxes", in_memory=in_memory).load("val").batch([3, 7])
    assert set(boxes) == {"image", "boxes", "classes", "index"}
    most = boxes["boxes"].shape[1]
    assert torch.equal(boxes["boxes"], whole["boxes"][:, :most]) and int((whole["classes"][:, most:] >= 0).sum()) == 0
    mask = make_data_set("dsb2018", target="mask", in_memory=in_memory).load("val").batch([3, 7])
    assert torch.equal(mask["mask"], (whole["instances"] > 0).to(torch.uint8)) and "boxes" not in mask


def test_a_folder_that_lacks_a_picture_is_refused(tmp_path: Path) -> None:
    for number in _IDS.split()[1:]:
        (tmp_path / number / "masks").mkdir(parents=True)
    with pytest.raises(CorruptFile, match="holds no picture 00071198"):
        _samples(tmp_path)
    (tmp_path / "00071198ab" / "masks").mkdir(parents=True)
    with pytest.raises(CorruptFile, match=r"holds no images/00071198ab\.png or no masks"):
        _samples(tmp_path)


def test_the_census_counts_nuclei(mirrored: Path) -> None:
    data = make_data_set("dsb2018")
    assert isinstance(data, DSB2018)
    assert (data.census().used(PICTURES), data.census().used(OBJECTS)) == (110, 2991)

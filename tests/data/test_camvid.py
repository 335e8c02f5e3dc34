from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnexp.data.base import Split
from cnnexp.data.camvid import COUNTS
from tests.data.test_archives import tar_of
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf, write_mask, write_picture


@pytest.fixture(scope="module")
def splits(mirrored: Path) -> dict[str, Split]:
    return load_all(make_data_set("camvid"))


def test_facts(splits: dict[str, Split]) -> None:
    """A mirror may hold a part of the frames; what it lists is what there is."""
    for name, split in splits.items():
        batch = all_of(split)
        assert 0 < len(split) <= COUNTS[name]  # type: ignore[index]
        assert batch["image"].shape[1:] == (3, 360, 480)
        assert batch["mask"].shape[1:] == (360, 480)
        assert batch["mask"].unique().tolist() == [*range(11), 255]
    names = [name for split in splits.values() for name in split.names or ()]
    assert len(set(names)) == sum(len(split) for split in splits.values())


def test_roads_lie_below_and_the_sky_is_bright(splits: dict[str, Split]) -> None:
    batch = all_of(splits["val"])
    classes = read_conf("camvid")["data"]["classes"]
    rows = {
        kind: np.nonzero((batch["mask"] == classes.index(kind)).numpy())[1].mean() for kind in ("sky", "road", "car")
    }
    assert rows["sky"] < rows["car"] < rows["road"]
    grey = batch["image"].float().mean(1)
    assert grey[batch["mask"] == classes.index("sky")].mean() > grey[batch["mask"] == classes.index("road")].mean() + 30


def test_mean_and_std_are_those_of_the_training_pictures(splits: dict[str, Split]) -> None:
    train = splits["train"]
    # Measured on all 367 frames; a thinned copy comes near.
    tolerance = 6e-5 if len(train) == COUNTS["train"] else 3e-3
    mean, std = measured(all_of(train)["image"])
    stated = read_conf("camvid")["data"]
    assert mean == pytest.approx(stated["mean"], abs=tolerance)
    assert std == pytest.approx(stated["std"], abs=tolerance)


def test_lists_of_another_machine_are_understood(cache: Path, tmp_path: Path) -> None:
    files = {}
    for split in ("train", "val", "test"):
        values = np.tile(np.arange(12, dtype=np.uint8), (9, 1))
        files[f"repo/CamVid/{split}/a.png"] = write_picture(tmp_path / "p.png", size=(9, 12)).read_bytes()
        files[f"repo/CamVid/{split}annot/a.png"] = write_mask(tmp_path / "m.png", values).read_bytes()
        line = f"/SegNet/CamVid/{split}/a.png /SegNet/CamVid/{split}annot/a.png\n"
        files[f"repo/CamVid/{split}.txt"] = line.encode()
    (tmp_path / "mirror").mkdir()
    tar_of(tmp_path / "mirror" / "CamVid-subset126.tar", **files)
    made = make_data_set("camvid", mirror=str(tmp_path / "mirror"), image_size=[9, 12])
    census = made.census()
    assert census is not None and census.remarks == ["3 of the 701 published frames of camvid"]
    assert made.load("val").batch([0])["mask"][0, 0].tolist() == [*range(11), 255]

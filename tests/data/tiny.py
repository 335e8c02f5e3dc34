"""Tiny data for the tests of cnnexp.data: data sets as their YAML describes them, and folders with a few pictures."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image
from torch import Tensor

from cnnexp.data.base import SPLITS, DataSet, Split

CONF = Path(__file__).parents[2] / "conf" / "data"
RED, GREEN, BLUE = (220, 20, 20), (20, 220, 20), (20, 20, 220)


def read_conf(name: str) -> dict[str, Any]:
    """conf/data/NAME.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8"))
    return loaded


def of_every_data_set() -> dict[str, Any]:
    """What conf/config.yaml says under ``data``, for all of them."""
    loaded = yaml.safe_load((CONF.parent / "config.yaml").read_text(encoding="utf-8"))
    return dict(loaded["data"])


def make_data_set(name: str, **changes: Any) -> DataSet:
    """The data set of conf/data/NAME.yaml with some keys changed, given what its signature asks for."""
    conf = {**of_every_data_set(), **read_conf(name)["data"]}
    conf |= {"target": conf["targets"][0] if conf["targets"] else None} | changes
    module, _, class_name = conf["_target_"].rpartition(".")
    class_ = getattr(import_module(module), class_name)
    wanted = inspect.signature(class_).parameters
    arguments = {key: tuple(value) if key == "image_size" else value for key, value in conf.items() if key in wanted}
    made: DataSet = class_(**arguments)
    return made


def load_all(data_set: DataSet) -> dict[str, Split]:
    return {split: data_set.load(split) for split in SPLITS}


def all_of(split: Split) -> dict[str, Tensor]:
    return split.batch(range(len(split)))


def measured(images: Tensor) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel of uint8 pictures (N, C, H, W), in [0, 1], in double precision."""
    total = np.zeros((2, images.shape[1]))
    for part in images.split(2000):
        pixels = part.double() / 255
        total += np.stack([pixels.sum((0, 2, 3)).numpy(), pixels.square().sum((0, 2, 3)).numpy()])
    mean, square = total / (images.numel() / images.shape[1])
    return mean.tolist(), np.sqrt(square - mean**2).tolist()


def write_picture(path: Path, colour: tuple[int, int, int] = RED, size: tuple[int, int] = (20, 30)) -> Path:
    """A picture of one colour; ``size`` is height, width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size[1], size[0]), colour).save(path)
    return path


def write_mask(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)
    return path


def write_class_folders(root: Path, count: int, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """``count`` pictures of each class; each class has a colour of its own."""
    for name, colour in zip(classes, (RED, GREEN, BLUE), strict=False):
        for i in range(count):
            write_picture(root / name / f"{name}{i:03}.png", colour)
    return root


def write_voc(root: Path, stems: list[str], boxes: list[tuple[str, int, int, int, int]]) -> Path:
    """Pictures 20×30 that all have the same boxes (class, xmin, ymin, xmax, ymax, counted from 1)."""
    objects = "".join(
        f"<object><name>{n}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for n, a, b, c, d in boxes
    )
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    for stem in stems:
        write_picture(root / "JPEGImages" / f"{stem}.jpg")
        (root / "Annotations" / f"{stem}.xml").write_text(f"<annotation>{objects}</annotation>")
    return root


def write_coco(path: Path, names: list[str], boxes: list[tuple[int, list[float]]]) -> Path:
    """A file in which every picture has the same boxes (category id, x y width height); categories 3 = car, 7 = bus."""
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = [
        {"id": 10 * i + j, "image_id": i, "category_id": category, "bbox": box}
        for i in range(len(names))
        for j, (category, box) in enumerate(boxes)
    ]
    content = {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
        "annotations": notes,
        "categories": [{"id": 7, "name": "bus"}, {"id": 3, "name": "car"}],
    }
    path.write_text(json.dumps(content))
    return path


def check_idx_facts(name: str, splits: dict[str, Split], test_counts: list[int]) -> None:
    """MNIST's sizes, classes and value range, and that the YAML has the mean and deviation of the training pictures."""
    assert {split: len(part) for split, part in splits.items()} == {"train": 55000, "val": 5000, "test": 10000}
    batches = {split: all_of(part) for split, part in splits.items()}
    for batch in batches.values():
        assert batch["image"].shape[1:] == (1, 28, 28)
        assert [int(batch["image"].min()), int(batch["image"].max())] == [0, 255]
    counts = {split: batch["label"].bincount() for split, batch in batches.items()}
    assert counts["test"].tolist() == test_counts
    assert ((counts["val"] * 11 - counts["train"]).abs() <= 11).all()  # one in twelve of every class
    assert not set(splits["train"].names or ()) & set(splits["val"].names or ())
    mean, std = measured(batches["train"]["image"])
    stated = read_conf(name)["data"]
    assert np.abs(np.array(mean) - stated["mean"]).max() < 6e-5
    assert np.abs(np.array(std) - stated["std"]).max() < 6e-5


def first_training_labels(splits: dict[str, Split], count: int) -> list[int]:
    """Labels of the first pictures of the published training set, found again by their names in train and val."""
    found = {}
    for part in (splits["train"], splits["val"]):
        names = list(part.names or ())
        for row in range(count):
            if f"train/{row}" in names:
                found[row] = int(part.batch([names.index(f"train/{row}")])["label"])
    return [found[row] for row in range(count)]

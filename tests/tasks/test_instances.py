"""Masks judged as COCO judges them, and a net of pixels judged alike."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.answers.instances import Instances as Form
from cnnexp.answers.instances import run_lengths, unpadded
from cnnexp.data.base import TensorSplit
from cnnexp.losses.pixel_cross_entropy import PixelCrossEntropy
from cnnexp.tasks.base import StepOutput, Task
from cnnexp.tasks.components import Components
from cnnexp.tasks.instances import Instances
from tests.tasks import tiny

Objects = list[dict[str, Tensor]]


def task(kind: type[Task], net: nn.Module, **arguments: Any) -> Task:
    facts = tiny.facts(targets={"instances": Form(tiny.CLASSES)})
    return kind(tiny.parts(kind, net, facts=facts, target="instances", loss=PixelCrossEntropy()), **arguments)


def made_up(count: int, side: int, seed: int) -> tuple[Objects, Objects]:
    """Pictures with rectangles of three classes, crowds among them, and answers that are near to some."""
    draw, truth, found = np.random.default_rng(seed), [], []
    for _ in range(count):
        number = int(draw.integers(0, 5))
        masks = np.array([_rectangle(draw, side) for _ in range(number)], bool).reshape(-1, side, side)
        near = [np.roll(one, draw.integers(-2, 3, 2), (0, 1)) for one in masks for _ in range(2)]
        answers = np.stack([*near, *(_rectangle(draw, side) for _ in range(2))])
        crowds = torch.from_numpy(draw.random(number) < 0.2).long()
        truth.append({**_objects(masks, draw.integers(0, 3, number)), "iscrowd": crowds})
        scores = torch.from_numpy(draw.random(len(answers)).astype(np.float32))
        labels = np.concatenate([truth[-1]["labels"].numpy().repeat(2), draw.integers(0, 3, 2)])
        found.append({**_objects(answers, labels), "scores": scores})
    return found, truth


def _rectangle(draw: np.random.Generator, side: int) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    (y, x), (height, width) = draw.integers(0, side - 4, 2), draw.integers(2, side // 2, 2)
    mask[y : y + height, x : x + width] = True
    mask[y : y + 2, x : x + 2] = draw.random((2, 2)) < 0.5
    return mask if mask.any() else ~mask


def _objects(masks: np.ndarray, labels: np.ndarray) -> dict[str, Tensor]:
    boxes = [[x.min(), y.min(), x.max() + 1, y.max() + 1] for y, x in (one.nonzero() for one in masks)]
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.from_numpy(labels),
        "masks": torch.from_numpy(masks),
    }


def by_pycocotools(found: Objects, truth: Objects, kind: str, folder: Path) -> list[float]:
    """map and map_50."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    side = truth[0]["masks"].shape[1]
    notes = [row for place, one in enumerate(truth) for row in _rows(place, one)]
    for number, row in enumerate(notes, 1):
        row["id"] = number
    answers = [row for place, one in enumerate(found) for row in _rows(place, one)]
    if kind == "bbox":  # loadRes would take the area of the box
        answers = [{key: value for key, value in row.items() if key != "segmentation"} for row in answers]
    images = [{"id": place, "height": side, "width": side} for place in range(len(truth))]
    content = {"images": images, "annotations": notes, "categories": [{"id": one} for one in range(3)]}
    (folder / "truth.json").write_text(json.dumps(content))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(folder / "truth.json"))
        judge = COCOeval(coco, coco.loadRes(answers), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats[:2].tolist()


def _rows(place: int, content: dict[str, Tensor]) -> list[dict[str, Any]]:
    rows = []
    for k, code in enumerate(run_lengths(content["masks"].numpy())):
        x1, y1, x2, y2 = content["boxes"][k].tolist()
        row = {"image_id": place, "category_id": int(content["labels"][k]), "bbox": [x1, y1, x2 - x1, y2 - y1]}
        row |= {"segmentation": {"size": list(content["masks"].shape[1:]), "counts": code}}
        row |= {
            key: content[own][k].item() for key, own in (("score", "scores"), ("iscrowd", "iscrowd")) if own in content
        }
        rows.append({**row, "area": int(content["masks"][k].sum())})
    return rows


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
@pytest.mark.parametrize(("count", "side", "seed"), [(6, 16, 0), (12, 40, 1), (25, 33, 2)])
def test_averages_are_those_of_pycocotools(count: int, side: int, seed: int, tmp_path: Path) -> None:
    found, truth = made_up(count, side, seed)
    made = task(Instances, tiny.grid_net())
    metrics = made.build_metrics("test")
    for start in range(0, count, 4):
        made.update_metrics(metrics, StepOutput([], found[start : start + 4], truth[start : start + 4]))
    values = made.read_metrics(metrics, "test").values
    assert [values["map"], values["map_50"]] == pytest.approx(by_pycocotools(found, truth, "segm", tmp_path), abs=1e-6)
    boxes = [values["box_map"], values["box_map_50"]]
    assert boxes == pytest.approx(by_pycocotools(found, truth, "bbox", tmp_path), abs=1e-6)
    assert 0.01 < values["map"] < values["map_50"] < 1


class Painting(nn.Module):
    """Says what a picture's value is: 0 background, 0.25 ant, 0.5 bee, 0.75 cat, 1 the border."""

    def forward(self, x: Tensor) -> Tensor:
        return -200 * (x - torch.linspace(0, 1, 5).view(1, 5, 1, 1)).abs()


def drawn() -> dict[str, Tensor]:
    """Two pictures 1×8×8: an ant beside a bee, which touch; and nothing."""
    numbers = torch.zeros(2, 8, 8, dtype=torch.int16)
    numbers[0, 1:5, 1:4], numbers[0, 1:5, 4:7] = 1, 2
    boxes = torch.zeros(2, 2, 4)
    boxes[0] = torch.tensor([[1, 1, 4, 5], [4, 1, 7, 5]])
    classes = torch.tensor([[0, 1], [-1, -1]])
    return {"instances": numbers, "boxes": boxes, "classes": classes, "index": torch.arange(2)}


def test_a_net_of_pixels_that_is_right_finds_all_objects() -> None:
    made = task(Components, Painting(), cut="components", border=1, smallest=1, apart=3)
    assert type(made).num_outputs(made.facts, "instances") == 5
    batch = drawn()
    from cnnexp.tasks.cutting import mask_to_learn

    batch["image"] = mask_to_learn(batch, 3, border=1)[:, None] / 4
    output = made.step(batch, "val")
    assert float(output.loss) < 1e-6
    metrics = made.build_metrics("test")
    made.update_metrics(metrics, output)
    readings = made.read_metrics(metrics, "test")
    assert readings.values["map"] == readings.values["box_map_50"] == 1.0
    assert readings.vectors["map_50"][:2] == [1.0, 1.0] and np.isnan(readings.vectors["map_50"][2])
    rows = made.rows(batch, output)
    assert rows["index"].tolist() == [0, 0] and rows["prediction"].tolist() == [0, 1]
    assert rows["rle"].tolist() == run_lengths(unpadded(batch)[0]["masks"].numpy())
    said = made.predict(batch)
    assert len(said[0]["scores"]) == 2 and said[1]["masks"].shape == (0, 8, 8)
    assert made.step(batch, "train").terms[0].name == output.terms[0].name


def test_pictures_without_any_object_are_judged() -> None:
    made = task(Components, Painting(), cut="watershed", border=1, smallest=1, apart=3)
    batch = {name: value[1:] for name, value in drawn().items()}
    batch["image"] = torch.zeros(1, 1, 8, 8)
    metrics = made.build_metrics("val")
    made.update_metrics(metrics, made.step(batch, "val"))
    assert made.read_metrics(metrics, "val").values == {"map": 0.0, "map_50": 0.0, "box_map": 0.0, "box_map_50": 0.0}


def test_classes_are_counted_in_pixels_where_pixels_learn_them() -> None:
    """Of 128 pixels an ant and a bee have 12 each, of which 4 are the border between them."""
    made = task(Components, Painting(), cut="components", border=1, smallest=1, apart=3)
    assert made.answer.counts(TensorSplit(drawn()), np.arange(2)) == [104, 8, 8, 0, 8]

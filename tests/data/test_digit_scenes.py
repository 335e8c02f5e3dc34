from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou, masks_to_boxes

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.digit_scenes import COUNTS, INK, DigitScenes, Scenes, compose
from cnnexp.data.mnist5k import _read, digits_of
from tests.data.tiny import all_of, make_data_set, measured, read_conf


@pytest.fixture(scope="module", params=SPLITS)
def scenes(request: pytest.FixtureRequest) -> tuple[SplitName, Scenes]:
    return request.param, compose(0, request.param, np.arange(500))


def test_facts() -> None:
    data_set = make_data_set("digit_scenes")
    for name, count in {"train": 4000, "val": 500, "test": 500}.items():
        split = data_set.load(name)  # type: ignore[arg-type]
        batch = all_of(split)
        assert len(split) == count
        assert batch["image"].shape == (count, 1, 64, 64)
        assert batch["mask"].unique().tolist() == list(range(11))
        assert batch["boxes"].shape == (count, 5, 4)
        assert set((batch["classes"] >= 0).sum(1).tolist()) == {1, 2, 3, 4, 5}
        assert batch["classes"].unique().tolist() == list(range(-1, 10))
        assert split.labels_for_strata() is None
        shares = batch["classes"][batch["classes"] >= 0].bincount() / (batch["classes"] >= 0).sum()
        assert shares.min() > 0.07 and shares.max() < 0.13


def test_mean_and_std_are_those_of_the_training_pictures() -> None:
    mean, std = measured(all_of(make_data_set("digit_scenes").load("train"))["image"])
    stated = read_conf("digit_scenes")["data"]
    assert mean == pytest.approx(stated["mean"], abs=6e-5)
    assert std == pytest.approx(stated["std"], abs=6e-5)


def test_a_scene_is_a_function_of_seed_split_and_number() -> None:
    many = compose(3, "train", np.arange(200, 260))
    few = compose(3, "train", np.array([259, 207]))
    for field in ("pictures", "instances", "boxes", "classes", "sides", "sources"):
        assert (getattr(many, field)[[59, 7]] == getattr(few, field)).all(), field
    others = [compose(4, "train", np.array([207])), compose(3, "val", np.array([207]))]
    assert all((other.pictures != few.pictures[1:]).any() for other in others)


def test_digits_stay_in_their_split(scenes: tuple[SplitName, Scenes]) -> None:
    name, made = scenes
    used = set(made.sources[made.sources >= 0].tolist())
    assert used <= set(digits_of(name)[2].tolist())
    assert (made.classes[made.classes >= 0] == _read()[1][made.sources[made.sources >= 0]]).all()


def test_boxes_overlap_little_and_lie_inside(scenes: tuple[SplitName, Scenes]) -> None:
    made = scenes[1]
    largest = 0.0
    for boxes, classes in zip(torch.from_numpy(made.boxes), made.classes, strict=True):
        real = boxes[: int((classes >= 0).sum())]
        assert real.min() >= 0 and real.max() <= 64
        assert (real[:, 2:] - real[:, :2] >= 1).all()
        largest = max(largest, float(box_iou(real, real).fill_diagonal_(0).max()))
    assert 0.05 < largest <= 0.15


def test_scales(scenes: tuple[SplitName, Scenes]) -> None:
    sides = scenes[1].sides[scenes[1].classes >= 0]
    assert 0.6 <= sides.min() / 28 < 0.63
    assert 0.97 < sides.max() / 28 <= 1.0


def test_boxes_are_tight_around_their_digits(scenes: tuple[SplitName, Scenes]) -> None:
    made = scenes[1]
    for instances, boxes, classes in zip(made.instances[:100], made.boxes, made.classes, strict=False):
        count = int((classes >= 0).sum())
        assert np.unique(instances).tolist() == list(range(count + 1))
        tight = masks_to_boxes(torch.from_numpy(instances) == torch.arange(1, count + 1)[:, None, None])
        tight[:, 2:] += 1  # torchvision's boxes end at the last pixel
        assert tight.tolist() == boxes[:count].tolist()


def test_every_bright_pixel_belongs_to_one_digit(scenes: tuple[SplitName, Scenes]) -> None:
    made = scenes[1]
    assert ((made.pictures >= INK) == (made.instances > 0)).all()
    assert (made.pictures[made.instances == 0] == 0).all()


def test_masks_agree_with_boxes_and_instances() -> None:
    data_set = make_data_set("digit_scenes")
    assert isinstance(data_set, DigitScenes)
    batch, instances = all_of(data_set.load("val")), data_set.instance_masks("val")
    assert instances.shape == (COUNTS["val"], 64, 64)
    for i in range(50):
        for k, digit in enumerate(batch["classes"][i].tolist()):
            pixels = batch["mask"][i][instances[i] == k + 1]
            assert pixels.unique().tolist() == ([digit + 1] if digit >= 0 else [])


def test_a_digit_is_drawn_as_it_is() -> None:
    """At its own size, in a scene of its own, a digit is the original without its faint pixels."""
    made = compose(0, "train", np.arange(1500))
    alone = [i for i in range(1500) if (made.classes[i] >= 0).sum() == 1 and made.sides[i, 0] == 28]
    assert len(alone) > 5
    for i in alone:
        x1, y1, x2, y2 = made.boxes[i, 0].astype(int)
        original = _read()[0][made.sources[i, 0]]
        ink = np.where(original >= INK, original, 0)
        ys, xs = np.nonzero(ink)
        assert (made.pictures[i, y1:y2, x1:x2] == ink[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]).all()


def test_resized_scenes_keep_boxes_and_masks_together() -> None:
    data_set = make_data_set("digit_scenes", image_size=[128, 96], channels=3)
    batch = data_set.load("test").batch([0, 1, 2])
    assert batch["image"].shape == (3, 3, 128, 96)
    original = make_data_set("digit_scenes").load("test").batch([0, 1, 2])
    assert torch.equal(batch["boxes"], original["boxes"] * torch.tensor([1.5, 2.0, 1.5, 2.0]))
    assert batch["mask"].shape == (3, 128, 96)


def test_instances_are_the_digits_of_the_boxes() -> None:
    batch = make_data_set("digit_scenes", target="instances").load("val").batch(range(40))
    both = make_data_set("digit_scenes").load("val").batch(range(40))
    assert set(batch) == {"image", "instances", "boxes", "classes", "index"} and "mask" in both
    assert torch.equal(batch["boxes"], both["boxes"]) and torch.equal(batch["classes"], both["classes"])
    digit = torch.nn.functional.pad(batch["classes"] + 1, (1, 0)).gather(1, batch["instances"].flatten(1).long())
    assert torch.equal(digit.view(40, 64, 64).to(torch.uint8), both["mask"])


def test_instances_of_another_size_have_the_boxes_of_their_pixels() -> None:
    batch = make_data_set("digit_scenes", target="instances", image_size=[40, 100]).load("val").batch(range(20))
    assert batch["instances"].shape == (20, 40, 100) and batch["instances"].dtype == torch.int16
    for numbers, boxes, classes in zip(batch["instances"], batch["boxes"], batch["classes"], strict=True):
        for row in (classes >= 0).nonzero()[:, 0].tolist():
            (found,) = masks_to_boxes((numbers == row + 1)[None])  # theirs ends at the last pixel, ours behind it
            assert boxes[row].tolist() == (found + torch.tensor([0, 0, 1, 1])).tolist()

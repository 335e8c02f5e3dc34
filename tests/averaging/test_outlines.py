"""Outlines of several views, by hand: pixels vote by the scores of the masks that have them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.averaging.answering import asking
from cnnexp.averaging.merged import compare_merged
from cnnexp.averaging.outlines import joined_masks
from cnnexp.averaging.panel import Member, Panel
from cnnexp.averaging.views import DIHEDRAL, FLIP, ten_crop
from cnnexp.data.base import TensorSplit
from cnnexp.tasks.components import Components
from cnnexp.tasks.instances import Instances
from tests.averaging.test_answering import CPU, squares
from tests.commands.test_film import Bright
from tests.tasks import tiny
from tests.tasks.test_instances import task

PIXELS = np.array([[0, 1, 1, 0]], bool)


def joined(*masks: tuple[Any, np.ndarray, float], numbers: tuple[int, ...] = (0, 0)) -> list[list[bool]]:
    of_views = [(view, mask[None], np.array([score])) for view, mask, score in masks]
    return joined_masks(of_views, np.array(numbers), 1, (1, 4), (1, 4))[0].tolist()


def test_pixels_vote_by_the_scores_and_half_is_not_enough() -> None:
    """The mirrored view's pixels 2 and 3 are the picture's 1 and 0."""
    same, mirrored = FLIP
    other = np.array([[0, 0, 1, 1]], bool)
    assert joined((same, PIXELS, 0.9), (mirrored, other, 0.3)) == [[False, True, True, False]]
    assert joined((same, PIXELS, 0.3), (mirrored, other, 0.9)) == [[True, True, False, False]]
    assert joined((same, PIXELS, 0.5), (mirrored, other, 0.5)) == [[False, True, False, False]]


def test_what_joined_nothing_has_no_vote_and_no_mask_is_no_object() -> None:
    same, mirrored = FLIP
    assert joined((same, PIXELS, 0.1), (mirrored, ~PIXELS, 0.9), numbers=(0, -1)) == PIXELS.tolist()
    empty = joined_masks([(same, np.zeros((0, 1, 4), bool), np.zeros(0))], np.zeros(0, np.int64), 0, (1, 4), (1, 4))
    assert empty.shape == (0, 1, 4)


def test_a_view_has_no_vote_where_it_does_not_look() -> None:
    """The view at the top left sees the first half of the picture's 8 columns, where it finds nothing surer."""
    corner = ten_crop(0.5)[0]
    whole = FLIP[0]
    right = np.zeros((8, 8), bool)
    right[:, 2:] = True
    nothing = np.zeros((8, 8), bool)
    masks = [(whole, right[None], np.array([0.3])), (corner, nothing[None], np.array([0.9]))]
    made = joined_masks(masks, np.array([0, 0]), 1, (8, 8), (8, 8))[0]
    expected = right.copy()
    expected[:4, :4] = False
    assert np.array_equal(made, expected)


class Outlined(Bright):
    """Draws what is bright, and what is up to ``smears`` pixels to the right of it."""

    def __init__(self, smears: int = 0) -> None:
        super().__init__()
        self.smears = smears

    def detect(self, x: Tensor) -> list[dict[str, Tensor]]:
        found = []
        for one, picture in zip(super().detect(x), x, strict=True):
            bright = picture[0] > (0.5 - 0.4) / 0.2
            smeared = torch.stack([bright.roll(step, -1) for step in range(self.smears + 1)]).any(0)
            found.append(one | {"masks": smeared[None]})
        return found


def outlined() -> dict[str, Any]:
    batch = squares()
    return {**batch, "instances": (batch["image"][:, 0] > 0).short()}


@pytest.mark.parametrize("views", [FLIP, DIHEDRAL], ids=["flip", "dihedral"])
def test_views_of_what_is_turned_draw_the_turned_outlines(views: Any) -> None:
    made = asking(task(Instances, Outlined()), views, CPU, "fp32")(outlined())
    for one, truth, boxes in zip(made, outlined()["instances"], outlined()["boxes"], strict=True):
        assert np.array_equal(one["masks"], truth.numpy()[None] > 0)
        assert one["boxes"] * 8 == pytest.approx(boxes.numpy())


class BrightPixels(torch.nn.Module):
    """Logits of the background, three classes and the border: what is bright is of class 1."""

    def forward(self, x: Tensor) -> Tensor:
        bright = (x[:, :1] > 0.5).float()
        nothing = torch.full_like(bright, -9.0)
        return torch.cat([9 - 18 * bright, nothing, 18 * bright - 9, nothing, nothing], 1)


def test_objects_that_are_cut_out_of_pixels_are_merged_too() -> None:
    made = task(Components, BrightPixels(), cut="components", border=1, smallest=1, apart=3)
    for one, truth in zip(asking(made, FLIP, CPU, "fp32")(outlined()), outlined()["instances"], strict=True):
        assert np.array_equal(one["masks"], truth.numpy()[None] > 0) and one["labels"].tolist() == [1]


def test_a_test_tells_what_is_gained() -> None:
    """Of an object of two columns a net draws five, too far to the right, and of the mirrored picture too far to the
    left: 2 / 5 is no overlap that counts, and what both draw is the object."""
    image = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    image[:, 0, 2:5, 3:5] = 255
    boxes, classes = torch.tensor([[[3.0, 2.0, 5.0, 5.0]]] * 2), torch.ones(2, 1, dtype=torch.long)
    split = TensorSplit({"image": image, "instances": (image[:, 0] > 0).short(), "boxes": boxes, "classes": classes})
    config = {"hardware": dict(tiny.HARDWARE), "task": {"monitor": "val/map_50"}}
    record: Any = SimpleNamespace(id="a", choices={"model": "smearing"})
    data = tiny.picture_data(dataset=tiny.Given(train=split, val=split, test=split))
    panel = Panel((Member(record, task(Instances, Outlined(smears=3)), data, config),))
    content = compare_merged(panel, "flip", FLIP, "test")
    assert content["metrics"]["test/map_50"] == pytest.approx(0.0)
    assert content["tta"]["metrics"]["test/map_50"] == pytest.approx(1.0)
    assert content["tta"]["gain"] == {"metric": "test/map_50", "value": pytest.approx(1.0)}

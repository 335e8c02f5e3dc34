"""A net asked over views: boxes of mirrored pictures are mirrored, probabilities are the voter's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.averaging.answering import asking
from cnnexp.averaging.merged import compare_merged
from cnnexp.averaging.panel import Member, Panel
from cnnexp.averaging.views import DIHEDRAL, FLIP
from cnnexp.averaging.voter import Voter
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.detection import Detection
from cnnexp.tasks.segmentation import Segmentation
from tests.commands.test_film import Bright
from tests.tasks import tiny

CPU = torch.device("cpu")


def squares() -> dict[str, Any]:
    """Two pictures with a bright rectangle each."""
    image = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    image[0, 0, 1:4, 2:7], image[1, 0, 5:8, 0:2] = 255, 255
    boxes = torch.tensor([[[2.0, 1.0, 7.0, 4.0]], [[0.0, 5.0, 2.0, 8.0]]])
    return {"image": image, "boxes": boxes, "classes": torch.tensor([[1], [1]]), "index": torch.arange(2)}


@pytest.mark.parametrize("views", [FLIP, DIHEDRAL], ids=["flip", "dihedral"])
def test_views_of_what_is_turned_say_the_turned_boxes(views: Any) -> None:
    ask = asking(tiny.task(Detection, Bright()), views, CPU, "fp32")
    plain = asking(tiny.task(Detection, Bright()), (), CPU, "fp32")
    for one, other, truth in zip(ask(squares()), plain(squares()), squares()["boxes"], strict=True):
        assert one["boxes"] * 8 == pytest.approx(truth.numpy())
        assert one["boxes"] == pytest.approx(other["boxes"]) and one["scores"] == pytest.approx([0.9])


def test_a_trained_kind_of_net_says_the_mirrored_of_a_mirrored_picture() -> None:
    ask = asking(tiny.task(Detection, tiny.grid_net()), FLIP, CPU, "fp32")
    batch = tiny.batch(3, 4)
    mirrored = {**batch, "image": batch["image"].flip(-1)}
    for one, other in zip(ask(batch), ask(mirrored), strict=True):
        back = other["boxes"].copy()
        back[:, [0, 2]] = 1 - back[:, [2, 0]]
        order, theirs = (
            np.lexsort((boxes[:, 1], boxes[:, 0], -scores.round(6)))
            for boxes, scores in (
                (one["boxes"].round(5), one["scores"]),
                (back.round(5), other["scores"]),
            )
        )
        assert len(order) == len(theirs) > 0
        assert one["scores"][order] == pytest.approx(other["scores"][theirs], abs=1e-5)
        assert one["boxes"][order] == pytest.approx(back[theirs], abs=1e-4)


def test_probabilities_are_the_voter_s_in_the_form_of_the_answer() -> None:
    batch = tiny.batch(3)
    classifier = tiny.task(Classification, tiny.linear_net())
    expected = Voter(classifier, FLIP, CPU, "fp32")(batch).numpy()
    assert np.stack(asking(classifier, FLIP, CPU, "fp32")(batch)) == pytest.approx(expected)
    segmenter = tiny.task(Segmentation, tiny.pixel_net())
    expected = Voter(segmenter, FLIP, CPU, "fp32")(batch).argmax(1).numpy()
    found = np.stack(asking(segmenter, FLIP, CPU, "fp32")(batch))
    assert found.dtype == np.uint8 and np.array_equal(found, expected)


def test_other_answers_are_refused() -> None:
    with pytest.raises(InputError, match=r"^tta: views are averaged of probabilities of classes, and merged of boxes"):
        asking(tiny.task(Autoencoder, tiny.ShallowAutoencoder()), FLIP, CPU, "fp32")


def test_the_gain_is_the_difference_of_two_tests() -> None:
    """A net that says every box a quarter of a pixel too far right: of the mirrored picture, too far left; the mean of
    both is right."""

    class Leaning(Bright):
        def detect(self, x: torch.Tensor) -> list[dict[str, torch.Tensor]]:
            return [one | {"boxes": one["boxes"] + torch.tensor([0.25, 0, 0.25, 0])} for one in super().detect(x)]

    record: Any = SimpleNamespace(id="a", choices={"model": "bright"})
    config = {"hardware": dict(tiny.HARDWARE), "task": {"monitor": "val/map"}}
    split = TensorSplit({name: value for name, value in squares().items() if name != "index"})
    data = tiny.picture_data(dataset=tiny.Given(train=split, val=split, test=split))
    panel = Panel((Member(record, tiny.task(Detection, Leaning()), data, config),))
    content = compare_merged(panel, "flip", FLIP, "test")
    averaged = content["tta"]
    assert averaged["metrics"]["test/map"] == pytest.approx(1.0)
    assert content["metrics"]["test/map"] < 0.8
    expected = averaged["metrics"]["test/map"] - content["metrics"]["test/map"]
    assert averaged["gain"] == {"metric": "test/map", "value": pytest.approx(expected)}
    assert (averaged["method"], averaged["views"]) == ("weighted boxes fusion", ["as it is", "mirrored"])
    assert content["metrics"]["test/map_50"] == pytest.approx(1.0)

"""A box's score against what the detector itself says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnexp.models.window_lenet import SIDES
from cnnexp.models.yolo import decode
from cnnexp.visualize.attributions import gradient
from cnnexp.visualize.place_scores import box_score, pixels_score
from tests.models.detectors import detector, livened, pictures

Said = tuple[Tensor, Tensor]
"""Probabilities (N, K) of all boxes of a picture, and the logits behind them."""


def of_grid(net: Any, x: Tensor) -> Said:
    grid = decode(net(x), net.stride)
    return _with_objectness(grid.objectness[0], grid.class_logits[0])


def of_windows(net: Any, x: Tensor) -> Said:
    answers = [net(net.view(x, scale).picture).flatten(2)[0].T for scale in net.scales]
    rows = torch.cat(answers)
    return _with_objectness(rows[:, 0], rows[:, 1 + SIDES :])


def _with_objectness(there: Tensor, logits: Tensor) -> Said:
    return there.sigmoid()[:, None] * logits.softmax(-1), there[:, None] + logits


def of_ssd(net: Any, x: Tensor) -> Said:
    logits = net(x)["cls_logits"][0]
    return logits.softmax(-1)[:, 1:], logits[:, 1:]


def of_retinanet(net: Any, x: Tensor) -> Said:
    logits = net(x)["cls_logits"][0]
    return logits.sigmoid(), logits


ONE_STAGE: dict[str, Callable[[Any, Tensor], Said]] = {
    "yolo": of_grid,
    "ssd": of_ssd,
    "retinanet": of_retinanet,
    "window_lenet": of_windows,
}


@pytest.mark.parametrize("name", ONE_STAGE)
def test_the_score_of_a_box_is_the_logit_of_the_one_that_became_it(name: str) -> None:
    net, x = livened(detector(name, "model.confidence_threshold=0.0")), pictures(1)
    with torch.no_grad():
        (found,) = net.detect(x)
        probabilities, logits = ONE_STAGE[name](net, x)
    assert len(found["boxes"]) > 3
    for row in (0, 2):
        box, label, sure = found["boxes"][row], int(found["labels"][row]), found["scores"][row]
        score = box_score(net, x, box, label)
        place = int((probabilities[:, label] - sure).abs().argmin())
        torch.testing.assert_close(probabilities[place, label], sure)
        torch.testing.assert_close(score(x).detach(), logits[place, label][None])
        torch.testing.assert_close(score(torch.cat([x, 1 - x])).detach()[:1], score(x).detach(), rtol=1e-4, atol=1e-5)
        assert float(gradient(score, x).abs().max()) > 0


@pytest.mark.parametrize("name", ["faster_rcnn", "mask_rcnn"])
def test_of_two_stages_the_second_is_asked_about_the_box(name: str) -> None:
    net, x = livened(detector(name, "model.proposals=20", "model.confidence_threshold=0.0")), pictures(1)
    with torch.no_grad():
        (found,) = net.detect(x)
        box, label = found["boxes"][1], int(found["labels"][1])
        logits, _ = net.second(net.propose(x), [box[None]])
    score = box_score(net, x, box, label)
    torch.testing.assert_close(score(x).detach(), logits[:, 1 + label])
    assert float(gradient(score, x).abs().max()) > 0


def test_pixels_by_hand() -> None:
    class Linear(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, 3 * x], 1)

    where = torch.tensor([[True, False], [True, True]])
    x = torch.tensor([[[[1.0, 2.0], [4.0, 8.0]]]])
    score = pixels_score(Linear(), 1, where)
    assert score(torch.cat([x, 2 * x])).tolist() == [39.0, 78.0]
    assert gradient(score, x)[0, 0].tolist() == [[3, 0], [3, 3]]

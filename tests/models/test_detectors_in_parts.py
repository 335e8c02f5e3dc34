"""Halves of a batch, each term weighed by its own count, are the whole: what several processes rest on."""

from __future__ import annotations

import pytest
import torch

from tests.models.detectors import detector, livened, pictures, truth


@pytest.mark.parametrize("name", ["faster_rcnn", "retinanet", "ssd"])
def test_halves_weighed_by_their_counts_are_the_whole(name: str) -> None:
    net = livened(detector(name)).double()
    x, (boxes, classes) = pictures().double(), truth()
    draws = {"draws": torch.tensor([11, 12, 13])} if "draws" in getattr(net, "takes", ()) else {}
    with torch.no_grad():
        whole = net.losses(x, boxes.double(), classes, **draws)
        halves = [
            net.losses(x[rows], boxes[rows].double(), classes[rows], **{k: one[rows] for k, one in draws.items()})
            for rows in ([0], [1, 2])
        ]
    for term, (mean, count) in whole.items():
        assert sum(int(half[term][1]) for half in halves) == int(count) > 0
        weighed = sum(half[term][0].item() * int(half[term][1]) for half in halves) / int(count)
        assert weighed == pytest.approx(mean.item(), rel=1e-12), term


@pytest.mark.parametrize("name", ["faster_rcnn", "retinanet", "ssd"])
def test_shapes_alone_pass_forward(name: str) -> None:
    """What a summary and the refusal of small pictures rest on."""
    with torch.device("meta"):
        answer = detector(name)(torch.empty(2, 1, 64, 64))
    parts = answer.values() if isinstance(answer, dict) else answer
    assert all(one.is_meta and one.numel() > 0 for one in parts)

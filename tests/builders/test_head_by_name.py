"""The answers of a run's net in another run's order of the classes, and fresh for other classes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from cnnexp.builders.head_by_name import fresh_answers, put_by_name
from cnnexp.models.yolo import YOLO
from cnnexp.runs.read import Record
from tests.builders.made import configuration


def source(*classes: str) -> Record:
    return Record(Path("x"), "x", "finished", config=configuration(data={"classes": list(classes)}))


def net_and_fresh(seed: int = 0) -> tuple[nn.Sequential, dict[str, torch.Tensor]]:
    """Numbers of its own for fresh, then 0, 1, 2 as the biases of three classes that were loaded."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3))
    fresh = fresh_answers(net)
    assert list(fresh) == ["2.weight", "2.bias"]
    with torch.no_grad():
        for place in (0, 2):
            net[place].bias.copy_(torch.arange(3.0))
            net[place].weight.copy_(torch.arange(3.0)[:, None].expand_as(net[place].weight))
    return net, fresh


def put(net: nn.Module, fresh: dict[str, torch.Tensor], theirs: Record, *own: str) -> tuple[list[str], list[str]]:
    return put_by_name(net, fresh, list(net.state_dict()), theirs, configuration(data={"classes": list(own)}))


def test_rows_change_places_and_the_body_stays() -> None:
    net, fresh = net_and_fresh()
    assert put(net, fresh, source("dog", "ape", "cat"), "ape", "cat", "dog") == (["2.weight", "2.bias"], [])
    assert net[2].bias.tolist() == [1, 2, 0] and net[2].weight[:, 0].tolist() == [1, 2, 0]
    assert net[0].bias.tolist() == [0, 1, 2], "three rows as well, and no classes"


def test_the_head_is_fresh_for_other_classes_and_kept_for_the_same() -> None:
    net, fresh = net_and_fresh()
    assert put(net, fresh, source("dog", "ape", "cat"), "dog", "ape", "cat") == ([], [])
    assert put(net, fresh, source("dog", "ape", "cat"), "dog", "ape", "eel") == ([], ["2.weight", "2.bias"])
    assert torch.equal(net[2].weight, fresh["2.weight"]) and net[0].bias.tolist() == [0, 1, 2]


def test_a_detector_says_which_rows_are_classes() -> None:
    net = YOLO(
        in_channels=1, num_classes=2, width=4, depth=1, stride=4, radius=1.5, confidence_threshold=0.1, nms_iou=0.5,
        max_detections=9,
    )  # fmt: skip
    fresh = fresh_answers(net)
    with torch.no_grad():
        net.head[1].bias.copy_(torch.arange(7.0))
    ordered, again = put(net, fresh, source("dog", "cat"), "cat", "dog")
    assert ordered == ["head.1.weight", "head.1.bias"] and again == []
    assert net.head[1].bias.tolist() == [0, 1, 2, 3, 4, 6, 5]


def test_auxiliary_heads_are_fresh_whatever_the_order() -> None:
    net, _ = net_and_fresh()
    net.auxiliary_parts = ("0",)  # type: ignore[assignment]
    fresh = fresh_answers(net)
    assert put(net, fresh, source("dog", "ape", "cat"), "ape", "cat", "dog")[1] == ["0.weight", "0.bias"]

"""RetinaNet held to torchvision's: losses, what is found, the focal loss by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torchvision.models import detection
from torchvision.models.detection import retinanet_resnet50_fpn

from cnnexp.errors import InputError
from cnnexp.models.retinanet import published, renamed
from tests.models.detectors import as_torchvision, detector, livened, pictures, truth


@pytest.fixture(scope="module")
def net() -> Any:
    return livened(detector("retinanet"))


def test_anchors_by_hand() -> None:
    """12, 15 and 19 pixels at stride 4; with one ratio the sides are whole numbers and so the same as the sizes."""
    own = detector("retinanet", "model.anchor_ratios=[1]")
    maps = [torch.zeros(1, 16, side, side) for side in (16, 8, 4, 2)]
    (anchors,) = own.anchor_generator(own.transform.images(pictures(1)), maps)
    assert anchors.shape == ((256 + 64 + 16 + 4) * 3, 4)
    assert anchors[:3].tolist() == [[-6, -6, 6, 6], [-8, -8, 8, 8], [-10, -10, 10, 10]], "7.5 and 9.5 are rounded up"
    assert anchors[3 * 256 :][:2].tolist() == [[-12, -12, 12, 12], [-15, -15, 15, 15]]
    assert anchors[-3].tolist() == [-16, -16, 80, 80]


def test_losses_are_those_of_torchvision(net: Any) -> None:
    boxes, classes = truth()
    x = pictures()
    ours = net.losses(x, boxes, classes)
    assert [count for _, count in ours.values()] == [3, 3]
    images = net.transform.images(x)
    maps = list(net.backbone(images.tensors).values())
    theirs = net.compute_loss(as_torchvision(boxes, classes, 0), net.head(maps), net.anchor_generator(images, maps))
    torch.testing.assert_close(ours["class"][0], theirs["classification"])
    torch.testing.assert_close(ours["box"][0], theirs["bbox_regression"])
    assert ours["box"][0].item() > 0


def test_it_finds_what_torchvision_finds(net: Any) -> None:
    x = pictures()
    images = net.transform.images(x)
    maps = list(net.backbone(images.tensors).values())
    said, per_map = net.head(maps), [one.shape[2] * one.shape[3] * 9 for one in maps]
    split = {name: list(one.split(per_map, dim=1)) for name, one in said.items()}
    anchors = [list(one.split(per_map)) for one in net.anchor_generator(images, maps)]
    theirs = detection.RetinaNet.postprocess_detections(net, split, anchors, [(64, 64)] * 3)
    _, found = net.judged(x, *truth())
    assert sum(len(one["scores"]) for one in found) > 20
    for one, other, again in zip(found, theirs, net.detect(x), strict=True):
        for key in ("boxes", "scores", "labels"):
            assert torch.equal(one[key], other[key]) and torch.equal(one[key], again[key])


def test_the_focal_loss_by_hand() -> None:
    """Two anchors, one class: p = 0.5 where something is, and p = 0.2 where nothing is."""
    own = detector("retinanet", "model.focal_gamma=3", "model.focal_alpha=0.6")
    logits = torch.tensor([[0.0], [math.log(0.25)]])
    found = own._focal(logits, torch.tensor([0]), torch.tensor([0, -1]))
    assert found.item() == pytest.approx(-0.6 * 0.5**3 * math.log(0.5) - 0.4 * 0.2**3 * math.log(0.8))
    ignored = own._focal(logits, torch.tensor([0]), torch.tensor([0, -2]))
    assert ignored.item() == pytest.approx(-0.6 * 0.5**3 * math.log(0.5))


def test_without_a_single_object_there_are_losses_all_the_same(net: Any) -> None:
    boxes, classes = truth()
    losses = net.losses(pictures(), boxes[:, :0], classes[:, :0])
    assert losses["box"][0].item() == 0 and bool(losses["class"][0].isfinite()) and losses["box"][1] == 3


def test_classes_in_another_order(net: Any) -> None:
    order = [3, 1, 0, 2, *range(4, 10)]
    other, state = livened(detector("retinanet")), net.state_dict()
    layer = "head.classification_head.cls_logits"
    other.load_state_dict({k: one[net.class_rows(order)] if k.startswith(layer) else one for k, one in state.items()})
    for one, moved in zip(net.detect(pictures()), other.detect(pictures()), strict=True):
        assert sorted(one["labels"].tolist()) == sorted(order[label] for label in moved["labels"].tolist())


def test_names_of_weights_are_those_that_are_published() -> None:
    with torch.device("meta"):
        ours = detector("retinanet", "model.backbone=resnet50", channels=3).state_dict()
        theirs = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=10).state_dict()
    shapes = {name: one.shape for name, one in theirs.items() if not name.endswith("num_batches_tracked")}
    assert {name: one.shape for name, one in ours.items()} == shapes
    tower = "head.regression_head.conv."
    old = {f"{tower}{2 * place}.weight": torch.zeros(1) for place in range(4)}
    assert list(renamed(old)) == [f"{tower}{place}.0.weight" for place in range(4)]


def test_what_is_published() -> None:
    found = published("torchvision", backbone="resnet50", strides=None)
    assert found is not None and len(found.classes) == 91 and found.classes[1] == "person"
    assert found.count({"head.classification_head.cls_logits.bias": torch.zeros(819)}) == 91


def test_a_negative_gamma_is_refused() -> None:
    with pytest.raises(InputError, match=r"model\.focal_gamma=-1: expected a number of at least 0"):
        detector("retinanet", "model.focal_gamma=-1")

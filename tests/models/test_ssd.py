"""SSD held to torchvision's: boxes by hand, losses with the hardest negatives, what is found."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torchvision.models import detection
from torchvision.models.detection import ssd300_vgg16
from torchvision.ops import box_iou

from cnnexp.errors import InputError
from cnnexp.models.ssd import published
from tests.models.detectors import as_torchvision, detector, livened, pictures, truth


@pytest.fixture(scope="module")
def net() -> Any:
    return livened(detector("ssd"))


def test_boxes_by_hand() -> None:
    """Scales 0.25 and 0.5 of 64 pixels at stride 8: a square of 16, one of √(16·32), and 2 to 1 around the first."""
    own = detector("ssd", "model.strides=[8]", "model.further=0", "model.scales=[0.25,0.5]", "model.aspect_ratios=[2]")
    (boxes,) = own.anchor_generator(own.transform.images(pictures(1)), [torch.zeros(1, 16, 8, 8)])
    assert boxes.shape == (64 * 4, 4)
    sides = [(16, 16), (math.sqrt(512), math.sqrt(512)), (16 * math.sqrt(2), 16 / math.sqrt(2))]
    for box, (width, height) in zip(boxes[4 * 9 :], sides, strict=False):
        expected = [12 - width / 2, 12 - height / 2, 12 + width / 2, 12 + height / 2]
        assert box.tolist() == pytest.approx(expected, abs=1e-4), "second row, second column: the centre is 12, 12"


def test_losses_are_those_of_torchvision(net: Any) -> None:
    boxes, classes = truth()
    x = pictures()
    ours = net.losses(x, boxes, classes)
    images = net.transform.images(x)
    maps = list(net.backbone(images.tensors).values())
    anchors, targets = net.anchor_generator(images, maps), as_torchvision(boxes, classes, 1)
    matched = [
        net.proposal_matcher(box_iou(one["boxes"], own)) if len(one["boxes"]) else torch.full((len(own),), -1)
        for one, own in zip(targets, anchors, strict=True)
    ]
    theirs = net.compute_loss(targets, net.head(maps), anchors, matched)
    torch.testing.assert_close(ours["class"][0], theirs["classification"])
    torch.testing.assert_close(ours["box"][0], theirs["bbox_regression"])
    assert ours["class"][1] == ours["box"][1] == sum(int((one >= 0).sum()) for one in matched) > 0


def test_it_finds_what_torchvision_finds(net: Any) -> None:
    x = pictures()
    images = net.transform.images(x)
    maps = list(net.backbone(images.tensors).values())
    said, anchors = net.head(maps), net.anchor_generator(images, maps)
    theirs = detection.ssd.SSD.postprocess_detections(net, said, anchors, [(64, 64)] * 3)
    _, found = net.judged(x, *truth())
    assert sum(len(one["scores"]) for one in found) > 20
    for one, other, again in zip(found, theirs, net.detect(x), strict=True):
        assert torch.equal(one["boxes"], other["boxes"]) and torch.equal(one["scores"], other["scores"])
        assert torch.equal(one["labels"] + 1, other["labels"]) and torch.equal(one["labels"], again["labels"])


def test_without_a_single_object_there_are_losses_all_the_same(net: Any) -> None:
    boxes, classes = truth()
    losses = net.losses(pictures(), boxes[:, :0], classes[:, :0])
    assert {name: (mean.item(), int(count)) for name, (mean, count) in losses.items()} == {"class": (0, 0), "box": (0, 0)}


def test_classes_in_another_order(net: Any) -> None:
    order = [3, 1, 0, 2, *range(4, 10)]
    other, rows = livened(detector("ssd")), net.class_rows(order)
    state = {
        key: one[rows[key.rpartition(".")[0]]] if key.rpartition(".")[0] in rows else one
        for key, one in net.state_dict().items()
    }
    assert sum(key.rpartition(".")[0] in rows for key in state) == 2 * len(net.backbone.out_channels)
    other.load_state_dict(state)
    for one, moved in zip(net.detect(pictures()), other.detect(pictures()), strict=True):
        assert sorted(one["labels"].tolist()) == sorted(order[label] for label in moved["labels"].tolist())


def test_names_of_weights_are_those_that_are_published() -> None:
    with torch.device("meta"):
        ours = detector("ssd", "model.backbone=vgg16", channels=3, size=(300, 300)).state_dict()
        theirs = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=11).state_dict()
    assert {name: one.shape for name, one in ours.items()} == {name: one.shape for name, one in theirs.items()}
    found = published("torchvision", backbone="vgg16", strides=None)
    assert found is not None and len(found.classes) == 90 and dict(found.trained) == {"fixed_size": (300, 300)}
    assert found.count({"head.classification_head.module_list.0.bias": torch.zeros(364)}) == 90


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["model.backbone=vgg16"], r"model\.backbone=vgg16: its last map is one cell of pictures of 300x300"),
        (["model.scales=[0.1,0.2]"], r"model\.scales=\[0\.1,0\.2\]: expected 5 parts of the picture's side that rise"),
        (["model.scales=[1.1,1.2,1.3,1.4,1.5]"], r"model\.scales: boxes of 1\.1 pictures"),
        (["model.further=3"], r"data\.image_size=\[64,64\]: smaller than the largest of model\.strides, 128"),
    ],
)
def test_what_makes_no_net_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says), torch.device("meta"):
        detector("ssd", *words)

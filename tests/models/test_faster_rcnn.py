"""Faster R-CNN held to torchvision's: anchors by hand, losses of equal samples, what is found."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights, fasterrcnn_resnet50_fpn
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from cnnexp.errors import InputError
from cnnexp.models.anchored import choose, ranks, truth_of
from cnnexp.models.faster_rcnn import RPN_STREAM, published, renamed
from tests.models.detectors import detector, livened, pictures, truth

DRAWS = torch.tensor([11, 12, 13])


@pytest.fixture(scope="module")
def net() -> Any:
    return livened(detector("faster_rcnn", "model.proposals=20"))


def test_anchors_by_hand() -> None:
    """Sizes 16 to 128 at strides 4 to 32; area is size², height by width 0.5, 1 and 2; centres at corners."""
    proposed = detector("faster_rcnn").propose(pictures(1))
    assert proposed.anchors.shape == ((256 + 64 + 16 + 4) * 3, 4)
    assert proposed.anchors[:3].tolist() == [[-11, -6, 11, 6], [-8, -8, 8, 8], [-6, -11, 6, 11]]
    assert proposed.anchors[3 * 17 + 1].tolist() == [-4, -4, 12, 12], "second row, second column: 4, 4"
    assert proposed.anchors[3 * 256 + 1].tolist() == [-16, -16, 16, 16]
    assert proposed.anchors[3 * (256 + 64) + 1].tolist() == [-32, -32, 32, 32]
    assert proposed.anchors[3 * (256 + 64 + 16 + 3) + 1].tolist() == [-32, -32, 96, 96], "the last: 32, 32"
    words = "model.anchor_sizes=[[10],[20],[30],[40]]", "model.anchor_ratios=[1]"
    own = detector("faster_rcnn", *words).propose(pictures(1))
    assert own.anchors[0].tolist() == [-5, -5, 5, 5]


class Given:
    """A sampler that takes what it is told."""

    def __init__(self, positive: Tensor, negative: Tensor) -> None:
        self.answer = list(positive), list(negative)

    def __call__(self, labels: Any) -> Any:
        return self.answer


def test_losses_of_equal_samples_are_those_of_torchvision(net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, classes = truth()
    proposed, own = net.propose(pictures()), truth_of(boxes, classes)
    ours = {**net.first_losses(proposed, own, DRAWS), **net.second_losses(proposed, own, DRAWS)}
    labels, matched = net.rpn.assign_targets_to_anchors([proposed.anchors] * 3, own)
    wanted = net.rpn.box_coder.encode(matched, [proposed.anchors] * 3)
    chosen = choose(torch.stack(labels), ranks(DRAWS, len(proposed.anchors), RPN_STREAM), 128, 0.5)
    assert ours["objectness"][1] == chosen.positive.sum() + chosen.negative.sum() == 3 * 128
    assert chosen.positive.any(1).tolist() == [True, True, False]
    monkeypatch.setattr(net.rpn, "fg_bg_sampler", Given(*chosen))
    theirs = net.rpn.compute_loss(proposed.objectness.view(-1, 1), proposed.offsets.view(-1, 4), labels, wanted)
    torch.testing.assert_close((ours["objectness"][0], ours["rpn_box"][0]), theirs)
    sampled = net.sample(proposed, own, DRAWS)
    padded = [one["boxes"] if len(one["boxes"]) else torch.zeros(1, 4) for one in own]
    regression = net.roi_heads.box_coder.encode(
        [one[rows] for one, rows in zip(padded, sampled.matched, strict=True)], sampled.boxes
    )
    theirs = fastrcnn_loss(*net.second(proposed, sampled.boxes), sampled.labels, regression)
    torch.testing.assert_close((ours["class"][0], ours["box"][0]), theirs)
    assert ours["class"][1] == sum(map(len, sampled.boxes))
    assert all(mean.item() > 0 for mean, _ in ours.values())


def test_it_finds_what_torchvision_finds(net: Any) -> None:
    """torchvision's frame around the same parts, on pictures that it pads."""
    x = pictures(2, (60, 50))
    whole = GeneralizedRCNN(net.backbone, net.rpn, net.roi_heads, Unsized()).eval()
    ours, theirs = net.detect(x), whole(list(x))
    assert sum(len(one["scores"]) for one in ours) > 20
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one["labels"] + 1, other["labels"])
        torch.testing.assert_close(one["boxes"], other["boxes"], rtol=0, atol=1e-4)
        torch.testing.assert_close(one["scores"], other["scores"], rtol=0, atol=1e-5)


class Unsized(GeneralizedRCNNTransform):
    """torchvision's padding without its change of size; the net's strides are 4, 8 and 16."""

    def __init__(self) -> None:
        super().__init__(1, 1, [0.0], [1.0], size_divisible=16)

    def resize(self, image: Tensor, target: Any = None) -> Any:
        return image, target


def test_losses_and_findings_of_one_pass_are_those_of_two(net: Any) -> None:
    x = pictures()
    losses, found = net.judged(x, *truth(), DRAWS)
    assert {name: one.item() for name, (one, _) in losses.items()} == {
        name: one.item() for name, (one, _) in net.losses(x, *truth(), DRAWS).items()
    }
    for one, other in zip(found, net.detect(x), strict=True):
        assert all(torch.equal(one[key], other[key]) for key in ("boxes", "scores", "labels", "proposals"))
    again = net.losses(x, *truth(), DRAWS + 1)
    assert again["objectness"][0].item() != losses["objectness"][0].item(), "another key, another sample"


def test_without_a_single_object_there_are_losses_all_the_same(net: Any) -> None:
    boxes, classes = truth()
    losses = net.losses(pictures(), boxes, torch.full_like(classes, -1), DRAWS)
    assert all(bool(mean.isfinite()) for mean, _ in losses.values())
    assert losses["box"][0].item() == losses["rpn_box"][0].item() == 0.0
    empty = net.losses(pictures(), boxes[:, :0], classes[:, :0], DRAWS)
    assert {name: one.item() for name, (one, _) in empty.items()} == {n: one.item() for n, (one, _) in losses.items()}


def test_classes_in_another_order(net: Any) -> None:
    """Rows of both last layers change places: what was said of class k is said of its new number."""
    order = [3, 1, 0, 2, *range(4, 10)]
    other = livened(detector("faster_rcnn", "model.proposals=20"))
    rows, state = net.class_rows(order), net.state_dict()
    other.load_state_dict(
        {
            key: one[rows[key.rpartition(".")[0]]] if key.rpartition(".")[0] in rows else one
            for key, one in state.items()
        }
    )
    for one, moved in zip(net.detect(pictures()), other.detect(pictures()), strict=True):
        assert sorted(one["labels"].tolist()) == sorted(order[label] for label in moved["labels"].tolist())


def test_names_of_weights_are_those_that_are_published() -> None:
    with torch.device("meta"):
        ours = detector("faster_rcnn", "model.backbone=resnet50", channels=3, size=(256, 256)).state_dict()
        theirs = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=11).state_dict()
    shapes = {name: one.shape for name, one in theirs.items() if not name.endswith("num_batches_tracked")}
    assert {name: one.shape for name, one in ours.items()} == shapes
    old = {
        name.replace(".conv.0.0.", ".conv.").replace("blocks.0.0.", "blocks.0."): one for name, one in shapes.items()
    }
    assert set(old) != set(shapes)
    assert set(renamed(old)) == set(shapes)  # type: ignore[arg-type]


def test_what_is_published() -> None:
    found = published(None, backbone="resnet50", strides=None)
    assert found is not None and found.classes[:2] == ("person", "bicycle") and len(found.classes) == 90
    assert (found.task, found.target, dict(found.trained)) == ("detection", "boxes", {"frozen_eps": 0.0})
    assert found.source == f"torchvision's {FasterRCNN_ResNet50_FPN_Weights.COCO_V1}"
    assert published(None, backbone="small", strides=None) is None
    alone = published("imagenet", backbone="resnet18", strides=None)
    assert alone is not None and (alone.task, alone.classes) == ("detection", ())
    assert alone.source.endswith("its backbone")
    with pytest.raises(InputError, match=r"model\.weights=torchvision: .* for model\.backbone=small; .*=resnet50"):
        published("torchvision", backbone="small", strides=None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["model.backbone=resnet5O"], r"model\.backbone=resnet5O: neither small nor .* did you mean .*resnet50"),
        (["model.backbone=vit_b_16"], r"model\.backbone=vit_b_16: no feature map at a stride of 4 pixels"),
        (["model.strides=[8,8]"], r"model\.strides=\[8,8\]: expected strides in pixels that rise"),
        (["model.strides=[6]"], r"model\.strides=\[6\]: model\.backbone=small has maps at strides of 4, 8"),
        (["model.width=12"], r"model\.width=12: norms are over groups of 8"),
        (["model.strides=[8,128]"], r"data\.image_size=\[64,64\]: smaller than the largest of model\.strides, 128"),
        (["model.anchor_sizes=[[8],[16],[32],[80]]"], r"anchors of 80 pixels for pictures of 64x64"),
        (["model.anchor_sizes=[[16],[32]]"], r"model\.anchor_sizes: 2 lists of sizes for 4 maps"),
        (["model.pooled_size=0"], r"model\.pooled_size=0: expected a whole number of at least 1"),
    ],
)
def test_what_makes_no_net_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says), torch.device("meta"):
        detector("faster_rcnn", *words)

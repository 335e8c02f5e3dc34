"""Mask R-CNN held to torchvision's own parts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights, maskrcnn_resnet50_fpn
from torchvision.models.detection.roi_heads import maskrcnn_loss, project_masks_on_boxes

from cnnexp.config.compose import compose_run
from cnnexp.models.mask_rcnn import MaskRCNN, masks_in, published

SIDE = 64


def net(**changes: Any) -> MaskRCNN:
    model = compose_run(["model=mask_rcnn", "data=digit_scenes"])["model"]
    own = {key: value for key, value in model.items() if key not in ("_target_", "input", "weights", "weights_sha256")}
    own = {key: value for key, value in own.items() if key not in ("normalisation", "match")}
    small = {"width": 8, "pyramid_width": 16, "head_width": 16, "mask_width": 8, "mask_layers": 1, "proposals": 20}
    given = own | small | {"in_channels": 1, "image_size": (SIDE, SIDE), "num_classes": 3} | changes
    torch.manual_seed(0)
    return MaskRCNN(**given)


def batch() -> dict[str, torch.Tensor]:
    """Two pictures, of which the second has an object without a pixel before one that is there."""
    torch.manual_seed(1)
    numbers = torch.zeros(2, SIDE, SIDE, dtype=torch.int16)
    numbers[0, 5:25, 8:30], numbers[0, 30:60, 30:50], numbers[1, 10:40, 10:34] = 1, 2, 2
    numbers[0, 10:15, 10:15] = 0
    boxes = torch.zeros(2, 2, 4)
    boxes[0], boxes[1, 1] = torch.tensor([[8.0, 5, 30, 25], [30, 30, 50, 60]]), torch.tensor([10.0, 10, 34, 40])
    return {
        "x": torch.randn(2, 1, SIDE, SIDE),
        "boxes": boxes,
        "classes": torch.tensor([[2, 0], [-1, 1]]),
        "draws": torch.tensor([7, 8]),
        "instances": numbers,
    }


def test_the_loss_of_masks_is_torchvisions() -> None:
    made, given = net(), batch()
    proposed = made.propose(given["x"])
    truth = made._truth(given["x"], given["boxes"], given["classes"], given["instances"])
    assert [one["numbers"].tolist() for one in truth] == [[1, 2], [2]]
    sampled = made.sample(proposed, truth, given["draws"])
    mean, count = made.mask_loss(sampled, proposed)
    positive = [labels > 0 for labels in sampled.labels]
    boxes = [own[kept] for own, kept in zip(sampled.boxes, positive, strict=True)]
    masks = [torch.stack([one["instances"] == number for number in one["numbers"]]).to(torch.uint8) for one in truth]
    matched = [own[kept] for own, kept in zip(sampled.matched, positive, strict=True)]
    theirs = maskrcnn_loss(
        made.mask_logits(proposed, boxes), boxes, masks, [one["labels"] + 1 for one in truth], matched
    )
    assert int(count) == sum(int(kept.sum()) for kept in positive) > 2
    assert mean.item() == pytest.approx(theirs.item(), rel=1e-6)
    assert set(made.losses(**given)) == set(MaskRCNN.loss_terms)
    assert made.losses(**given)["mask"][0].item() == pytest.approx(mean.item())


def test_what_an_object_has_of_a_box_is_torchvisions_projection() -> None:
    numbers, boxes = batch()["instances"][0], torch.tensor([[5.0, 3, 31, 27.5], [28, 20, 55, 63], [9, 9, 16.2, 16]])
    rows = torch.tensor([0, 1, 0])
    masks = torch.stack([numbers == 1, numbers == 2]).float()
    expected = project_masks_on_boxes(masks, boxes, rows, 28)
    assert torch.allclose(masks_in(boxes, numbers, rows + 1, 28), expected)


def test_masks_of_what_is_found_are_those_that_torchvision_pastes() -> None:
    from torchvision.models.detection.roi_heads import maskrcnn_inference, paste_masks_in_image

    made, x = net(confidence_threshold=0.0).eval(), batch()["x"]
    with torch.no_grad():
        found, proposed = made.detect(x), made.propose(x)
        logits = made.mask_logits(proposed, [one["boxes"] for one in found])
    for one, own in zip(found, maskrcnn_inference(logits, [one["labels"] + 1 for one in found]), strict=True):
        assert one["masks"].dtype == torch.bool and one["masks"].shape == (len(one["scores"]), SIDE, SIDE)
        assert torch.equal(one["masks"], (paste_masks_in_image(own, one["boxes"], (SIDE, SIDE)) > 0.5)[:, 0])
    assert sum(len(one["scores"]) for one in found) > 2


def test_pictures_without_any_object_have_no_masks_to_learn() -> None:
    made, given = net(), batch()
    given |= {"boxes": torch.zeros(2, 0, 4), "classes": torch.zeros(2, 0, dtype=torch.int64)}
    given["instances"] = torch.zeros_like(given["instances"])
    losses = made.losses(**given)
    assert {name: int(count) for name, (_, count) in losses.items()}["mask"] == 0
    total = torch.stack([mean for mean, _ in losses.values()]).sum()
    total.backward()
    assert total.isfinite() and losses["mask"][0].item() == 0
    assert all(one.grad is None or one.grad.isfinite().all() for one in made.parameters())


def test_nothing_found_has_masks_of_nothing() -> None:
    made = net(confidence_threshold=0.999).eval()
    assert [one["masks"].shape for one in made.detect(batch()["x"])] == [(0, SIDE, SIDE)] * 2


def test_classes_in_another_order_move_the_rows_of_the_masks_too() -> None:
    made = net()
    rows = made.class_rows([2, 0, 1])
    assert rows["roi_heads.mask_predictor.mask_fcn_logits"] == [0, 3, 1, 2]
    assert set(rows) == set(made.class_layers)


def test_the_published_structure_is_met() -> None:
    """Names and shapes of every tensor of torchvision's net with a ResNet-50, for 91 rows."""
    with torch.device("meta"):
        theirs = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict()
        ours = net(
            in_channels=3, num_classes=90, image_size=(800, 800), backbone="resnet50", frozen_norms=True,
            **dict.fromkeys(("pyramid_width", "head_width", "mask_width", "mask_layers", "proposals")),
        ).state_dict()  # fmt: skip
    assert {name: tuple(one.shape) for name, one in ours.items()} == {
        name: tuple(one.shape) for name, one in theirs.items() if not name.endswith("num_batches_tracked")
    }


def test_what_is_published() -> None:
    found = published(None, backbone="resnet50", strides=None)
    assert found is not None and (found.task, found.target) == ("instances", "instances") and len(found.classes) == 90
    assert found.source == f"torchvision's {MaskRCNN_ResNet50_FPN_Weights.COCO_V1}"
    assert published(None, backbone="small", strides=None) is None
    alone = published("imagenet", backbone="resnet18", strides=None)
    assert alone is not None and (alone.task, alone.classes) == ("instances", ())
    assert alone.source.endswith("its backbone")


def test_summaries_count_the_backbone_once_and_the_windows_of_their_mode() -> None:
    made, seen = net(proposals=20, proposals_learnt=6), list[object]()
    made.backbone.register_forward_hook(lambda *given: seen.append(given))
    counts = [[len(one) for one in made.train(mode)(torch.randn(2, 1, SIDE, SIDE))[2:]] for mode in (False, True)]
    assert counts == [[40, 40, 40], [12, 12, 12]]
    assert len(seen) == 2

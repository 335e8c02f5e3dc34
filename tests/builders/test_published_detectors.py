"""Faster R-CNN with weights in the published file, in its old names, held to torchvision's own net with the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights, fasterrcnn_resnet50_fpn
from torchvision.transforms.functional import convert_image_dtype, pil_to_tensor

from cnnexp.builders.pretrained import pretrained, reading
from cnnexp.config.compose import compose_run

FILE = "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth"


def noise() -> dict[str, torch.Tensor]:
    """Weights that find something, by the names of before torchvision 0.13."""
    torch.manual_seed(0)
    state = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=91).state_dict()
    made = {}
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if "running_var" in name:
            value = torch.rand_like(value) + 0.5
        elif "running_mean" in name:
            value = torch.randn_like(value) * 0.1
        elif ".bn" in name and name.endswith("weight"):
            value = torch.rand_like(value) * 0.4 + 0.2
        elif name == "roi_heads.box_predictor.cls_score.weight":
            value = value * 40
        old = name.replace("rpn.head.conv.0.0.", "rpn.head.conv.")
        made[re.sub(r"(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.0\.", r"\1.", old)] = value
    return made


@pytest.mark.slow
def test_it_finds_what_torchvision_finds_with_the_published_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(noise(), folder / FILE)
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((240, 160)).save(tmp_path / "x.png")
    words = ["model=faster_rcnn", "model.backbone=resnet50", "model.weights=torchvision", "model.resize=[160,266]"]
    task, how = pretrained(compose_run([*words, "data=digit_scenes"]))
    assert task.answer.names[:2] == ("person", "bicycle") and len(task.answer.names) == 90
    whole = fasterrcnn_resnet50_fpn(weights=FasterRCNN_ResNet50_FPN_Weights.COCO_V1).eval()
    whole.transform.min_size, whole.transform.max_size = (160,), 266
    with torch.no_grad():
        (ours,) = task.net.detect(task.prepare(reading(how)(tmp_path / "x.png"), False)["image"])  # type: ignore[operator]
        (theirs,) = whole([convert_image_dtype(pil_to_tensor(Image.open(tmp_path / "x.png")), torch.float)])
    assert len(ours["scores"]) == 100
    torch.testing.assert_close(ours["boxes"], theirs["boxes"], rtol=0, atol=1e-4)
    torch.testing.assert_close(ours["scores"], theirs["scores"], rtol=0, atol=1e-5)
    assert torch.equal(ours["labels"] + 1, theirs["labels"])

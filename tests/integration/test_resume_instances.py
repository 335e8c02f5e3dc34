"""A net that finds objects and draws from keys of its own, killed and resumed: the same to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.integration.conftest import CommandLine
from tests.integration.test_resume import differences, outcome

SIDE = 32
SMALL = (
    "model.width=8", "model.pyramid_width=8", "model.head_width=8", "model.mask_width=4", "model.mask_layers=1",
    "model.proposals=10", "model.max_detections=5",
)  # fmt: skip


def squares(root: Path) -> Path:
    """A folder in COCO's format: 12 pictures with up to two bright squares, a few with none."""
    draw, images, notes = np.random.default_rng(0), [], []
    (root / "images").mkdir(parents=True)
    for number in range(12):
        pixels = draw.integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
        for _ in range(number % 3):
            (x, y), side = draw.integers(0, 18, 2).tolist(), int(draw.integers(8, 14))
            pixels[y : y + side, x : x + side] = 200
            outline = [x, y, x + side, y, x + side, y + side, x, y + side]
            note = {"id": len(notes), "image_id": number, "category_id": 1, "segmentation": [outline]}
            notes.append({**note, "bbox": [x, y, side, side]})
        Image.fromarray(pixels).save(root / "images" / f"{number:02}.png")
        images.append({"id": number, "file_name": f"{number:02}.png", "height": SIDE, "width": SIDE})
    content = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "square"}]}
    (root / "annotations.json").write_text(json.dumps(content), encoding="utf-8")
    return root


@pytest.mark.integration
def test_mask_rcnn_goes_on_to_the_bit(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    words = (
        "train", "model=mask_rcnn", "data=coco", f"data.root={squares(tmp_path / 'squares')}", *SMALL,
        f"data.image_size=[{SIDE},{SIDE}]", "batch_size=2", "epochs=2", "augmentation=crop_flip",
        "checkpoint.every_steps=2", "hardware.threads=1",
    )  # fmt: skip
    done = cnnexp(*words)
    assert done.status == 0, done.err
    expected = outcome(only_run())
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*words, kill="batch:3").status == -9
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []
    picture = str(tmp_path / "squares" / "images" / "02.png")
    done = cnnexp("predict", only_run().name, picture, "--json", "--out", "drawn")
    assert done.status == 0, done.err
    assert "instances" in json.loads(done.out)[0] and (tmp_path / "drawn" / "02.png").is_file()
    assert "rle" in (only_run() / "predictions.csv").read_text(encoding="utf-8").splitlines()[0]

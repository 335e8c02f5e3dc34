"""What tasks that find objects pixel by pixel share: metrics, rows of the predictions file, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.instances import run_lengths
from cnnexp.tasks.average_precision import averages, averages_by_class, curves, mean_average_precision
from cnnexp.tasks.base import Readings, Stage

Found = Mapping[str, Tensor]
"""Of one picture boxes (n, 4) in pixels, scores (n,), labels (n,) and masks bool (n, H, W)."""


def metrics_of_masks(stage: Stage) -> dict[str, nn.Module]:
    """COCO's average precision of masks and of the boxes around them, for evaluations."""
    return {} if stage == "train" else {"map": mean_average_precision(("masks", "boxes"), test=stage == "test")}


def read_masks(metrics: Mapping[str, Any], stage: Stage, classes: int) -> Readings:
    """``map`` and ``map_50`` of masks, ``box_map`` and ``box_map_50`` of boxes; at the test those of each class too."""
    if "map" not in metrics:
        return Readings({})
    found = metrics["map"].compute()
    boxes = {f"box_{name}": value for name, value in averages(found, "bbox_").items()}
    vectors = averages_by_class(curves(found, classes, "segm_")) if stage == "test" else {}
    return Readings({**averages(found, "segm_"), **boxes}, vectors)


def rows_of_masks(batch: Batch, found: Sequence[Found]) -> Columns:
    """A row for each object: its class, score, box, and its pixels as COCO's run-length code."""
    index = [np.full(len(one["scores"]), int(i)) for i, one in zip(batch["index"], found, strict=True)]
    boxes = torch.cat([one["boxes"] for one in found]).float().cpu().numpy()
    codes = [code for one in found for code in run_lengths(one["masks"].cpu().numpy())]
    return {
        "index": np.concatenate(index).astype(np.int64),
        "prediction": torch.cat([one["labels"] for one in found]).cpu().numpy(),
        "score": torch.cat([one["scores"] for one in found]).float().cpu().numpy(),
        **{name: boxes[:, i] for i, name in enumerate(("x1", "y1", "x2", "y2"))},
        "rle": np.array(codes, dtype=np.dtypes.StringDType()),
    }


def answers_of(found: Sequence[Found], image: Tensor) -> list[dict[str, np.ndarray]]:
    """What was found in pictures (B, C, H, W) as ``Instances`` has it: boxes as parts of width and height."""
    size = image.new_tensor([image.shape[3], image.shape[2]] * 2)
    return [
        {
            "boxes": (one["boxes"] / size).float().cpu().numpy(),
            "scores": one["scores"].float().cpu().numpy(),
            "labels": one["labels"].cpu().numpy(),
            "masks": one["masks"].cpu().numpy(),
        }
        for one in found
    ]

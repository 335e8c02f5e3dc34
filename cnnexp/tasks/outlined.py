"""What tasks that find objects pixel by pixel share: metrics, rows of the predictions file, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.boxes import MISTAKES, PRECISION, SHOWN_FROM
from cnnexp.answers.instances import run_lengths, unpadded
from cnnexp.tasks.average_precision import averages, averages_by_class, curves, mean_average_precision
from cnnexp.tasks.base import Readings, Stage, StepOutput
from cnnexp.tasks.mistakes import Mistakes

Found = Mapping[str, Tensor]
"""Of one picture boxes (n, 4) in pixels, scores (n,), labels (n,) and masks bool (n, H, W)."""


def metrics_of_masks(stage: Stage, classes: int) -> dict[str, nn.Module]:
    """COCO's average precision of masks and of the boxes around them, for evaluations; at the test what went wrong."""
    if stage == "train":
        return {}
    precision = mean_average_precision(("masks", "boxes"), test=stage == "test")
    return {"map": precision, **({"mistakes": Mistakes(classes, SHOWN_FROM)} if stage == "test" else {})}


def read_masks(metrics: Mapping[str, Any], stage: Stage, classes: int) -> Readings:
    """``map`` and ``map_50`` of masks, ``box_map`` and ``box_map_50`` of boxes; at the test those of each class too."""
    if "map" not in metrics:
        return Readings({})
    found = metrics["map"].compute()
    boxes = {f"box_{name}": value for name, value in averages(found, "bbox_").items()}
    values = {**averages(found, "segm_"), **boxes}
    if stage != "test":
        return Readings(values)
    precision = curves(found, classes, "segm_")
    matrix, kinds, sizes = metrics["mistakes"].compute()
    tables = {MISTAKES: matrix, PRECISION: precision[0]}
    return Readings(values, averages_by_class(precision), tables, {"mistakes": kinds, "sizes": sizes})


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


def judged_answers(answers: Sequence[Mapping[str, np.ndarray]], image: Tensor, batch: Batch) -> StepOutput:
    """The output of a step, without losses, for answers as ``answers_of`` gives them to pictures (B, C, H, W)."""
    size = torch.tensor([image.shape[3], image.shape[2]] * 2)
    found = [{name: torch.as_tensor(one) for name, one in answer.items()} for answer in answers]
    targets = [{name: one.cpu() for name, one in truth.items()} for truth in unpadded(batch)]
    return StepOutput([], [one | {"boxes": (one["boxes"] * size).float()} for one in found], targets)

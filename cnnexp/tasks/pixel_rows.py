"""Samples as rows of numbers, as if they were embeddings themselves: what a net has to be better than."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnexp.data.base import SplitName
from cnnexp.data.loading import Data
from cnnexp.tasks.base import Task

LARGEST_PX = 32
"""Pictures are averaged down to as many pixels along each side: finer details of two pictures never lie alike."""
_AT_ONCE = 256


def rows_of_pixels(task: Task, data: Data, name: SplitName) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The samples of a split, prepared, float32 (N, D) of length 1, and their labels (N,)."""
    split, rows, labels = data.split(name), [], []
    for part in torch.arange(len(split)).split(_AT_ONCE):
        batch = task.preparation(split.batch(part), False, 0)
        rows.append(_row(task.facts.input.arguments(batch)[0]))
        labels.append(batch["label"])
    return torch.cat(rows).numpy(), torch.cat(labels).numpy()


def _row(given: Tensor) -> Tensor:
    values = given.detach().float().cpu()
    if values.ndim == 4 and max(values.shape[2:]) > LARGEST_PX:
        height, width = (min(side, LARGEST_PX) for side in values.shape[2:])
        values = functional.adaptive_avg_pool2d(values, (height, width))
    return functional.normalize(values.flatten(1), dim=1)

"""Classes that are rare count for more: what ``balanced`` means for the training data at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.tasks.base import Task
from cnnexp.training.regularization import balanced_weights


def with_class_weights(config: Mapping[str, Any], data: Data, task: Task) -> dict[str, Any]:
    """The configuration with ``balanced`` replaced by the numbers that it means for this training data.

    Raises:
        InputError: classes of such a truth are not counted.
    """
    if config["regularization"]["class_weights"] != "balanced":
        return dict(config)
    try:
        counts = task.answer.counts(data.split("train"), data.train_positions())
    except NotImplementedError as error:
        raise InputError("regularization.class_weights=balanced: nothing counts the classes of such a truth") from error
    weights = [round(weight, 6) for weight in balanced_weights(counts)]
    return {**config, "regularization": {**config["regularization"], "class_weights": weights}}

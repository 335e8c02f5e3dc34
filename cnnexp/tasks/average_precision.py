"""COCO's mean average precision, of boxes or of masks, as tasks read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor, nn

IOU_TYPES = {"boxes": "bbox", "masks": "segm"}
"""What is compared, by what a person calls it."""


def mean_average_precision(of: Sequence[str], *, test: bool) -> nn.Module:
    """The metric of torchmetrics, which takes lists of detections and of truth.

    Of masks alone it would leave out pictures without any true object, and so what is found there: ask for both.

    Args:
        of: ``boxes``, ``masks`` or both. test: whether the averages of each class are wanted too.
    """
    from torchmetrics.detection import MeanAveragePrecision

    kinds = tuple(IOU_TYPES[one] for one in of)
    metric = MeanAveragePrecision(
        iou_type=kinds if len(kinds) > 1 else kinds[0],  # type: ignore[arg-type]
        backend="faster_coco_eval",
        class_metrics=test,
        extended_summary=test,
        # its own are rounded to 32 bits: an overlap of just 0.6, as whole pixels have it, would be below 0.6
        iou_thresholds=np.linspace(0.5, 0.95, 10).tolist(),
        rec_thresholds=np.linspace(0.0, 1.0, 101).tolist(),
    )
    metric.warn_on_many_detections = False
    return metric


def averages(found: Mapping[str, Tensor], prefix: str = "") -> dict[str, float]:
    """``map`` over IoU 0.50 to 0.95 and ``map_50``; 0 where there is no object at all.

    Args:
        found: what the metric computed. prefix: of its keys, where it compared boxes and masks.
    """
    return {name: max(0.0, float(found[prefix + name])) for name in ("map", "map_50")}


def curves(found: Mapping[str, Tensor], classes: int, prefix: str = "") -> np.ndarray:
    """Precision at each threshold of IoU (0.50, 0.55, …), recall (0, 0.01, …, 1) and class, (T, R, K).

    NaN for a class without any object.
    """
    # thresholds of IoU x recall x class x area (all, small, …) x most detections (the last is 100)
    precision = found[f"{prefix}precision"][:, :, :, 0, -1].double().cpu().numpy()
    values = np.full((*precision.shape[:2], classes), np.nan)
    values[:, :, found["classes"].reshape(-1).long().cpu().numpy()] = np.where(precision < 0, np.nan, precision)
    return values


def averages_by_class(curves: np.ndarray) -> dict[str, list[float]]:
    """``map`` and ``map_50`` of each class: the areas under its curves."""
    return {"map": curves.mean(axis=(0, 1)).tolist(), "map_50": curves[:1].mean(axis=(0, 1)).tolist()}

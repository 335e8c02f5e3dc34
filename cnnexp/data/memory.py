"""How much of a data set may be held in memory, and tensors brought to the size that a run asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from cnnexp.augmentation.instances import tight_boxes
from cnnexp.data.base import TensorSplit
from cnnexp.inputs.picture_files import Size, fit_boxes, fit_masks, fit_pictures

MEMORY_BUDGET = 2**30
"""Bytes of decoded pictures (and masks) of one split that `in_memory: auto` accepts."""

_CHUNK = 2048  # samples resized at once: the intermediate stays small beside the result


def fits_in_memory(count: int, image_size: Size, planes: int) -> bool:
    """Whether ``count`` samples of ``planes`` uint8 planes (channels, plus one for a mask) stay within the budget."""
    return count * planes * image_size[0] * image_size[1] <= MEMORY_BUDGET


def fitted_split(
    tensors: Mapping[str, Tensor], image_size: Size, channels: int, names: Sequence[str] | None = None
) -> TensorSplit:
    """Tensors of a small original size as a split of another size and number of channels.

    Resized once where the result is within the memory budget, otherwise batch by batch.

    Args:
        tensors: image uint8 (N, C, H, W) and any of label, mask and instances (N, H, W), boxes (N, M, 4),
            classes (N, M).
    """
    count, original_channels, *original = tensors["image"].shape
    if tuple(original) == tuple(image_size) and original_channels == channels:
        return TensorSplit(tensors, names=names)
    fit = _Fit((original[0], original[1]), (image_size[0], image_size[1]), channels)
    if not fits_in_memory(count, image_size, channels + ("mask" in tensors) + 2 * ("instances" in tensors)):
        return TensorSplit(tensors, names=names, transform=fit)
    return TensorSplit(_in_chunks(fit, tensors, count), names=names)


class _Fit:
    """A class and not a closure, so that a split can be pickled."""

    def __init__(self, original: Size, image_size: Size, channels: int) -> None:
        self.original, self.image_size, self.channels = original, image_size, channels

    def __call__(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        fitted = {**tensors, "image": fit_pictures(tensors["image"], self.image_size, self.channels)}
        if "mask" in fitted:
            fitted["mask"] = fit_masks(fitted["mask"], self.image_size)
        if "instances" in fitted:
            fitted["instances"] = fit_masks(fitted["instances"].float(), self.image_size).short()
            fitted["boxes"], fitted["classes"] = tight_boxes(fitted["instances"], fitted["classes"])
        elif "boxes" in fitted:
            fitted["boxes"] = fit_boxes(fitted["boxes"], self.original, self.image_size)
        return fitted


def _in_chunks(
    fit: Callable[[dict[str, Tensor]], dict[str, Tensor]], tensors: Mapping[str, Tensor], count: int
) -> dict[str, Tensor]:
    starts = range(0, count, _CHUNK)
    parts = [fit({key: tensor[start : start + _CHUNK] for key, tensor in tensors.items()}) for start in starts]
    return {key: torch.cat([part[key] for part in parts]) for key in tensors}

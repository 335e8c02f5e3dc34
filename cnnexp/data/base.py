"""What every data set gives: its facts, and splits that turn positions into batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, get_args

import torch
from torch import Tensor
from torch.utils.data import Dataset

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
Positions = Sequence[int] | Tensor

VOID = 255
"""The mask value that losses and metrics leave out."""

NO_CLASS = -1
"""The class of a padded box."""


@dataclass(frozen=True)
class Facts:
    """What nets and reports need to know about a data set before a picture is read.

    ``height`` and ``width`` are those that nets take, ``decode_size`` those of the batches where these are larger (the
    rest is cropped away), ``mean`` and ``std`` are per channel for pixels
    in [0, 1]. ``classes`` names the labels or the boxes' classes; ``mask_classes`` names the mask's values 0, 1, ...
    and is empty where there are no masks.
    """

    name: str
    channels: int
    height: int
    width: int
    classes: tuple[str, ...]
    targets: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mask_classes: tuple[str, ...] = ()
    decode_size: tuple[int, int] | None = None

    @property
    def stored_size(self) -> tuple[int, int]:
        """Height and width of the pictures in a batch."""
        return self.decode_size or (self.height, self.width)


class Split(Protocol):
    """One of train, val and test."""

    names: Sequence[str] | None
    """Name of every sample (its file, where there is one)."""

    def __len__(self) -> int: ...

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        """The samples at ``positions`` on the CPU: image uint8 (B, C, H, W), index int64 (B,) and, where known,
        label int64 (B,), mask uint8 (B, H, W) with 255 = void, boxes float32 (B, M, 4) as x1 y1 x2 y2 in pixels with
        classes int64 (B, M), -1 = padding."""
        ...

    def labels_for_strata(self) -> Tensor | None:
        """int64 (N,): the label of every sample, or None where a sample has no single label."""
        ...


class TensorSplit:
    """A split held in memory: a batch is one index operation per tensor.

    Args:
        tensors: image uint8 (N, C, H, W) and any of label, mask, boxes, classes, with the same N.
        names: one name per sample.
        transform: applied to every batch; for pictures that would be too large in memory once resized.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        *,
        names: Sequence[str] | None = None,
        transform: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None,
    ) -> None:
        self.tensors = dict(tensors)
        self.names = names
        self.transform = transform
        lengths = {key: len(tensor) for key, tensor in self.tensors.items()}
        if len(set(lengths.values())) != 1 or (names is not None and len(names) != lengths["image"]):
            raise ValueError(
                f"tensors of one split differ in length: {lengths}, {None if names is None else len(names)} names"
            )

    def __len__(self) -> int:
        return len(self.tensors["image"])

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        index = torch.as_tensor(positions, dtype=torch.int64)
        # Some twenty times as fast as tensor[index] on uint8: it copies rows, not bytes.
        picked = {key: tensor.index_select(0, index) for key, tensor in self.tensors.items()}
        if self.transform is not None:
            picked = self.transform(picked)
        picked["index"] = index
        return picked

    def labels_for_strata(self) -> Tensor | None:
        return self.tensors.get("label")


class FileSplit(Dataset[dict[str, Tensor]]):
    """A split that stays on disk: every sample is decoded when it is asked for. Also a map-style torch dataset.

    Args:
        decode: position → tensors of one sample (image (C, H, W), label (), mask (H, W), boxes (M, 4), classes (M,));
            must be picklable, loader workers get a copy.
        length: number of samples.
        names: one name per sample.
        labels: int64 (N,), where a sample has one label.
    """

    def __init__(
        self,
        decode: Callable[[int], dict[str, Tensor]],
        length: int,
        *,
        names: Sequence[str] | None = None,
        labels: Tensor | None = None,
    ) -> None:
        self.decode = decode
        self.length = length
        self.names = names
        self.labels = labels

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        if not 0 <= position < self.length:
            raise IndexError(f"position {position} of {self.length} samples")
        return {**self.decode(position), "index": torch.tensor(position)}

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        return collate([self[int(position)] for position in positions])

    def labels_for_strata(self) -> Tensor | None:
        return self.labels


class DataSet(ABC):
    """One data set. The constructor only keeps its arguments; work begins with :meth:`prepare`."""

    targets: ClassVar[tuple[str, ...]]
    """Which of label, mask and boxes the batches hold."""

    def prepare(self) -> None:  # noqa: B027 - most embedded sets have nothing to do, so this is not abstract
        """Bring the files into the cache and verify them; safe in several processes at once.

        Raises:
            InputError: files are missing, corrupt or out of reach; the line names them and the fix.
        """

    def class_names(self) -> tuple[str, ...] | None:
        """Names found in the user's folder; None where the config states them."""
        return None

    def mask_class_names(self) -> tuple[str, ...] | None:
        """Names of the mask's values found in the user's folder; None where the config states them."""
        return None

    @abstractmethod
    def load(self, split: SplitName) -> Split:
        """One split, prepared if it was not yet.

        Raises:
            InputError: a file is missing or corrupt; the line names it.
        """


def collate(samples: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Stack samples to a batch; boxes and classes are padded to the longest list among them."""
    return {key: _stack(key, [sample[key] for sample in samples]) for key in samples[0]}


def _stack(key: str, values: list[Tensor]) -> Tensor:
    if key not in ("boxes", "classes"):
        return torch.stack(values)
    longest = max(len(value) for value in values)
    fill = NO_CLASS if key == "classes" else 0
    padded = values[0].new_full((len(values), longest, *values[0].shape[1:]), fill)
    for row, value in zip(padded, values, strict=True):
        row[: len(value)] = value
    return padded

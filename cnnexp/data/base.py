"""What every data set gives: splits that turn positions into batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, get_args

import torch
from torch import Tensor
from torch.utils.data import Dataset

from cnnexp.answers.boxes import Boxes
from cnnexp.data.census import Census

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
Positions = Sequence[int] | Tensor


class Origin(Protocol):
    """What a sample is read from."""

    @property
    def name(self) -> str: ...

    @property
    def picture(self) -> Path:
        """The file of what goes into the net."""
        ...

    @property
    def mask(self) -> Path | None:
        """A file that holds the truth, where there is one."""
        ...

    def truth(self, classes: Sequence[str]) -> int | str | None:
        """What else is known of it: the number of its class, or the rest as text; None for nothing.

        Args:
            classes: names of the classes; text has them in place of numbers.
        """
        ...


class Split(Protocol):
    """One of train, val and test."""

    names: Sequence[str] | None
    """Name of every sample (its file, where there is one)."""

    def __len__(self) -> int: ...

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        """The samples at ``positions`` on the CPU: what their input is stored as, index int64 (B,) and, where known,
        the truth under the keys of its answers (label, mask, boxes and classes, ...)."""
        ...

    def labels_for_strata(self) -> Tensor | None:
        """int64 (N,): the label of every sample, or None where a sample has no single label."""
        ...

    def lengths(self) -> Tensor | None:
        """int64 (N,): how long each sample is as it is stored, or None where that is not known, or all are alike."""
        ...


class TensorSplit:
    """A split held in memory: a batch is one index operation per tensor.

    Args:
        tensors: of one length N each, uint8, uint16 or float32 (N, ...): what the input is stored as, and any truth.
        ragged: samples of different lengths, a tensor for each, by key; a batch of them is filled up at the end.
        fills: what is filled up with, by key; 0 where it is not said.
        names: one name per sample.
        transform: applied to every batch; for pictures that would be too large in memory once resized.
        origins: of the samples, where they are read from files, one each.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        *,
        ragged: Mapping[str, Sequence[Tensor]] | None = None,
        fills: Mapping[str, float] | None = None,
        names: Sequence[str] | None = None,
        transform: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None,
        origins: Sequence[Origin] | None = None,
    ) -> None:
        self.tensors = dict(tensors)
        self.ragged = dict(ragged or {})
        self.fills = dict(fills or {})
        self.names = names
        self.transform = transform
        self.origins = origins
        lengths = {key: len(tensor) for key, tensor in self.tensors.items()}
        lengths |= {key: len(values) for key, values in self.ragged.items()}
        self._length = next(iter(lengths.values()), 0)
        if len(set(lengths.values())) > 1 or (names is not None and len(names) != self._length):
            raise ValueError(
                f"tensors of one split differ in length: {lengths}, {None if names is None else len(names)} names"
            )

    def __len__(self) -> int:
        return self._length

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        index = torch.as_tensor(positions, dtype=torch.int64)
        # Some twenty times as fast as tensor[index] on uint8: it copies rows, not bytes.
        picked = {key: tensor.index_select(0, index) for key, tensor in self.tensors.items()}
        for key, values in self.ragged.items():
            picked[key] = padded([values[place] for place in index.tolist()], self.fills.get(key, 0))
        if self.transform is not None:
            picked = self.transform(picked)
        picked["index"] = index
        return picked

    def labels_for_strata(self) -> Tensor | None:
        label = self.tensors.get("label")
        return label if label is not None and label.ndim == 1 else None

    def lengths(self) -> Tensor | None:
        """Of several ragged values the sum."""
        each = [torch.tensor([len(one) for one in values]) for values in self.ragged.values()]
        return torch.stack(each).sum(0) if each else None


class FileSplit(Dataset[dict[str, Tensor]]):
    """A split that stays on disk: every sample is decoded when it is asked for. Also a map-style torch dataset.

    Args:
        decode: position → tensors of one sample, each of a batch's less its first axis; must be picklable, loader
            workers get a copy.
        length: number of samples.
        fills: for keys of which samples have different numbers, what shorter ones are filled up with.
        names: one name per sample.
        labels: int64 (N,), where a sample has one label.
        origins: of the samples, where they are read from files, one each.
    """

    def __init__(
        self,
        decode: Callable[[int], dict[str, Tensor]],
        length: int,
        *,
        fills: Mapping[str, float] = Boxes.fills,
        names: Sequence[str] | None = None,
        labels: Tensor | None = None,
        origins: Sequence[Origin] | None = None,
    ) -> None:
        self.decode = decode
        self.length = length
        self.fills = dict(fills)
        self.names = names
        self.labels = labels
        self.origins = origins

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        if not 0 <= position < self.length:
            raise IndexError(f"position {position} of {self.length} samples")
        return {**self.decode(position), "index": torch.tensor(position)}

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        return self.collate([self[int(position)] for position in positions])

    def collate(self, samples: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Samples as a batch."""
        return collate(samples, self.fills)

    def labels_for_strata(self) -> Tensor | None:
        return self.labels

    def lengths(self) -> Tensor | None:
        return None


class DataSet(ABC):
    """One data set. The constructor only keeps its arguments; work begins with :meth:`prepare`."""

    targets: ClassVar[tuple[str, ...]]
    """Which truths the batches hold: label, mask, boxes, ..., each a file of ``cnnexp/answers``."""
    open_set: ClassVar[bool] = False
    """Whether classes are dealt out whole: what is tested is of none that was trained on."""
    group: str | None = None
    """What may not stand in two splits, as ``data.groups`` reads it; sets that divide themselves go by it."""

    def prepare(self) -> None:  # noqa: B027 - most embedded sets have nothing to do, so this is not abstract
        """Bring the files into the cache and verify them; safe in several processes at once.

        Raises:
            InputError: files are missing, corrupt or out of reach; the line names them and the fix.
        """

    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes found in the user's files; None where the configuration states them."""
        return None

    def chosen(self) -> tuple[str, ...] | None:
        """Those of ``targets`` that the batches hold, where it depends on the task; None where they hold them all."""
        return None

    def census(self) -> Census | None:
        """What of the user's files is used and what is left out, once prepared; None where there are no such files."""
        return None

    def columns(self, split: SplitName) -> Mapping[str, Sequence[str]]:
        """What else is known of each sample of a split, in its order, such as whose it is."""
        return {}

    def distinct(self) -> tuple[SplitName, ...]:
        """The splits that have samples of their own: all, or without test where it is val once more."""
        return SPLITS

    def refuse_untaught(self) -> None:  # noqa: B027 - sets whose classes are fixed have nothing to refuse
        """Say before a training which classes it has no sample of.

        Raises:
            InputError: one of them was asked for, in ``data.classes``.
        """

    def told(self) -> dict[str, Any]:
        """Keys of ``data`` that a prepared data set has found a value for, where the configuration leaves them open."""
        return {}

    def origins(self, split: SplitName) -> Sequence[Origin] | None:
        """What the samples of a split are read from, found without reading them; None where only ``load`` tells."""
        return None

    def dealt(self, names: Mapping[SplitName, Sequence[str]]) -> DataSet | None:
        """The same data set with just these samples in its splits, in this order.

        Args:
            names: all of them are there. Of several samples of one name that of the same split is meant.

        Returns:
            None where samples cannot be told apart before they are read.
        """
        return None

    @abstractmethod
    def load(self, split: SplitName) -> Split:
        """One split, prepared if it was not yet.

        Raises:
            InputError: a file is missing or corrupt; the line names it.
        """


def collate(samples: Sequence[dict[str, Tensor]], fills: Mapping[str, float] = Boxes.fills) -> dict[str, Tensor]:
    """Stack samples to a batch; what ``fills`` names is filled up to the longest among them."""
    return {
        key: padded([sample[key] for sample in samples], fills[key])
        if key in fills
        else torch.stack([sample[key] for sample in samples])
        for key in samples[0]
    }


def padded(values: Sequence[Tensor], fill: float) -> Tensor:
    """Tensors (n, ...) of different lengths along their first axis as one (B, longest, ...)."""
    longest = max(len(value) for value in values)
    rows = values[0].new_full((len(values), longest, *values[0].shape[1:]), fill)
    for row, value in zip(rows, values, strict=True):
        row[: len(value)] = value
    return rows

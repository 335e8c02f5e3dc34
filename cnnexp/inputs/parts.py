"""Batches and splits of several inputs, as one of their parts knows them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cnnexp.inputs.base import Batch, Samples


def of_part(batch: Batch, name: str) -> Batch:
    """A batch as the part knows it: its own tensors by their own names, and the truth."""
    own = {key.removeprefix(f"{name}."): value for key, value in batch.items() if key.startswith(f"{name}.")}
    return {**{key: value for key, value in batch.items() if "." not in key}, **own}


class PartOfSplit:
    """A split as one part knows it."""

    def __init__(self, split: Samples, name: str) -> None:
        self._split, self._name = split, name

    def __len__(self) -> int:
        return len(self._split)

    def batch(self, positions: Tensor) -> Batch:
        return of_part(self._split.batch(positions), self._name)


class PartsOfSplit:
    """A split as parts know it that are alike: the samples of the first, behind them those of the next, and so on."""

    def __init__(self, split: Samples, names: Sequence[str]) -> None:
        self._parts, self._size = [PartOfSplit(split, name) for name in names], len(split)

    def __len__(self) -> int:
        return len(self._parts) * self._size

    def batch(self, positions: Tensor) -> Batch:
        which, own = positions // self._size, positions % self._size
        batches = [part.batch(own[which == place]) for place, part in enumerate(self._parts) if (which == place).any()]
        return {key: _filled_up([one[key] for one in batches]) for key in batches[0] if key in batches[-1]}


def _filled_up(tensors: Sequence[Tensor]) -> Tensor:
    """One after another, filled up with zeros at the end of the last axis where that differs."""
    longest = max(one.shape[-1] for one in tensors) if tensors[0].ndim > 1 else 0
    return torch.cat([nn.functional.pad(one, (0, longest - one.shape[-1])) if longest else one for one in tensors])

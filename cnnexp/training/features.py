"""What goes into the head of a frozen net, computed once for every picture and kept.

As long as nothing before the head learns and pictures are not augmented, the features of a picture are the same in
every epoch. An epoch of the head alone then takes moments.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.data.base import Positions, Split, TensorSplit, padded
from cnnexp.data.fetch import cache_folder
from cnnexp.models.auxiliary import split_answer
from cnnexp.models.stages import head_of

log = logging.getLogger(__name__)

SLOW_S = 3.0
"""Features that took longer to compute are kept on disk for the next run."""
_TRUTH = "truth."
_FORMAT = 2  # another number makes every older file unused
_EXAMPLE = 2  # pictures that a tail is tried on


@dataclass(frozen=True)
class Tail:
    """The end of a net from the features on: its modules in their order, and how its answer is shaped."""

    modules: tuple[nn.Module, ...]
    flattens: bool

    def __call__(self, features: Tensor) -> Tensor:
        """The answers (B, K) of the whole net, from the features (B, ...)."""
        for module in self.modules:
            features = module(features)
        return features.flatten(1) if self.flattens else features

    @torch.no_grad()
    def features(self, net: nn.Module, pictures: Tensor) -> Tensor:
        """What goes into it (B, ...) while the whole net answers for prepared pictures (B, C, H, W)."""
        caught, _ = _caught(net, self.modules[0], pictures)
        return caught[0]


def find_tail(net: nn.Module, pictures: Tensor) -> Tail | None:
    """The part of a frozen net that comes after all that is frozen; None where no row of modules is that.

    Tried, not guessed: the row has to give the whole net's answer to the bit, in evaluation and, with the same random
    numbers, in training (a dropout may hide in a function).

    Args:
        pictures: prepared (B, C, H, W); a few are enough.
    """
    modes = [(module, module.training) for module in net.modules()]
    random_state = torch.get_rng_state()
    try:
        for names in _candidates(net):
            modules = tuple(net.get_submodule(name) for name in names)
            for flattens in (False, True):
                tail = Tail(modules, flattens)
                if _agrees(net, tail, pictures[:_EXAMPLE]):
                    return tail
        return None
    finally:
        for module, training in modes:
            module.training = training
        torch.set_rng_state(random_state)


def _candidates(net: nn.Module) -> list[tuple[str, ...]]:
    """Rows of modules that might be the tail, the shortest first."""
    head = head_of(net)
    found = [head.parts]
    name = head.parts[0].rpartition(".")[0]
    while name and all(head.holds(f"{name}.{own}") for own, _ in net.get_submodule(name).named_parameters()):
        found.append((name,))
        name = name.rpartition(".")[0]
    return found


@torch.no_grad()
def _agrees(net: nn.Module, tail: Tail, pictures: Tensor) -> bool:
    learning = [one for module in tail.modules for one in module.modules()]
    features = []
    for training in (False, True):
        net.eval()
        net.training = training
        for module in learning:
            module.training = training
        torch.manual_seed(0)
        caught, answer = _caught(net, tail.modules[0], pictures)
        if len(caught) != 1:
            return False
        features.append(caught[0])
        torch.manual_seed(0)
        try:
            again = tail(caught[0])
        except (RuntimeError, TypeError, ValueError):
            return False
        if again.shape != answer.shape or not torch.equal(again, answer):
            return False
    return torch.equal(*features)


def _caught(net: nn.Module, module: nn.Module, pictures: Tensor) -> tuple[list[Tensor], Tensor]:
    """What goes into a module while the net answers, and the answer."""
    caught: list[Tensor] = []

    def catch(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        caught.extend(one.detach() for one in inputs if isinstance(one, Tensor))

    hook = module.register_forward_pre_hook(catch)
    try:
        return caught, split_answer(net(pictures))[0]
    finally:
        hook.remove()


class FeatureSplit:
    """A split whose samples are ``features``, floats (B, ...), in place of what the net's input is.

    Args:
        split: of pictures. positions: int64 (M,), the samples whose features are known, ascending. features: (M, ...)
            of those. truth: the tensors of theirs by key, (M, ...).
    """

    def __init__(self, split: Split, positions: Tensor, features: Tensor, truth: Mapping[str, Tensor]) -> None:
        self.names = split.names
        self._row = torch.full((len(split),), -1, dtype=torch.int64)
        self._row[positions] = torch.arange(len(positions))
        self._strata = split.labels_for_strata()
        self._features, self._truth = features, dict(truth)
        # rows are picked by index, so the batch axis comes first; channels-last features keep their memory order
        self._last = features.ndim == 4 and features.is_contiguous(memory_format=torch.channels_last)
        if self._last:
            self._features = features.permute(0, 2, 3, 1)

    def __len__(self) -> int:
        return len(self._row)

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        """Features, truth and index int64 (B,) of the samples."""
        index = torch.as_tensor(positions, dtype=torch.int64)
        rows = self._row[index]
        if (rows < 0).any():
            raise IndexError("features of a sample that does not take part")
        features = self._features.index_select(0, rows)
        truth = {name: values[rows] for name, values in self._truth.items()}
        return {"features": features.permute(0, 3, 1, 2) if self._last else features, **truth, "index": index}

    def labels_for_strata(self) -> Tensor | None:
        return self._strata

    def lengths(self) -> Tensor | None:
        return None


@dataclass(frozen=True)
class Features:
    """Features of some samples (M, ...), their truth by key (M, ...), and the seconds that it took to compute them."""

    features: Tensor
    truth: Mapping[str, Tensor]
    seconds: float
    from_disk: bool


def features_of(
    split: Split,
    positions: Tensor,
    compute: Callable[[dict[str, Tensor]], Tensor],
    batch_size: int,
    how: object,
    fills: Mapping[str, float],
) -> Features:
    """Features of the samples at these positions, from the cache folder where they are known there.

    Args:
        compute: batch of the split → features (B, ...) on the CPU. how: everything but the pictures that decides the
            features, as JSON can have it: the net's weights, the normalisation, the precision. fills: the keys of the
            truth, and what batches of different widths are filled up with.
    """
    key = _key(split, positions, (how, batch_size))
    known = None if key is None else _load(key)
    if known is not None and len(known.features) == len(positions):
        return known
    began = time.perf_counter()
    batches = [split.batch(one) for one in positions.split(batch_size)]
    parts = [compute(batch) for batch in batches]
    four = parts[0].ndim == 4 and parts[0].is_contiguous(memory_format=torch.channels_last)
    joined = torch.cat(parts)
    if four:
        joined = joined.contiguous(memory_format=torch.channels_last)
    truth = {name: _joined([batch[name] for batch in batches], fill) for name, fill in fills.items()}
    found = Features(joined, truth, time.perf_counter() - began, False)
    if key is not None and found.seconds > SLOW_S:
        _save(key, found)
    return found


def _joined(values: Sequence[Tensor], fill: float) -> Tensor:
    """Batches (B, ...) as one; where their second axes differ (boxes), filled up to the longest."""
    if values[0].ndim < 2:
        return torch.cat(list(values))
    rows = [row for batch in values for row in batch]
    return padded(rows, fill)


def fingerprint_of(tensors: Mapping[str, Tensor]) -> str:
    """A digest over names and values."""
    total = hashlib.sha256()
    for name, value in tensors.items():
        total.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        total.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _key(split: Split, positions: Tensor, how: object) -> str | None:
    """A name for the features of these pictures; None for pictures on disk, which may change unseen."""
    if not isinstance(split, TensorSplit) or split.transform is not None:
        return None
    picked = {"positions": positions} | split.tensors
    for name, values in split.ragged.items():
        picked |= {name: torch.cat(list(values)), f"{name}.lengths": torch.tensor([len(one) for one in values])}
    stamp = json.dumps([_FORMAT, how, fingerprint_of(picked)], sort_keys=True, default=str)
    return hashlib.sha256(stamp.encode()).hexdigest()[:32]


def _path(key: str) -> Path:
    return cache_folder() / "features" / f"{key}.safetensors"


def _load(key: str) -> Features | None:
    from safetensors import SafetensorError, safe_open

    path = _path(key)
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as saved:
            said = saved.metadata()
            features = saved.get_tensor("features")
            names = [name for name in saved.keys() if name.startswith(_TRUTH)]  # noqa: SIM118 - no mapping
            truth = {name.removeprefix(_TRUTH): saved.get_tensor(name) for name in names}
        if said["channels_last"] == "True":
            features = features.permute(0, 3, 1, 2)
        return Features(features, truth, float(said["seconds"]), True)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        log.warning("%s: damaged (%s); computing the features again", path, error)
        return None


def _save(key: str, found: Features) -> None:
    """A disk that is full or read-only costs only the time saved."""
    from safetensors.torch import save_file

    path = _path(key)
    partial = path.with_name(f".{key}.{uuid.uuid4().hex[:8]}.partial")
    last = found.features.ndim == 4 and found.features.is_contiguous(memory_format=torch.channels_last)
    features = found.features.permute(0, 2, 3, 1) if last else found.features
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {"seconds": str(found.seconds), "channels_last": str(last)}
        truth = {f"{_TRUTH}{name}": values.contiguous() for name, values in found.truth.items()}
        save_file({"features": features.contiguous(), **truth}, partial, metadata=said)
        os.replace(partial, path)
    except Exception as error:  # safetensors has its own error for a disk that is full
        log.warning("%s: not kept (%s); the next run computes the features again", path, error)
    finally:
        partial.unlink(missing_ok=True)


def bytes_of(shape: Sequence[int], count: int, element_size: int) -> int:
    """Of the features of so many samples, each of this shape."""
    total = count * element_size
    for side in shape:
        total *= side
    return total

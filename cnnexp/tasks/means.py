"""Sums of an epoch over all processes: what the mean loss and the confusion matrix are made of.

They are counted at every step, so they are kept cheap: one addition in place. (No buffers: DDP overwrites those of all
processes by the first one's at every step. No torchmetrics: its bookkeeping around an update takes as long as a small
net's layer, and its deterministic count of a confusion matrix needs pixels x classes² numbers.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as distributed
from torch import Tensor, nn

from cnnexp.losses.term import Term, at_least_one

COUNTED_AT_ONCE = 4096
"""Pairs of prediction and target that are counted together."""


class Sums(nn.Module):
    """A tensor that is added to, kept in checkpoints, and summed over the processes when it is read.

    Args:
        size: number of values. dtype: of the sums.
    """

    def __init__(self, size: int, dtype: torch.dtype) -> None:
        super().__init__()
        self._sums = torch.zeros(size, dtype=dtype)

    def _on(self, device: torch.device) -> Tensor:
        if self._sums.device != device:
            self._sums = self._sums.to(device)
        return self._sums

    def _settle(self) -> None:
        """Bring into the sums what was counted elsewhere."""
        return None

    def total(self) -> Tensor:
        """The sums over all processes, (size,) on the CPU; every process must ask."""
        self._settle()
        if not _parallel():
            return self._sums.to("cpu", copy=True)
        # a process that has had no batch yet holds its sums on the CPU, which NCCL cannot talk about
        nccl = distributed.get_backend() == "nccl"
        sums = self._sums.to(torch.device("cuda", torch.cuda.current_device()) if nccl else "cpu", copy=True)
        distributed.all_reduce(sums)
        return sums.cpu()

    def reset(self) -> None:
        """Begin a new epoch."""
        self._sums.zero_()

    def get_extra_state(self) -> Tensor:
        """The total, as the checkpoint of rank 0 is the one that is kept."""
        return self.total()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from a total: rank 0 takes it all."""
        first = not _parallel() or distributed.get_rank() == 0
        self._sums.copy_(state if first else torch.zeros_like(state))


def _parallel() -> bool:
    return distributed.is_available() and distributed.is_initialized()


class LossMeans(Sums):
    """The means of the terms of a loss, each weighed by the number of items behind each batch's mean.

    Args:
        names: of the terms. A single one is the loss itself.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(2 * len(names), torch.float64)
        self.names = tuple(names)
        self._numbers: list[float] | None = None

    @torch.no_grad()
    def update(self, terms: Sequence[Term]) -> None:
        """Add a batch's terms; those of a single name may have any."""
        for term in terms:
            place = 0 if len(self.names) == 1 else self.names.index(term.name)
            if term.mean.device.type == "cpu":
                self._add_numbers(place, term)
                continue
            sums = self._on(term.mean.device)
            sums[place] += term.mean.detach().double() * at_least_one(term.count)
            sums[len(self.names) + place] += term.count

    def _add_numbers(self, place: int, term: Term) -> None:
        """On the CPU a number costs nothing to read, and Python's are doubles: a twentieth of the time of tensors.

        They go on from the sums and are never begun anew in an epoch, so a save in between rounds nothing differently.
        """
        numbers = self._sums.tolist() if self._numbers is None else self._numbers
        count = float(term.count)
        numbers[place] += term.mean.item() * (count or 1.0)
        numbers[len(self.names) + place] += count
        self._numbers = numbers

    def _settle(self) -> None:
        if self._numbers is not None:
            self._sums.copy_(torch.tensor(self._numbers, dtype=self._sums.dtype))

    def reset(self) -> None:
        self._numbers = None
        super().reset()

    def set_extra_state(self, state: Tensor) -> None:
        self._numbers = None
        if len(state) != len(self._sums):  # an earlier version's: the loss, its parts, and one count for all
            state = torch.cat([state[1:-1], state[-1:].expand(len(self.names))])
        super().set_extra_state(state)

    def compute(self) -> dict[str, float]:
        """Means over all batches of all processes: ``loss``, their sum, and each term where there are several."""
        total = self.total().tolist()
        sums, counts = total[: len(self.names)], total[len(self.names) :]
        means = [one / (count or 1.0) for one, count in zip(sums, counts, strict=True)]
        terms = dict(zip(self.names, means, strict=True)) if len(self.names) > 1 else {}
        return {"loss": sum(means), **terms}


class Confusion(Sums):
    """A confusion matrix: row = target, column = prediction.

    Small batches wait until there are ``COUNTED_AT_ONCE`` pairs: on a small net, counting each one would take a tenth
    of its step; and on a GPU the processor waits for the count.

    Args:
        classes: K. void: a target value that is left out.
    """

    def __init__(self, classes: int, void: int | None = None) -> None:
        super().__init__(classes**2, torch.int64)
        self.classes = classes
        self.void = void
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._pairs = 0

    @torch.no_grad()
    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Count classes, int64, of equal shapes."""
        self._waiting.append((prediction, target))
        self._pairs += target.numel()
        if self._pairs >= COUNTED_AT_ONCE:
            self._settle()

    @torch.no_grad()
    def _settle(self) -> None:
        if not self._waiting:
            return
        prediction, target = (torch.cat([one.flatten() for one in kind]) for kind in zip(*self._waiting, strict=True))
        self._waiting, self._pairs = [], 0
        if self.void is not None:
            valid = target != self.void
            prediction, target = prediction[valid], target[valid]
        self._on(target.device).add_(torch.bincount(target * self.classes + prediction, minlength=self.classes**2))

    def reset(self) -> None:
        self._waiting, self._pairs = [], 0
        super().reset()

    def set_extra_state(self, state: Tensor) -> None:
        self._waiting, self._pairs = [], 0
        super().set_extra_state(state)

    def compute(self) -> Tensor:
        """Counts, int64 (K, K)."""
        return self.total().view(self.classes, self.classes)


@dataclass(frozen=True)
class LabelCounts:
    """How labels were met, each class apart: int64 (K,).

    Attributes:
        right: named and there. named, shown: named at all, there at all. exact: pictures of which all labels are right,
            of ``pictures``.
    """

    right: Tensor
    named: Tensor
    shown: Tensor
    exact: int
    pictures: int

    def values(self) -> dict[str, float]:
        """F1, the mean of the classes that were named or there; the right part of labels; that of whole pictures."""
        met = (self.named + self.shown) > 0
        f1 = 2 * self.right[met] / (self.named + self.shown)[met]
        wrong = int((self.named + self.shown - 2 * self.right).sum())
        labels = max(self.pictures * len(self.right), 1)
        return {
            "f1": float(f1.double().mean()) if bool(met.any()) else 0.0,
            "accuracy": 1 - wrong / labels,
            "exact": self.exact / max(self.pictures, 1),
        }


class LabelHits(Sums):
    """Counts of labels named and labels there, for pictures with none, one or several.

    Args:
        classes: K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__(3 * classes + 2, torch.int64)

    @torch.no_grad()
    def update(self, named: Tensor, shown: Tensor) -> None:
        """Count a batch, bool (B, K) both."""
        exact = (named == shown).all(1).sum()
        sums = [(named & shown).sum(0), named.sum(0), shown.sum(0), torch.stack([exact, exact.new_tensor(len(named))])]
        self._on(named.device).add_(torch.cat(sums))

    def compute(self) -> LabelCounts:
        """The counts of all processes."""
        total = self.total()
        right, named, shown = total[:-2].view(3, -1)
        return LabelCounts(right, named, shown, int(total[-2]), int(total[-1]))


@dataclass(frozen=True)
class ErrorMeans:
    """Mean squared and mean absolute error, and R², of K numbers: float64 (K,)."""

    squared: Tensor
    absolute: Tensor
    r2: Tensor


class Errors(Sums):
    """Errors of K numbers.

    Args:
        count: K.
    """

    def __init__(self, count: int) -> None:
        super().__init__(4 * count + 1, torch.float64)

    @torch.no_grad()
    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Add a batch, (B, K) both, of about mean 0."""
        error, true = (predictions - targets).double(), targets.double()
        sums = [error.square().sum(0), error.abs().sum(0), true.sum(0), true.square().sum(0)]
        self._on(targets.device).add_(torch.cat([*sums, true.new_tensor([len(true)])]))

    def compute(self) -> ErrorMeans:
        """Over all batches of all processes; R² is NaN where all targets are equal."""
        total = self.total()
        count = total[-1].clamp(min=1)
        squared, absolute, true, true_squared = total[:-1].view(4, -1) / count
        variance = true_squared - true.square()
        return ErrorMeans(squared, absolute, 1 - squared / variance.where(variance > 0, torch.nan))


class Hits(Sums):
    """The part of samples whose target is among the k classes with the highest scores.

    Args:
        k: at least 1.
    """

    def __init__(self, k: int) -> None:
        super().__init__(2, torch.int64)
        self.k = k

    @torch.no_grad()
    def update(self, scores: Tensor, target: Tensor) -> None:
        """Count a batch: scores (B, K, ...), targets int64 (B, ...)."""
        hit = (scores.topk(self.k, 1).indices == target[:, None]).sum()
        self._on(target.device).add_(torch.stack([hit, hit.new_tensor(target.numel())]))

    def compute(self) -> float:
        """In [0, 1]."""
        hit, count = self.total().tolist()
        return hit / max(count, 1)

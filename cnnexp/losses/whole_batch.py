"""The embeddings of a whole batch, for losses that compare its samples, whatever process these are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.distributed as distributed
from torch import Tensor

from cnnexp.losses.term import at_least_single


@dataclass(frozen=True)
class WholeBatch:
    """What losses compare.

    Attributes:
        embedding: (N, d), of length 1, in single precision at least. same: bool (N, N), two samples of one identity,
            and not one sample twice. different: bool (N, N).
    """

    embedding: Tensor
    same: Tensor
    different: Tensor

    @property
    def squared_distances(self) -> Tensor:
        """|a - b|² = 2 - 2 a·b, (N, N), never below 0."""
        return (2 - 2 * self.embedding @ self.embedding.T).clamp(min=0)


def whole_batch(embedding: Tensor, truth: Mapping[str, Tensor]) -> WholeBatch:
    """The batch of all processes; gradients reach this process's part of it.

    Args:
        embedding: (B, d) of this process, of length 1; each has as many. truth: ``identity`` int64 (B,), and ``sample``
            int64 (B,), which sample it is: small classes come several times in a batch.
    """
    rows = _gathered(at_least_single(embedding))
    identity, sample = _gathered(truth["identity"]), _gathered(truth["sample"])
    same = identity[:, None] == identity
    return WholeBatch(rows, same & (sample[:, None] != sample), ~same)


def for_the_mean(loss: Tensor) -> Tensor:
    """A loss of the whole batch whose gradient, averaged over processes that each reach their own part, is its own."""
    processes = distributed.get_world_size() if _parallel() else 1
    return loss if processes == 1 else processes * loss - (processes - 1) * loss.detach()


def _gathered(own: Tensor) -> Tensor:
    """Of all processes in their order; this one's part is the tensor itself, so that gradients go through it."""
    if not _parallel():
        return own
    parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, own.detach().contiguous())
    parts[distributed.get_rank()] = own
    return torch.cat(parts)


def _parallel() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1

"""Several processes as threads of this one, which meet in ``all_reduce`` as those of a run do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor

T = TypeVar("T")
PATIENCE_S = 20.0
"""For a process that waits for others which do not come."""


def together(works: Sequence[Callable[[], T]], patch: pytest.MonkeyPatch) -> list[T]:
    """What each process comes to, in the order of their ranks. One that asks more often than others breaks all."""
    meeting, places = _Meeting(len(works)), threading.local()

    def begin(rank: int) -> T:
        places.rank = rank
        try:
            return works[rank]()
        except BaseException:
            meeting.barrier.abort()
            raise

    with patch.context() as patched:
        patched.setattr(torch.distributed, "is_initialized", lambda: True)
        patched.setattr(torch.distributed, "get_backend", lambda: "gloo")
        patched.setattr(torch.distributed, "get_rank", lambda: places.rank)
        patched.setattr(torch.distributed, "all_reduce", lambda total: meeting.sum(places.rank, total))
        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(begin, range(len(works))))


class _Meeting:
    def __init__(self, count: int) -> None:
        self.barrier = threading.Barrier(count, timeout=PATIENCE_S)
        self.brought: list[Any] = [None] * count

    def sum(self, rank: int, total: Tensor) -> None:
        self.brought[rank] = total.clone()
        self.barrier.wait()
        total.copy_(torch.stack(self.brought).sum(0))
        self.barrier.wait()

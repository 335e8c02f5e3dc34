"""Two ways of the same thing timed in turns, so that both meet the same disturbances."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from torch import Tensor, nn

WARM_UP = 2


def forward_and_backward(net: nn.Module, picture: Tensor) -> Callable[[], None]:
    def once() -> None:
        net(picture).sum().backward()

    return once


def interleaved(first: Callable[[], None], second: Callable[[], None], repeats: int) -> tuple[list[float], list[float]]:
    """Seconds of each, taken in turns after a warm-up; who is first changes each time."""
    times: dict[Callable[[], None], list[float]] = {first: [], second: []}
    for repeat in range(WARM_UP + repeats):
        for call in (first, second) if repeat % 2 else (second, first):
            start = time.perf_counter()
            call()
            times[call].append(time.perf_counter() - start)
    return times[first][WARM_UP:], times[second][WARM_UP:]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times as fast ours is: the median of the pairs' ratios."""
    return statistics.median(b / a for a, b in zip(ours, theirs, strict=True))

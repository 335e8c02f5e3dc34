"""Direct convolution against convolution by FFT, timed on this machine over kernel and picture sizes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.bench.timing import wait_for
from cnnexp.models.fft_conv import fft_conv2d

SWEEPS = 3
LEAST_ROUNDS = 2
MOST_ROUNDS = 200


@dataclass(frozen=True)
class Case:
    """A convolution to be timed, with padding that keeps the picture's size.

    Attributes:
        kernel, size: sides in pixels. channels: in and out. batch: pictures. backward: gradients too.
    """

    kernel: int
    size: int
    channels: int
    batch: int
    backward: bool = False


@dataclass(frozen=True)
class Timed:
    """Seconds of both ways in the quickest of some rounds, the one that other work on the machine disturbed least; how
    far their results are apart, and the size of the direct ones."""

    case: Case
    direct_s: float
    fft_s: float
    largest_difference: float
    largest_value: float

    @property
    def ratio(self) -> float:
        """Above 1 the FFT wins."""
        return self.direct_s / self.fft_s


def measure(cases: Sequence[Case], seconds: float, device: torch.device) -> list[Timed]:
    """Time each case both ways in turns, and all cases several times over: a disturbance of some seconds meets each of
    them once at most.

    Args:
        seconds: for each case, about.
    """
    sweeps = [[_timed(case, seconds / SWEEPS, device) for case in cases] for _ in range(SWEEPS)]
    return [
        replace(of_case[0], direct_s=min(one.direct_s for one in of_case), fft_s=min(one.fft_s for one in of_case))
        for of_case in zip(*sweeps, strict=True)
    ]


def _timed(case: Case, seconds: float, device: torch.device) -> Timed:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(case.batch, case.channels, case.size, case.size, generator=generator).to(device)
    weight = torch.randn(case.channels, case.channels, case.kernel, case.kernel, generator=generator).to(device)
    weight /= (case.channels * case.kernel**2) ** 0.5  # the result has the variance of the picture
    leaves = [one.requires_grad_(case.backward) for one in (x, weight)]
    padding = case.kernel // 2
    ways: list[Callable[[], Tensor]] = [
        lambda: functional.conv2d(x, weight, padding=padding),
        lambda: fft_conv2d(x, weight, padding=(padding, padding)),
    ]
    with torch.set_grad_enabled(case.backward):
        direct, by_fft = (way().detach() for way in ways)  # warm now
        times: list[list[float]] = [[], []]
        began = time.perf_counter()
        while len(times[0]) < LEAST_ROUNDS or (time.perf_counter() - began < seconds and len(times[0]) < MOST_ROUNDS):
            for way, of_way in zip(ways, times, strict=True):
                of_way.append(_seconds(way, leaves if case.backward else [], device))
    direct_s, fft_s = (min(one) for one in times)
    return Timed(case, direct_s, fft_s, float((direct - by_fft).abs().max()), float(direct.abs().max()))


def _seconds(way: Callable[[], Tensor], leaves: Sequence[Tensor], device: torch.device) -> float:
    wait_for(device)
    began = time.perf_counter()
    output = way()
    if leaves:
        torch.autograd.grad(output.sum(), leaves)
    wait_for(device)
    return time.perf_counter() - began

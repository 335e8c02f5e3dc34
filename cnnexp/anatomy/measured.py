"""A training step made for real, with random pictures: how fast it is and how much memory it takes."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.anatomy.memory import one_step
from cnnexp.anatomy.subject import Subject
from cnnexp.builders.hardware import device_name, set_up_process
from cnnexp.errors import InputError

LONGEST_S = 4.0
FEWEST_STEPS = 3


def measure(subject: Subject, hardware: Mapping[str, Any], needed_bytes: int | None) -> dict[str, Any]:
    """Train on one batch of random pictures for a few seconds, in single precision.

    Args:
        hardware: of the configuration, resolved. needed_bytes: the estimate, held against what is free.

    Returns:
        ``device``, ``threads``, ``bytes`` at the fullest moment of a step, weights and optimizer included, as torch's
        allocator counts them; ``images_per_second`` in training (forward, backward, optimizer), the median of the
        steps; ``steps``.

    Raises:
        InputError: there is not so much memory free.
    """
    set_up_process(hardware)
    device = torch.device("cuda" if hardware["accelerator"] == "gpu" else "cpu")
    _refuse_too_much(subject, needed_bytes, device)
    net = subject.make().to(device)
    batch = [one.uniform_() if one.is_floating_point() else one for one in subject.example(subject.batch_size, device)]
    optimizer = subject.optimizer(net.parameters())
    _step(net, batch, optimizer)
    peak = _peak_of_step(net, batch, optimizer)
    times = _times(net, batch, optimizer)
    return {
        "device": device_name(hardware),
        "threads": torch.get_num_threads(),
        "bytes": peak,
        "images_per_second": subject.batch_size / statistics.median(times),
        "steps": len(times),
    }


def _step(net: nn.Module, batch: Sequence[Tensor], optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad(set_to_none=True)
    one_step(net, *batch)
    optimizer.step()


def _times(net: nn.Module, batch: Sequence[Tensor], optimizer: torch.optim.Optimizer) -> list[float]:
    times: list[float] = []
    while len(times) < FEWEST_STEPS or sum(times) < LONGEST_S:
        began = time.perf_counter()
        _step(net, batch, optimizer)
        if batch[0].is_cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
        if sum(times) > 3 * LONGEST_S:
            break
    return times


def _peak_of_step(net: nn.Module, batch: Sequence[Tensor], optimizer: torch.optim.Optimizer) -> int:
    """Bytes that torch's allocator has given away at the fullest moment."""
    optimizer.zero_grad(set_to_none=True)
    if batch[0].is_cuda:
        torch.cuda.reset_peak_memory_stats()
        _step(net, batch, optimizer)
        return int(torch.cuda.max_memory_allocated())
    os.environ.setdefault(
        "KINETO_LOG_LEVEL", "99"
    )  # the profiler tells on stderr that it begins, and that there is no GPU
    held = [*net.parameters(), *net.buffers(), *batch, *_state(optimizer)]
    now = peak = sum(tensor.numel() * tensor.element_size() for tensor in held)
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True, acc_events=True
    ) as profiler:
        _step(net, batch, optimizer)
    results: Any = profiler.profiler
    for event in sorted(results.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return int(peak)


def _state(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]


def _refuse_too_much(subject: Subject, needed: int | None, device: torch.device) -> None:
    free = _free_bytes(device)
    if needed is not None and free is not None and needed > 0.9 * free:
        raise InputError(
            f"--measure: a step of model={subject.name} with batch_size={subject.batch_size} takes about "
            f"{needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free; give a smaller batch_size or --input"
        )


def _free_bytes(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.exists() else []
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None

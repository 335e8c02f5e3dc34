"""How many pictures a second a trained net answers that gets them one after another, as from a camera."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from cnnexp.answers.base import Batch
from cnnexp.data.base import Split
from cnnexp.tasks.base import Task

WARMING_UP, MOST_FRAMES = 3, 50
MOST_SECONDS = 2.0
"""For a slow net; one picture is timed at least."""


def measure_frames(task: Task, split: Split) -> dict[str, Any]:
    """``frames_per_second`` over the first pictures of a split, and ``frames_on`` which device, for summary.json.

    Timed is each picture by itself, from the stored pixels in memory to the answer in plain numbers: normalisation,
    net, and what follows it, such as non-maximum suppression. The median counts.
    """
    device = task.device
    count = min(len(split), MOST_FRAMES)
    frames = [_one(split, place) for place in range(count)]
    for place in range(WARMING_UP):
        _seconds(task, frames[place % count], device)
    times: list[float] = []
    for frame in frames:
        times.append(_seconds(task, frame, device))
        if sum(times) > MOST_SECONDS:
            break
    threads = torch.get_num_threads()
    where = f"{device.type}, {threads} thread{'' if threads == 1 else 's'}" if device.type == "cpu" else device.type
    return {"frames_per_second": round(1 / statistics.median(times), 2), "frames_on": where}


def _one(split: Split, place: int) -> Batch:
    return split.batch(torch.tensor([place]))


def _seconds(task: Task, frame: Batch, device: torch.device) -> float:
    began = time.perf_counter()
    with torch.inference_mode():
        # the answer is on the CPU, so a device has nothing left to do when it is there
        task.predict(task.prepare({name: value.to(device) for name, value in frame.items()}, train=False))
    return time.perf_counter() - began

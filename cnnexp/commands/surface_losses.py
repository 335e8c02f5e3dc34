"""The loss of a net on fixed samples, again and again, as its weights are moved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnnexp.commands.looking import Samples, SplitName, Subject, evenly

if TYPE_CHECKING:
    from cnnexp.inputs.base import Batch
    from cnnexp.tasks.base import Task
    from cnnexp.visualize.surface_points import Point, SurfacePoints

_AT_ONCE = 100
_TIMED = 8


def samples_of(subject: Subject, count: int, split: SplitName) -> Samples:
    """Evenly over the split; of the training split over the samples that took part."""
    assert subject.data is not None
    if split != "train":
        return subject.of_split(count, split)
    return subject.at(evenly(subject.data.train_positions().tolist(), count), split)


def batches_of(samples: Samples, most: int) -> list[Batch]:
    """Prepared, once for all points.

    Args:
        most: samples in a batch, as many as the training had: the memory was enough for that.
    """
    size = min(_AT_ONCE, most)
    parts = [
        {key: value[start : start + size] for key, value in samples.stored.items()}
        for start in range(0, len(samples), size)
    ]
    return [samples.task.prepare(part, train=False) for part in parts]


def bound(subject: Subject, batches: list[Batch]) -> dict[str, Any]:
    """What a point is a loss of, and by which settings: a run's weights may be asked about with another loss."""
    import torch

    from cnnexp.visualize.surface_points import digest_of

    task, config = subject.task, subject.config
    weights = config["regularization"]["class_weights"]
    held = {f"{place}.{key}": value for place, batch in enumerate(batches) for key, value in batch.items()}
    return {
        "weights": digest_of(task.state_dict()),
        "loss": {"loss": config["loss"], "task": config["task"], "model": config["model"], "class_weights": weights},
        "samples": digest_of(held),
        "torch": torch.__version__,
        "device": task.device.type,
    }


def measure(task: Task, batches: list[Batch], moved: Any, points: SurfacePoints, wanted: list[Point]) -> None:
    """The points that are not known yet, with a bar on a terminal."""
    from cnnexp.commands.watching import watched

    missing = [point for point in wanted if point not in points]
    for point in watched(missing, len(missing), "points"):
        moved.to(point)
        points.add(point, loss_of(task, batches))


def loss_of(task: Task, batches: list[Batch]) -> float:
    """The mean over all samples, each term by the count behind it, as an evaluation has it."""
    import torch

    from cnnexp.tasks.means import LossMeans

    means = LossMeans(task.term_names)
    with torch.no_grad():
        for batch in batches:
            means.update([term for term in task.step(batch, "val").terms if term.judged])
    return float(means.compute()["loss"])


def seconds(task: Task, batch: Batch) -> float:
    """What a sample's loss takes, by a few of them."""
    few = {key: value[:_TIMED] for key, value in batch.items()}
    loss_of(task, [few])
    began = time.perf_counter()
    loss_of(task, [few])
    return (time.perf_counter() - began) / len(few["index"])


@contextmanager
def channels_last(subject: Subject) -> Iterator[None]:
    """The weights of a net on the processor with their channels last, saving a sixth of the time; then as before."""
    from cnnexp.builders.memory_format import in_order

    net, before = subject.task.net, bool(subject.config["hardware"]["channels_last"])
    in_order(net, before or subject.task.device.type == "cpu")
    try:
        yield
    finally:
        in_order(net, before)

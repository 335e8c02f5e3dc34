"""Which of a run's metrics is its score, and whether more of it is better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cnnexp.runs.read import UNREADABLE

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

_LOWER_IS_BETTER = frozenset(
    {"loss", "mse", "rmse", "mae", "error", "distance", "perplexity", "negative", "kl", "bernoulli", "frechet"}
    | {"discriminator", "generator", "sparsity", "false"}
)
# For a run whose configuration names no monitored metric; the first one that is there counts.
_USUAL_SCORES = ("accuracy", "miou", "map_50", "map", "psnr", "dice", "r2", "mse", "frechet", "loss")
_STAGES = ("test", "val", "train")


def higher_is_better(metric: str) -> bool:
    """Whether more is better, by the metric's last word: not for a loss, an error or a duration."""
    words = metric.rsplit("/", 1)[-1].split("_")
    return not _LOWER_IS_BETTER.intersection(words)


def main_metric(names: Iterable[str], monitor: str | None = None) -> str | None:
    """The metric that a run is judged by, of those it has.

    It is what the task monitors, measured on the test set; then any usual score of the test set; then the same of
    the validation set and of the training.

    Args:
        names: the metrics that there are, such as ``test/accuracy``.
        monitor: the metric that the task follows, such as ``val/miou``.
    """
    available = list(names)
    wanted = ([monitor.rsplit("/", 1)[-1]] if monitor else []) + list(_USUAL_SCORES)
    for stage in _STAGES:
        of_stage = [name for name in available if name.startswith(f"{stage}/")]
        for name in [f"{stage}/{last}" for last in wanted] + of_stage:
            if name in of_stage:
                return name
    return available[0] if available else None


def monitored(record: Record) -> str | None:
    """The metric that the run's task follows, where its configuration says so."""
    task = record.config.get("task")
    monitor = task.get("monitor") if isinstance(task, Mapping) else None
    return monitor if isinstance(monitor, str) else None


def known_metrics(record: Record) -> dict[str, float]:
    """The run's final metrics, or, while it has none, the latest value of each that it wrote down."""
    final = record.metrics
    if final or record.status in UNREADABLE:
        return final
    latest: dict[str, float] = {}
    for row in record.curves():
        latest.update({name: value for name, value in row.items() if "/" in name and value is not None})
    return latest


def score_of(record: Record, metrics: Mapping[str, float]) -> tuple[str, float] | None:
    """The name and value of the metric, of those given, that the run is judged by, or nothing where there is none."""
    name = main_metric(metrics, monitored(record))
    return None if name is None else (name, metrics[name])

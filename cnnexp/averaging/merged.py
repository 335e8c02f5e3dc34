"""What merging the boxes of several views gains and what it costs, as plain values."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from cnnexp.averaging.answering import Asking, asking
from cnnexp.averaging.panel import Panel, Watch, unwatched
from cnnexp.averaging.views import View
from cnnexp.data.base import SplitName

METHOD = "weighted boxes fusion"


def compare_merged(
    panel: Panel, name: str, views: Sequence[View], split: SplitName, watch: Watch = unwatched
) -> dict[str, Any]:
    """The panel's only member on a split, as it is and with the boxes of views merged; as ``compare_views`` has it.

    Average precision is no sum over pictures, so the gain has no interval.

    Args:
        name: of the set of views. watch: told how far it is.
    """
    (member,) = panel.members
    precision = member.config["hardware"]["precision"]
    both = [_Scored(member.task, asking(member.task, kind, member.device, precision), split) for kind in ((), views)]
    for (batch,) in panel.batches(split, watch):
        for one in both:
            one.add(batch)
    single, merged = both
    before, after = single.metrics(), merged.metrics()
    metric = f"{split}/{member.config['task']['monitor'].rsplit('/', 1)[-1]}"
    milliseconds = [round(1000 * one.seconds / one.samples, 4) for one in both]
    averages = {
        "name": name,
        "views": [view.name for view in views],
        "method": METHOD,
        "metrics": after,
        "gain": {"metric": metric, "value": after[metric] - before[metric]},
        "ms_per_picture": dict(zip(("as_it_is", "averaged"), milliseconds, strict=True)),
        "cost_in_time": round(merged.seconds / single.seconds, 2),
    }
    return {"metrics": before, "tta": averages}


class _Scored:
    """Counts what one way of asking says, with the metrics of the task."""

    def __init__(self, task: Any, ask: Asking, split: SplitName) -> None:
        self._task, self._ask, self._split = task, ask, split
        self._metrics = task.build_metrics(split)
        self.seconds, self.samples = 0.0, 0

    @torch.inference_mode()
    def add(self, batch: dict[str, torch.Tensor]) -> None:
        if self.samples == 0:
            self._ask(batch)  # a first pass reserves memory and chooses kernels, which are no part of the cost
        began = time.perf_counter()
        answers = self._ask(batch)
        self.seconds += time.perf_counter() - began
        self.samples += len(answers)
        self._task.update_metrics(self._metrics, self._task.judge(answers, self._prepared(batch), self._split))

    def _prepared(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        on_device = {name: value.to(self._task.device) for name, value in batch.items()}
        return dict(self._task.prepare(on_device, train=False))

    def metrics(self) -> dict[str, float]:
        values = self._task.read_metrics(self._metrics, self._split).values
        return {f"{self._split}/{name}": float(value) for name, value in values.items()}

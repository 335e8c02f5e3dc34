"""Training samples as they are stored, beside what the net gets of them in one epoch after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cnnexp.answers.base import Batch
from cnnexp.builders.build import Experiment
from cnnexp.inputs.base import Picture
from cnnexp.visualize.rows import Cell


def draw_rows(experiment: Experiment, samples: int, draws: int) -> list[list[Cell]]:
    """A row for each of some samples that lie evenly over the training split: the original, then each epoch's draw.

    They go through the task's own preparation, with the run's seed and the samples' own indices, so each is what the
    run's net is given in that epoch. Only a partner that is mixed in is another one, as batches are shuffled.

    Args:
        samples: of the split, fewer where it has fewer. draws: epochs, from the first.
    """
    task, batch = experiment.task, _batch(experiment, samples)
    columns = [_cells(experiment, experiment.facts.input.pictures(batch), batch)]
    for epoch in range(draws):
        own = {name: value.clone() for name, value in batch.items()}
        prepared = task.prepare(own, train=True, epoch=epoch)
        # what a class is called stands beside the original; here only what is mixed
        columns.append(_cells(experiment, task.preparation.drawn(prepared), prepared, captions="mix" in prepared))
    return [list(row) for row in zip(*columns, strict=True)]


def told_rows(experiment: Experiment, samples: int) -> list[str]:
    """The same samples in words as the net is given them, where their kind of input has some."""
    task = experiment.task
    return task.preparation.lines(task.prepare(_batch(experiment, samples), train=True, epoch=0))


def _batch(experiment: Experiment, samples: int) -> Batch:
    positions = experiment.data.train_positions()
    places = np.linspace(0, len(positions) - 1, min(samples, len(positions))).round().astype(np.int64)
    return experiment.data.split("train").batch(torch.from_numpy(positions[places]))


def _cells(experiment: Experiment, pictures: Sequence[Picture], batch: Batch, captions: bool = True) -> list[Cell]:
    cells = []
    for place, picture in enumerate(pictures):
        marks: dict[str, object] = {"caption": ""}
        for truth in experiment.facts.targets.values():
            if set(truth.keys) <= batch.keys():  # pictures for a task without a truth may have none
                marks |= truth.marks(batch, place)
        if not captions:
            marks["caption"] = ""
        cells.append(Cell(picture, **marks))  # type: ignore[arg-type]
    return cells

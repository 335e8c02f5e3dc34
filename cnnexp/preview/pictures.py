"""Training pictures as they are stored, beside what the net gets of them in one epoch after another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from cnnexp.builders.build import Experiment
from cnnexp.tasks.base import Batch, Task, as_pictures
from cnnexp.visualize.rows import Cell


def draw_rows(experiment: Experiment, samples: int, draws: int) -> list[list[Cell]]:
    """A row for each of some samples that lie evenly over the training split: the original, then each epoch's draw.

    They go through the task's own preparation, with the run's seed and the samples' own indices, so each is what the
    run's net is given in that epoch. Only a partner that is mixed in is another one, as batches are shuffled.

    Args:
        samples: pictures, fewer where the split has fewer. draws: epochs, from the first.
    """
    positions = experiment.data.train_positions()
    places = np.linspace(0, len(positions) - 1, min(samples, len(positions))).round().astype(np.int64)
    batch = experiment.data.split("train").batch(torch.from_numpy(positions[places]))
    names = experiment.facts.classes
    columns = [_cells(as_pictures(batch["image"]), batch, [_label(batch, i, names) for i in range(len(places))])]
    for epoch in range(draws):
        own = {name: value.clone() for name, value in batch.items()}
        prepared = experiment.task.prepare(own, train=True, epoch=epoch)
        captions = [_mixture(prepared, i, names) for i in range(len(places))]
        columns.append(_cells(seen(experiment.task, prepared["image"]), prepared, captions))
    return [list(row) for row in zip(*columns, strict=True)]


def seen(task: Task, image: Tensor) -> list[np.ndarray]:
    """Prepared pictures (B, C, H, W) without their normalisation, uint8 (H, W, C)."""
    facts = task.parts.facts
    mean, std = (facts.mean, facts.std) if task.normalises else ((0.0,) * facts.channels, (1.0,) * facts.channels)
    values = image.double() * torch.tensor(std).view(1, -1, 1, 1) + torch.tensor(mean).view(1, -1, 1, 1)
    return as_pictures((255 * values).round().clamp(0, 255).to(torch.uint8))


def _cells(pictures: Sequence[np.ndarray], batch: Batch, captions: Sequence[str]) -> list[Cell]:
    def of(name: str, place: int) -> np.ndarray | None:
        return batch[name][place].cpu().numpy() if name in batch else None

    has_boxes = "boxes" in batch
    return [
        Cell(
            picture,
            caption,
            mask=of("mask", i),
            boxes=of("boxes", i),
            classes=of("classes", i) if has_boxes else None,
        )
        for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True))
    ]


def _label(batch: Batch, place: int, names: Sequence[str]) -> str:
    return names[int(batch["label"][place])] if "label" in batch else ""


def _mixture(batch: Batch, place: int, names: Sequence[str]) -> str:
    """Both classes with their shares where a picture is mixed of two; nothing where it is the original's class."""
    if "mix" not in batch:
        return ""
    own, other = (f"{share:.2f}" for share in (float(batch["mix"][place]), 1 - float(batch["mix"][place])))
    first, second = (names[int(batch[key][place])] for key in ("label", "mixed_label"))
    return "" if own == "1.00" else f"{own} {first} + {other} {second}"

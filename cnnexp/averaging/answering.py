"""What a net says of stored samples, as it is or over views, in the form of its task's answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

from cnnexp.answers.base import Batch
from cnnexp.averaging.merging import fused
from cnnexp.averaging.outlines import joined_masks
from cnnexp.averaging.views import View, crop_window
from cnnexp.averaging.voter import Voter
from cnnexp.errors import InputError
from cnnexp.tasks.base import Task

Asking: TypeAlias = Callable[[Batch], list[Any]]
"""A batch as a split gives it → an answer for each sample."""


def asking(task: Task, views: Sequence[View], device: torch.device, precision: str) -> Asking:
    """How a task is asked over views: boxes are merged, probabilities of classes averaged.

    Args:
        views: none is the sample as it is. device: to compute on. precision: of the hardware group.

    Raises:
        InputError: the task's answers are neither.
    """
    task = task.to(device).eval()
    if not views:
        return lambda batch: _as_it_is(task, {name: value.to(device) for name, value in batch.items()})
    if task.answer.merges:
        return MergedBoxes(task, views, device)
    if task.judged_by is None:
        raise InputError(
            "tta: views are averaged of probabilities of classes, and merged of boxes; this net answers something else"
        )
    voter = Voter(task, views, device, precision)
    return lambda batch: task.answer.of_probabilities(voter(batch).float().cpu().numpy())


@torch.inference_mode()
def _as_it_is(task: Task, batch: Batch) -> list[Any]:
    return task.predict(task.prepare(batch, train=False))


class MergedBoxes:
    """Boxes of several views, each moved back into the picture and made one by weighted boxes fusion, and the outlines
    in them by the votes of those boxes.

    Args:
        task: in evaluation mode, of an answer that ``merges``. views: one at least. device: where the task is.
    """

    def __init__(self, task: Task, views: Sequence[View], device: torch.device) -> None:
        self.task = task
        self.views = tuple(views)
        self.device = device

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> list[dict[str, np.ndarray]]:
        """For each sample boxes as parts of what the net takes of it, scores, labels, and masks where it has some."""
        batch = {name: value.to(self.device) for name, value in batch.items()}
        given = self.task.facts.input
        (image,) = given.arguments(batch)
        size, whole = (given.shape[-2], given.shape[-1]), (image.shape[-2], image.shape[-1])
        said = []
        for view in self.views:
            # floats of its own for each view: a normalisation may work in place
            seen = given.replaced(batch, view.see(image.to(torch.float32, copy=True), size))
            said.append(self.task.predict(self.task.prepare(seen, train=False)))
        places = [view.place(whole, size) for view in self.views]
        top, left = crop_window(whole, size, "centre")
        corner, sides = np.array([left, top] * 2), np.array([size[1], size[0]] * 2)
        answers = []
        for of_views in zip(*said, strict=True):
            one = fused(list(zip(of_views, places, strict=True)))
            boxes = np.clip((one["boxes"] - corner) / sides, 0, 1)
            there = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
            answer = {"boxes": boxes, "scores": one["scores"], "labels": one["labels"]}
            if "masks" in of_views[0]:
                drawn = [
                    (view, found["masks"], found["scores"]) for view, found in zip(self.views, of_views, strict=True)
                ]
                answer["masks"] = joined_masks(drawn, one["joined"], len(boxes), whole, size)
                there &= answer["masks"].any((1, 2))
            answers.append({name: column[there] for name, column in answer.items()})
        return answers

"""A run's classifier as the judge of pictures that another run's net makes up."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.builders.revive import checked_config, revive
from cnnexp.errors import InputError
from cnnexp.inputs.pictures import Pictures
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

log = logging.getLogger(__name__)

JUDGED_TASK = "classification"
MOST_FEATURES = 2048
"""An Inception net's; the covariances of twice as many take four times the memory."""


def open_judge(text: str, outputs: Path) -> RunJudge | None:
    """The classifier of a run, with the best weights; None where the run is gone, so that another can go on without.

    Raises:
        InputError: it is no classifier of pictures, or has no dense last layer.
    """
    try:
        record = open_run(text, outputs)
    except InputError as error:
        log.warning(f"task.judge=run:{text}: nobody judges what is made up: {error}")
        return None
    return RunJudge(record)


class RunJudge:
    """A run's net in evaluation mode. What it sees of a picture is what its last dense layer does."""

    def __init__(self, record: Record) -> None:
        config = checked_config(record)
        if config["task"]["name"] != JUDGED_TASK:
            raise InputError(
                f"task.judge: {record.id} is a run of task={config['task']['name']}; a judge is a classifier: "
                "task.judge=lenet5 trains one"
            )
        self.task = revive(record, config)
        layers = [layer for layer in self.task.net.modules() if isinstance(layer, nn.Linear)]
        given, names = self.task.facts.input, self.task.answer.names
        if not isinstance(given, Pictures) or not layers or layers[-1].out_features != len(names):
            raise InputError(
                f"task.judge: the net of {record.id} ends in no dense layer whose inputs could be compared; "
                "task.judge=lenet5 trains one"
            )
        if layers[-1].in_features > MOST_FEATURES:
            raise InputError(
                f"task.judge: the last layer of {record.id} has {layers[-1].in_features:,} inputs, too many to take "
                f"covariances of; take a net with {MOST_FEATURES:,} at most, such as lenet5"
            )
        self.given, self.names, self.width = given, names, layers[-1].in_features
        self._seen: list[Tensor] = []
        layers[-1].register_forward_pre_hook(lambda _, inputs: self._seen.append(inputs[0]))

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, D) and classes int64 (B,) of pictures (B, C, H, W) in [0, 1], resampled to the net's size."""
        task = self.task.to(pictures.device)
        size = (self.given.image_size[0], self.given.image_size[1])
        seen = pictures.float()
        if tuple(seen.shape[-2:]) != size:
            seen = functional.interpolate(seen, size=size, mode="bilinear", antialias=True, align_corners=False)
        self._seen.clear()
        logits = task.outputs(task.prepare(self.given.stored_as(255 * seen), train=False))
        return self._seen.pop().flatten(1), logits.argmax(1)

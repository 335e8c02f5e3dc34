"""Validation and test outside of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl

from cnnexp.builders.trainer import trainer_arguments
from cnnexp.data.loading import Data
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.module import TaskModule

PARTIAL_BATCHES = 4
"""Batches, at most, of a validation or test that is only for trying."""


def evaluate(
    module: TaskModule,
    data: Data,
    config: Mapping[str, Any],
    stages: Sequence[str],
    batches: int | None = None,
    callbacks: Sequence[pl.Callback] = (),
    launched: str | None = None,
) -> dict[str, float]:
    """Run the net over splits as it is; the metrics are in the module's ``results``, and returned.

    Args:
        stages: of val and test. batches: only so many of each in every process; None for all.

    Raises:
        InputError: a split has a truth that the task is not about.
    """
    module.task.see(data)
    limit = 1.0 if batches is None else batches
    trainer = pl.Trainer(
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=limit,
        limit_test_batches=limit,
        use_distributed_sampler=False,
        **trainer_arguments(config["hardware"], launched),
    )
    for stage in stages:
        module.task.answer.refuse(data.split("val" if stage == "val" else "test"), data.facts.name)
        function = trainer.validate if stage == "val" else trainer.test
        function(module, datamodule=DataModule(data), verbose=False)
    return module.results

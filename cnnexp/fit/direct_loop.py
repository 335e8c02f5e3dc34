"""Lightning's loop over the batches of an epoch, less what a run of cnnexp has no use for.

A step of Lightning's own loop walks through profilers, result collections, schedulers and accumulation, none of which
is used here: the task makes its steps, sets its rates and counts its metrics itself. On a small net that walk takes
longer than the net. The hooks that are used are called in the same order, and the progress that goes into checkpoints
is counted in the same way, so a run may go on in either loop and comes to the same weights, to the bit.

It rests on classes that Lightning keeps to itself, so it is imported by ``loop.py`` alone, where they are known.
"""

from __future__ import annotations

from pytorch_lightning.loops.fetchers import _DataFetcher
from pytorch_lightning.loops.training_epoch_loop import _TrainingEpochLoop

from cnnexp.fit.module import TaskModule


class DirectLoop(_TrainingEpochLoop):
    """Batches straight from the fetcher to the task, for one process on one device."""

    def advance(self, data_fetcher: _DataFetcher) -> None:
        """One batch; after a restart Lightning's own loop finds out where it is."""
        if self.restarting:
            super().advance(data_fetcher)
            return
        batch, _, _ = next(data_fetcher)
        batch_idx = self.batch_idx + 1
        trainer, progress = self.trainer, self.batch_progress
        task = trainer.lightning_module
        assert isinstance(task, TaskModule)
        progress.is_last_batch = data_fetcher.done
        if task.device.type != "cpu":
            batch = trainer.strategy.batch_to_device(batch)
        progress.increment_ready()
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            callback.on_train_batch_start(trainer, task, batch, batch_idx)
        task.on_train_batch_start(batch, batch_idx)
        progress.increment_started()
        with trainer.precision_plugin.train_step_context():
            task.training_step(batch, batch_idx)
        progress.increment_processed()
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            callback.on_train_batch_end(trainer, task, None, batch, batch_idx)
        progress.increment_completed()

    def on_advance_end(self, data_fetcher: _DataFetcher) -> None:
        """Validation after the last batch; between two others there is nothing to do."""
        if self.batch_progress.is_last_batch or self.trainer.should_stop:
            super().on_advance_end(data_fetcher)
        else:
            self._batches_that_stepped += 1

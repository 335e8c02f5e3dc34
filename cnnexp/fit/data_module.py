"""A run's data as Lightning wants it."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from cnnexp.data.loading import Data, Loader


class DataModule(pl.LightningDataModule):
    """The loaders of a data set, each for this process's place among all."""

    def __init__(self, data: Data) -> None:
        super().__init__()
        self.allow_zero_length_dataloader_with_multiple_devices = True
        self.data = data

    def train_dataloader(self) -> Loader:
        return self.data.train_loader(*self._place())

    def val_dataloader(self) -> Loader:
        return self.data.evaluation_loader("val", *self._place())

    def test_dataloader(self) -> Loader:
        return self.data.evaluation_loader("test", *self._place())

    def _place(self) -> tuple[int, int]:
        trainer: Any = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 1)

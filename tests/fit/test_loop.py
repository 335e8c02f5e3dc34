"""The direct loop against Lightning's own: the same hooks, the same weights, the same checkpoints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from cnnexp.fit.data_module import DataModule
from cnnexp.fit.direct_loop import DirectLoop
from cnnexp.fit.loop import go_directly
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.classification import Classification
from tests.augmentation.made import engine
from tests.tasks import tiny


def module() -> TaskModule:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Dropout(0.3), nn.ReLU(), nn.Linear(16, 3))
    return tiny.module(Classification, net, augmentation=engine(), epochs=3)


class Watching(pl.Callback):
    """Notes what it is told, and may save in the middle of an epoch."""

    def __init__(self, save: tuple[int, Path] | None = None) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.save = save

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.told.append(("start", trainer.current_epoch, batch_idx, batch["index"].tolist()))

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.told.append(("end", trainer.current_epoch, batch_idx, pl_module.batch_loss.item()))
        if self.save and len([one for one in self.told if one[0] == "end"]) == self.save[0]:
            trainer.save_checkpoint(self.save[1])

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.told.append(("validated", trainer.current_epoch))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.told.append(("epoch", trainer.current_epoch, dict(pl_module.results)))


def fitted(direct: bool, checkpoint: Path | None = None, save: tuple[int, Path] | None = None) -> tuple[Any, Watching]:
    made, data, watching = module(), tiny.picture_data(), Watching(save)
    made.steps_per_epoch = data.steps_per_epoch()
    trainer = tiny.trainer([watching], epochs=3)
    if direct:
        go_directly(trainer, pytest.fail)
        assert isinstance(trainer.fit_loop.epoch_loop, DirectLoop)
    trainer.fit(made, datamodule=DataModule(data), ckpt_path=checkpoint, weights_only=True)
    return made.net, watching


def test_both_loops_tell_the_same_and_come_to_the_same_weights() -> None:
    (lightnings, told), (ours, direct) = fitted(False), fitted(True)
    assert direct.told == told.told
    assert len([one for one in direct.told if one[0] == "end"]) == 9
    for one, other in zip(ours.parameters(), lightnings.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("step", [1, 2, 4, 8])
@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True)])
def test_a_run_goes_on_in_either_loop(tmp_path: Path, step: int, first: bool, second: bool) -> None:
    path = tmp_path / "middle.ckpt"
    whole, told = fitted(first, save=(step, path))
    resumed, told_later = fitted(second, checkpoint=path)
    batches = [one for one in told.told if one[0] == "end"]
    assert [one for one in told_later.told if one[0] == "end"] == batches[step:]
    for one, other in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(one, other)


def test_several_processes_stay_in_lightnings_loop() -> None:
    trainer = tiny.trainer()
    loop = trainer.fit_loop.epoch_loop
    trainer.strategy.world_size = 2  # type: ignore[attr-defined]
    assert trainer.world_size == 2
    go_directly(trainer, pytest.fail)
    assert trainer.fit_loop.epoch_loop is loop


@pytest.mark.parametrize("version", ["2.5.6", "2.7.0", "2.60.0", "3.0.0"])
def test_an_unknown_lightning_keeps_its_own_loop(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(pl, "__version__", version)
    assert said_in_lightnings_loop() == [
        f"Lightning {version}: its own loop is used, hardware.loop=direct was tried with 2.6"
    ]


def test_a_lightning_without_the_private_classes_keeps_its_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does cnnexp's own module ask for them before they are wanted."""
    monkeypatch.delitem(sys.modules, "cnnexp.fit.direct_loop")
    monkeypatch.delattr("pytorch_lightning.loops.training_epoch_loop._TrainingEpochLoop")
    monkeypatch.delitem(sys.modules, "cnnexp.fit.loop")
    (line,) = said_in_lightnings_loop()
    assert "its own loop is used, hardware.loop=direct does not find its parts: cannot import name" in line


def said_in_lightnings_loop() -> list[str]:
    """What is said of a run for which the direct loop was asked, after an epoch of it in Lightning's own."""
    from cnnexp.fit.loop import go_directly

    said: list[str] = []
    trainer = tiny.trainer(epochs=1)
    loop, data, made = trainer.fit_loop.epoch_loop, tiny.picture_data(), module()
    go_directly(trainer, said.append)
    assert trainer.fit_loop.epoch_loop is loop
    made.steps_per_epoch = data.steps_per_epoch()
    trainer.fit(made, datamodule=DataModule(data))
    assert trainer.fit_loop.epoch_loop.batch_progress.total.completed == made.steps_per_epoch > 0
    return said

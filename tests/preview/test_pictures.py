"""What is shown of a training is what goes into its net."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from cnnexp.augmentation.engine import Augmentation
from cnnexp.builders.build import Experiment
from cnnexp.preview.pictures import draw_rows
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.detection import Detection
from tests.augmentation.made import engine
from tests.tasks import tiny


def experiment(augmentation: Augmentation | None = None) -> Experiment:
    task = tiny.task(Classification, nn.Identity(), augmentation=augmentation or engine())
    return Experiment(tiny.picture_data(), task)


def test_without_augmentation_every_draw_is_the_original() -> None:
    rows = draw_rows(experiment(), samples=5, draws=3)
    assert [len(row) for row in rows] == [4] * 5
    for original, *draws in rows:
        for one in draws:
            assert np.array_equal(one.picture, original.picture)
            assert one.mask is not None and np.array_equal(one.mask, original.mask)
            assert one.boxes is not None and np.allclose(one.boxes, original.boxes)


def test_the_samples_lie_evenly_over_the_training_pictures() -> None:
    parts = experiment()
    rows = draw_rows(parts, samples=3, draws=1)
    batch = parts.data.split("train").batch([0, 12, 23])
    expected = batch["image"].permute(0, 2, 3, 1).numpy()
    assert all(np.array_equal(row[0].picture, one) for row, one in zip(rows, expected, strict=True))
    assert [row[0].caption for row in rows] == [tiny.CLASSES[int(label)] for label in batch["label"]]
    assert len(draw_rows(parts, samples=99, draws=1)) == 24


def test_each_column_is_the_draw_of_its_epoch() -> None:
    """The net of a run under way is given exactly these pictures, in the epoch that the column names."""
    parts = experiment(engine(crop={"padding": 2}, mirror={"horizontal": 0.5}))
    rows = draw_rows(parts, samples=24, draws=3)
    batch = parts.data.split("train").batch(range(24))
    for epoch in range(3):
        prepared = parts.task.prepare(dict(batch), train=True, epoch=epoch)["image"]
        expected = (255 * (prepared * 0.2 + 0.4)).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        assert all(np.array_equal(row[epoch + 1].picture, one) for row, one in zip(rows, expected, strict=True))
    assert not np.array_equal(rows[0][1].picture, rows[0][2].picture) or not np.array_equal(
        rows[1][1].picture, rows[1][2].picture
    )


class Given(pl.Callback):
    """The training batches of each epoch of a run under way, and what its net was given of them."""

    def __init__(self, net: nn.Module) -> None:
        self.epochs: list[int] = []
        self.batches: list[dict[str, Tensor]] = []
        self.inputs: list[Tensor] = []
        net.register_forward_pre_hook(self._see)

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: dict[str, Tensor], place: int) -> None:
        self.epochs.append(trainer.current_epoch)
        self.batches.append({name: value.clone() for name, value in batch.items()})

    def _see(self, net: nn.Module, given: tuple[Tensor, ...]) -> None:
        if net.training:
            self.inputs.append(given[0].clone())


def test_an_epoch_that_is_named_is_that_of_a_run_in_it() -> None:
    augmentation = engine(crop={"padding": 2}, mirror={"horizontal": 0.5})
    module = tiny.module(Classification, tiny.linear_net(), augmentation=augmentation)
    given = Given(module.net)
    tiny.fit(module, callbacks=[given], epochs=3)
    assert given.epochs == [0, 0, 0, 1, 1, 1, 2, 2, 2] and len(given.inputs) == 9
    for epoch, batch, image in zip(given.epochs, given.batches, given.inputs, strict=True):
        assert torch.equal(module.task.prepare(dict(batch), train=True, epoch=epoch)["image"], image)
        assert not torch.equal(module.task.prepare(dict(batch), train=True, epoch=epoch + 1)["image"], image)


def test_pictures_that_are_not_centred_are_shown_as_they_are() -> None:
    task = tiny.task(Detection, tiny.grid_net(), facts=tiny.facts(mean=(0.1,), std=(0.7,)))
    batch = tiny.batch(4)
    expected = batch["image"].permute(0, 2, 3, 1).numpy()
    shown = task.preparation.shown(task.prepare(batch, False))
    assert all(np.array_equal(a, b) for a, b in zip(shown, expected, strict=True))


def test_a_mixed_picture_names_both_classes() -> None:
    parts = experiment(engine(mixup={"alpha": 0.8}))
    rows = draw_rows(parts, samples=24, draws=1)
    batch = parts.task.prepare(parts.data.split("train").batch(range(24)), train=True, epoch=0)
    names = [[tiny.CLASSES[int(label)] for label in batch[key]] for key in ("label", "mixed_label")]
    expected = [f"{own:.2f} {a} + {1 - own:.2f} {b}" for own, a, b in zip(batch["mix"].tolist(), *names, strict=True)]
    assert [row[1].caption for row in rows] == [text if text[:4] != "1.00" else "" for text in expected]
    assert sum("+" in row[1].caption for row in rows) > 12
    assert all(row[0].caption == name for row, name in zip(rows, names[0], strict=True))

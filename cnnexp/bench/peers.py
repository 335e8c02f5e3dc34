"""What others train with: the same net, data, augmentation, batch, precision and optimizer, in their usual ways."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

import pytorch_lightning as pl
import timm.data
import torch
import torchmetrics
from pytorch_lightning.loggers import CSVLogger
from torch import Tensor, nn
from torch.nn import functional
from torchvision import transforms

from cnnexp.bench.cells import Cell, Rate
from cnnexp.bench.ours import pictures_of, words_of
from cnnexp.bench.pictures import FLIPPED, SHIFT_PX, PILPictures, loader_of
from cnnexp.bench.timing import EpochClock, Training, optimizer_of
from cnnexp.builders.build import Experiment, build
from cnnexp.builders.hardware import keep_freed_memory, resolve_hardware
from cnnexp.builders.trainer import PRECISION
from cnnexp.config.compose import compose_run


def plain(cell: Cell) -> Rate:
    """A loop as in PyTorch's examples: torchvision's transforms, a DataLoader, the loss and accuracy counted."""
    experiment, config = _parts(cell)
    return _epochs(loader_of(experiment, config, cell), Training(experiment.task.net, config), cell)


def timm_loader(cell: Cell) -> Rate:
    """The same loop around timm's loader; on a GPU with its prefetcher, which normalises there."""
    experiment, config = _parts(cell)
    training = Training(experiment.task.net, config)
    return _epochs(_timm_batches(experiment, config, cell, training.device), training, cell)


def lightning(cell: Cell) -> Rate:
    """Lightning's Trainer and torchmetrics as their documentation shows them, with the loaders of the plain loop."""
    experiment, config = _parts(cell)
    clock = EpochClock(cell.seconds, torch.device("cuda" if cell.device == "gpu" else "cpu"))
    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            max_epochs=-1,
            accelerator=cell.device,
            devices=1,
            precision=PRECISION[config["hardware"]["precision"]],
            default_root_dir=folder,
            logger=CSVLogger(folder),
            callbacks=[_Timed(clock, config["batch_size"])],
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(StockModule(experiment.task.net, config), loader_of(experiment, config, cell))
    return clock.rate()


def load(cell: Cell) -> Rate:
    """The batches of the plain loop's loader, and nothing done with them."""
    experiment, config = _parts(cell)
    loader = loader_of(experiment, config, cell)
    clock = EpochClock(cell.seconds, torch.device("cpu"))
    while not clock.done:
        clock.start()
        images = sum(len(label) for _, label in loader)
        clock.stop(len(loader), images)
    return clock.rate()


class StockModule(pl.LightningModule):
    """A classifier as Lightning's and torchmetrics' pages write it.

    Args:
        net: gives logits (B, K). config: names the optimizer, the memory format and the classes.
    """

    def __init__(self, net: nn.Module, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.net = net
        self.config = config
        self.train_accuracy = torchmetrics.Accuracy(task="multiclass", num_classes=len(config["data"]["classes"]))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        image, label = batch
        if self.config["hardware"]["channels_last"]:
            image = image.contiguous(memory_format=torch.channels_last)
        logits = self.net(image)
        loss = functional.cross_entropy(logits, label)
        self.train_accuracy(logits, label)
        self.log("train_loss", loss)
        self.log("train_accuracy", self.train_accuracy, on_step=True, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return optimizer_of(self.config, self.net)


class _Timed(pl.Callback):
    """The clock around Lightning's epochs; ends the fit when enough was measured."""

    def __init__(self, clock: EpochClock, batch_size: int) -> None:
        self._clock, self._batch_size = clock, batch_size

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._clock.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        steps = int(trainer.num_training_batches)
        if batch_idx + 1 == steps:
            self._clock.stop(steps, steps * self._batch_size)
            trainer.should_stop = self._clock.done


def _parts(cell: Cell) -> tuple[Experiment, dict[str, Any]]:
    """The same net and pictures as cnnexp has, in a process that keeps torch's own settings but for the threads."""
    config = resolve_hardware(compose_run(words_of(cell)))
    torch.set_num_threads(cell.threads)
    keep_freed_memory()
    return build(config), config


def _epochs(loader: Iterable[tuple[Tensor, Tensor]], training: Training, cell: Cell) -> Rate:
    clock = EpochClock(cell.seconds, training.device)
    while not clock.done:
        clock.start()
        steps = images = 0
        loss_sum = torch.zeros((), device=training.device)
        correct = torch.zeros((), dtype=torch.int64, device=training.device)
        for image, label in loader:
            label = label.to(training.device, non_blocking=True)
            loss, logits = training.step(training.picture(image), label)
            loss_sum += loss
            correct += (logits.argmax(1) == label).sum()
            steps += 1
            images += len(label)
        clock.stop(steps, images)
    return clock.rate()


def _timm_batches(
    experiment: Experiment, config: Mapping[str, Any], cell: Cell, device: torch.device
) -> Iterable[tuple[Tensor, Tensor]]:
    given = pictures_of(experiment)
    mean, std = given.normalised_by
    pictures: Any = PILPictures(experiment, None)
    no_colour: Any = None
    loader: Any = timm.data.create_loader(
        pictures,
        input_size=(given.channels, given.image_size[0], given.image_size[1]),
        batch_size=config["batch_size"],
        is_training=True,
        hflip=FLIPPED.get(cell.transform, 0.0),
        color_jitter=no_colour,
        interpolation="bilinear",
        mean=mean,
        std=std,
        num_workers=cell.workers,
        persistent_workers=cell.workers > 0,
        pin_memory=device.type == "cuda",
        use_prefetcher=device.type == "cuda",
        device=device,
    )
    # For small pictures scripts built on timm put a padded crop in the place of its random resized one.
    crop = transforms.RandomCrop(tuple(given.image_size), padding=SHIFT_PX.get(cell.transform, 0))
    loader.dataset.transform.transforms[0] = crop
    return loader

"""Tiny tasks, data and trainers, for the tests of what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor, nn

from cnnexp.data.base import DataSet, Facts, Split, SplitName, TensorSplit
from cnnexp.data.module import PictureData
from cnnexp.models.yolo import YOLO
from cnnexp.tasks.base import Parts, Task
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization
from cnnexp.training.schedules import Constant
from tests.augmentation.made import engine

TaskT = TypeVar("TaskT", bound=Task)
SIDE = 8
CLASSES = ("ant", "bee", "cat")
MASK_CLASSES = ("background", "leaf", "stem")
HARDWARE: Mapping[str, Any] = {
    "accelerator": "cpu",
    "devices": 1,
    "nodes": 1,
    "strategy": "auto",
    "precision": "fp32",
    "threads": 1,
}


def facts(**changes: Any) -> Facts:
    """Of pictures 1×8×8 with three classes, of boxes and of masks."""
    given: dict[str, Any] = dict(name="tiny", channels=1, height=SIDE, width=SIDE, classes=CLASSES, mean=(0.4,))
    given |= dict(targets=("label", "mask", "boxes"), std=(0.2,), mask_classes=MASK_CLASSES)
    return Facts(**(given | changes))


def parts(net: nn.Module, **changes: Any) -> Parts:
    """Plain SGD without schedule, penalty or augmentation."""
    given: dict[str, Any] = dict(
        net=net,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        schedule=Constant(),
        regularization=Regularization(Penalty(0.0, 0.0)),
        augmentation=engine(),
        facts=facts(),
        seed=0,
        epochs=2,
        monitor=None,
        mode="max",
    )
    return Parts(**(given | changes))


def linear_net(classes: int = len(CLASSES), channels: int = 1) -> nn.Module:
    """Logits (B, K)."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * SIDE * SIDE, classes))


def pixel_net(classes: int = len(MASK_CLASSES)) -> nn.Module:
    """Logits (B, K, H, W)."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, classes, 1))


class ShallowAutoencoder(nn.Module):
    """Reconstructions in [0, 1] through a bottleneck of 4 numbers."""

    bottleneck = 4

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(SIDE**2, self.bottleneck), nn.Linear(self.bottleneck, SIDE**2)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).sigmoid().view_as(x)


def grid_net() -> YOLO:
    """A detector with two by two cells."""
    torch.manual_seed(0)
    return YOLO(
        in_channels=1,
        num_classes=len(CLASSES),
        width=4,
        depth=1,
        stride=4,
        radius=1.0,
        confidence_threshold=0.0,
        nms_iou=0.5,
        max_detections=20,
    )


def samples(count: int, seed: int = 0, void: float = 0.2) -> dict[str, Tensor]:
    """Random pictures with a label, a mask with some void, and up to two boxes each."""
    generator = torch.Generator().manual_seed(seed)

    def whole(high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=generator)

    mask = whole(3, count, SIDE, SIDE)
    mask[torch.rand(count, SIDE, SIDE, generator=generator) < void] = 255
    corner = whole(4, count, 2, 2).float()
    return {
        "image": whole(256, count, 1, SIDE, SIDE).to(torch.uint8),
        "label": whole(len(CLASSES), count),
        "mask": mask.to(torch.uint8),
        "boxes": torch.cat([corner, corner + 2 + whole(3, count, 2, 2)], -1),
        "classes": whole(len(CLASSES) + 1, count, 2) - 1,
    }


def batch(count: int, seed: int = 0, void: float = 0.2) -> dict[str, Tensor]:
    """The same as one batch."""
    return {**samples(count, seed, void), "index": torch.arange(count)}


def part_of(whole: Mapping[str, Tensor], start: int, end: int) -> dict[str, Tensor]:
    return {name: value[start:end] for name, value in whole.items()}


class Given(DataSet):
    """A data set of splits that are there already."""

    targets = ("label", "mask", "boxes")

    def __init__(self, **splits: Split) -> None:
        self.splits = splits

    def load(self, split: SplitName) -> Split:
        return self.splits[split]


def picture_data(train: int = 24, val: int = 10, test: int = 11, **changes: Any) -> PictureData:
    """Random pictures, 8 to a batch."""
    sizes = {"train": train, "val": val, "test": test}
    splits = {name: TensorSplit(samples(size, seed)) for seed, (name, size) in enumerate(sizes.items())}
    given: dict[str, Any] = dict(dataset=Given(**splits), facts=facts(), batch_size=8, fraction=1.0, workers=0, seed=0)
    return PictureData(**(given | changes))


def trainer(callbacks: list[pl.Callback] | None = None, epochs: int = 2, **changes: Any) -> pl.Trainer:
    """A quiet one on the CPU."""
    given: dict[str, Any] = dict(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=any(isinstance(callback, Checkpoint) for callback in callbacks or ()),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    return pl.Trainer(**(given | changes))


def among(task: TaskT, processes: int) -> TaskT:
    """As one of so many processes of a run."""
    task.trainer = SimpleNamespace(  # type: ignore[assignment]
        world_size=processes,
        current_epoch=0,
        optimizers=[task.configure_optimizers()] if list(task.net.parameters()) else [],
        precision_plugin=None,
        model=None,
        strategy=None,
    )
    return task


def alone(task: TaskT) -> TaskT:
    """As the only process of a run."""
    return among(task, 1)

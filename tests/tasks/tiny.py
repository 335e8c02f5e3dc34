"""Tiny tasks, data and trainers, for the tests of what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor, nn

from cnnexp.answers.base import Answer
from cnnexp.answers.boxes import Boxes
from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.augmentation.engine import Augmentation
from cnnexp.data.base import DataSet, Split, SplitName, TensorSplit
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.module import TaskModule
from cnnexp.inputs.pictures import Pictures
from cnnexp.losses.bernoulli import Bernoulli
from cnnexp.losses.binary_cross_entropy import BinaryCrossEntropy
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.losses.pixel_cross_entropy import PixelCrossEntropy
from cnnexp.losses.squared_error import SquaredError
from cnnexp.losses.term import Loss
from cnnexp.models.yolo import YOLO
from cnnexp.tasks.autoencoder import Autoencoder
from cnnexp.tasks.base import Parts, Task
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.multi_label import MultiLabel
from cnnexp.tasks.segmentation import Segmentation
from cnnexp.tasks.vae import VariationalAutoencoder
from cnnexp.training.learner import Learner, Recipe
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization
from cnnexp.training.schedules import Constant

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


LOSSES: Mapping[type[Task], type[Loss]] = {
    Classification: CrossEntropy,
    MultiLabel: BinaryCrossEntropy,
    Segmentation: PixelCrossEntropy,
    Autoencoder: SquaredError,
    VariationalAutoencoder: Bernoulli,
}
TARGETS: Mapping[type[Task], str] = {Classification: "label", MultiLabel: "boxes", Segmentation: "mask"}


def facts(**changes: Any) -> Facts:
    """Of pictures 1×8×8 with three classes, of boxes and of masks; ``changes`` are of the pictures, or ``targets``."""
    targets: dict[str, Answer] = {"label": Label(CLASSES), "mask": Mask(MASK_CLASSES), "boxes": Boxes(CLASSES)}
    targets = changes.pop("targets", targets)
    given: dict[str, Any] = dict(channels=1, image_size=(SIDE, SIDE), mean=(0.4,), std=(0.2,))
    return Facts("tiny", Pictures(**(given | changes)), targets)


_USUAL_FACTS = facts


def parts(
    kind: type[Task],
    net: nn.Module,
    *,
    facts: Facts | None = None,
    augmentation: Augmentation | None = None,
    channels_last: bool = False,
    loss: Loss | None = None,
    target: str | None = None,
    judge: Callable[[], Any] | None = None,
) -> Parts:
    """What a task is made of, without augmentation and with its usual loss."""
    found = facts or _USUAL_FACTS()
    usual = LOSSES[kind]() if kind in LOSSES else None
    preparation = found.input.preparation(
        augmentation, list(found.targets.values()), seed=0, centred=kind.normalises, channels_last=channels_last
    )
    return Parts(net, found, preparation, target or TARGETS.get(kind), loss or usual, judge=judge)


def task(kind: type[TaskT], net: nn.Module, **changes: Any) -> TaskT:
    """A task; ``changes`` are those of ``parts``."""
    return kind(parts(kind, net, **changes))


def recipe(**changes: Any) -> Recipe:
    """Plain SGD without schedule or penalty; ``optimizer`` is the only one's."""
    optimizer = changes.pop("optimizer", partial(torch.optim.SGD, lr=0.1))
    given: dict[str, Any] = dict(
        optimizers={"": optimizer},
        schedule=Constant(),
        regularization=Regularization(Penalty(0.0, 0.0)),
        seed=0,
        epochs=2,
    )
    return Recipe(**(given | changes))


def module(kind: type[Task], net: nn.Module, **changes: Any) -> TaskModule:
    """A task that can be trained; ``changes`` are those of ``parts`` and of ``recipe``."""
    of_parts = ("facts", "augmentation", "channels_last", "loss", "target", "judge")
    own = {name: value for name, value in changes.items() if name in of_parts}
    made = task(kind, net, **own)
    return TaskModule(made, Learner(made, recipe(**{name: v for name, v in changes.items() if name not in own})))


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


def picture_data(train: int = 24, val: int = 10, test: int = 11, **changes: Any) -> Data:
    """Random pictures, 8 to a batch; ``DataModule`` is what a trainer takes."""
    sizes = {"train": train, "val": val, "test": test}
    splits = {name: TensorSplit(samples(size, seed)) for seed, (name, size) in enumerate(sizes.items())}
    given: dict[str, Any] = dict(dataset=Given(**splits), facts=facts(), batch_size=8, workers=0, seed=0)
    return Data(**(given | changes))


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


def fit(
    made: TaskModule, data: Data | None = None, callbacks: list[pl.Callback] | None = None, epochs: int = 2
) -> None:
    """Train a module on random pictures."""
    data = data or picture_data()
    made.steps_per_epoch = data.steps_per_epoch()
    trainer(callbacks, epochs).fit(made, datamodule=DataModule(data))


def among(made: TaskModule, processes: int) -> TaskModule:
    """As one of so many processes of a run."""
    optimizers = made.configure_optimizers() if list(made.net.parameters()) else []
    made.trainer = SimpleNamespace(  # type: ignore[assignment]
        world_size=processes,
        current_epoch=0,
        optimizers=optimizers,
        precision_plugin=None,
        model=None,
        strategy=None,
    )
    return made


def alone(made: TaskModule) -> TaskModule:
    """As the only process of a run."""
    return among(made, 1)

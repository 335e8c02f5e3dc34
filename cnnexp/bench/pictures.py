"""The peers' side of the data: pictures of Pillow, and the per-sample transforms of torchvision on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.transforms import v2

from cnnexp.bench.cells import Cell, Transform
from cnnexp.bench.ours import pictures_of
from cnnexp.builders.build import Experiment

SHIFT_PX = {"shift": 2, "crop_flip": 4}
FLIPPED = {"crop_flip": 0.5}


class PILPictures(Dataset[tuple[Any, int]]):
    """The training pictures of a run as torchvision's data sets give them: (picture, label).

    Args:
        experiment: whose training pictures. transform: Pillow picture → what is collated.
    """

    def __init__(self, experiment: Experiment, transform: Callable[[Image.Image], Any] | None) -> None:
        batch = experiment.data.split("train").batch(experiment.data.train_positions().tolist())
        (stored,) = experiment.facts.input.arguments(batch)
        pixels = stored.permute(0, 2, 3, 1).numpy()
        self.pictures = [Image.fromarray(one[..., 0] if one.shape[-1] == 1 else one) for one in pixels]
        self.labels: list[int] = batch["label"].tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, position: int) -> tuple[Any, int]:
        picture: Any = self.pictures[position]
        return (picture if self.transform is None else self.transform(picture)), self.labels[position]


def torchvision_transform(kind: Transform, experiment: Experiment) -> Callable[[Image.Image], Any]:
    """What torchvision's own scripts put in a row to augment as cnnexp does."""
    given = pictures_of(experiment)
    if kind == "everything":
        return _everything(experiment)
    steps: list[Any] = []
    if kind in SHIFT_PX:
        steps.append(transforms.RandomCrop(tuple(given.image_size), padding=SHIFT_PX[kind]))
    if kind in FLIPPED:
        steps.append(transforms.RandomHorizontalFlip(FLIPPED[kind]))
    return transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize(*given.normalised_by)])


def _everything(experiment: Experiment) -> Callable[[Image.Image], Any]:
    """An affine map, colour, and a hole, by torchvision's second transforms, which work on tensors throughout."""
    given = pictures_of(experiment)
    return v2.Compose(
        [
            v2.ToImage(),
            v2.RandomHorizontalFlip(),
            v2.RandomAffine(
                degrees=15, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=5, interpolation=v2.InterpolationMode.BILINEAR
            ),
            v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(*given.normalised_by),
            v2.RandomErasing(p=0.5),
        ]
    )


def loader_of(experiment: Experiment, config: Mapping[str, Any], cell: Cell) -> DataLoader[Any]:
    """torch's loader around the transformed pictures, with the settings that the scripts use."""
    return DataLoader(
        PILPictures(experiment, torchvision_transform(cell.transform, experiment)),
        batch_size=config["batch_size"],
        shuffle=True,
        drop_last=True,
        num_workers=cell.workers,
        persistent_workers=cell.workers > 0,
        pin_memory=cell.device == "gpu",
    )

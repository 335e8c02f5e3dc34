"""The batch engine against torchvision's per-sample transforms, interleaved in one process.

    python benchmarks/augmentation.py

``crop_flip_ours(...)`` and the like make a function that returns one batch each time it is called, so that another
script can time them in its own way. Torchvision's pictures go through a DataLoader, whose workers run on beside the
process that waits for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torchvision.transforms as v1
import torchvision.transforms.v2 as v2
import yaml
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.normalisation import Normalisation
from cnnexp.augmentation.operations import VOCABULARY
from cnnexp.paths import config_folder

BATCH, SIDE, CHANNELS = 128, 32, 3
MEAN, STD = (0.4914, 0.4821, 0.4467), (0.2471, 0.2435, 0.2615)
CROP_FLIP = {"crop": {"padding": 4}, "mirror": {"horizontal": 0.5}}
EVERYTHING = {
    "affine": {"degrees": 15.0, "translate": 0.1, "scale": [0.9, 1.1], "shear": 5.0},
    "mirror": {"horizontal": 0.5},
    "brightness": {"amount": 0.4},
    "contrast": {"amount": 0.4},
    "saturation": {"amount": 0.4},
    "hue": {"degrees": 36.0},
    "cutout": {"size": 0.5},
}
REPEATS = 60

Made = Callable[[], Any]


def engine(compiled: bool = False, **changes: dict[str, Any]) -> Augmentation:
    """The vocabulary with a few operations on."""
    given = yaml.safe_load((config_folder() / "augmentation" / "pictures.yaml").read_text(encoding="utf-8"))
    operations = {name: VOCABULARY[name](**given[name] | keys) for name, keys in changes.items()}
    return Augmentation(seed=0, compiled=compiled, operations=operations)


def ours(compiled: bool, side: int, channels: int, batch: int, **changes: dict[str, Any]) -> Made:
    """The engine on uint8 pictures that are in memory."""
    mean, std = (MEAN, STD) if channels == 3 else ((0.13,), (0.31,))
    finish = Normalisation(mean, std, (side, side))
    augment = engine(compiled, **changes)
    pictures = torch.from_numpy(_noise(batch, side)[..., :channels]).permute(0, 3, 1, 2).contiguous()
    index = torch.arange(batch)
    return lambda: augment(pictures, index, 1, finish)


def crop_flip_ours(compiled: bool = False) -> Made:
    """A batch of 128 pictures 32×32×3, cropped, flipped and normalised."""
    return ours(compiled, SIDE, CHANNELS, BATCH, **CROP_FLIP)


def everything_ours(compiled: bool = False) -> Made:
    """The same batch with affine, colour and cutout."""
    return ours(compiled, SIDE, CHANNELS, BATCH, **EVERYTHING)


def lenet_ours(compiled: bool = False) -> Made:
    """A batch of 64 grey pictures 28×28, shifted by up to two pixels."""
    return ours(compiled, 28, 1, 64, crop={"padding": 2})


def crop_flip_torchvision(workers: int = 2) -> Made:
    """Torchvision's first transforms on PIL pictures."""
    chain = [v1.RandomCrop(SIDE, padding=4), v1.RandomHorizontalFlip(), v1.ToTensor(), v1.Normalize(MEAN, STD)]
    return _loaded(v1.Compose(chain), workers)


def everything_torchvision(workers: int = 2) -> Made:
    """Torchvision's second transforms, picture by picture, on tensors."""
    chain = [
        v2.ToImage(),
        v2.RandomHorizontalFlip(),
        v2.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), 5, v2.InterpolationMode.BILINEAR),
        v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(MEAN, STD),
        v2.RandomErasing(1.0, (0.25, 0.25), (1.0, 1.0)),
    ]
    return _loaded(v2.Compose(chain), workers)


class Pictures(Dataset[Tensor]):
    """PIL pictures through a chain of transforms; long enough for every batch that is timed."""

    def __init__(self, transform: Callable[[Image.Image], Tensor]) -> None:
        self.pictures = [Image.fromarray(one) for one in _noise(BATCH, SIDE)]
        self.transform = transform

    def __len__(self) -> int:
        return BATCH * 10_000

    def __getitem__(self, position: int) -> Tensor:
        return self.transform(self.pictures[position % BATCH])


def _loaded(transform: Any, workers: int) -> Made:
    batches: Iterator[Tensor] = iter(DataLoader(Pictures(transform), BATCH, num_workers=workers))
    return lambda: next(batches)


def _noise(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def per_batch(make: Callable[[], Made], repeats: int = REPEATS) -> list[float]:
    """Seconds between batches taken as fast as they come, after a start that empties what was prepared ahead."""
    take = make()
    for _ in range(10):
        take()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        take()
        times.append(time.perf_counter() - began)
    return times


def compare(name: str, make_ours: Callable[[bool], Made], make_theirs: Callable[[], Made] | None) -> None:
    """Print medians and ratios of three rounds in turn; theirs by the mean, for batches arrive in bursts."""
    rounds: dict[str, list[float]] = {"eager": [], "compiled": [], "torchvision": []}
    for _ in range(3):
        rounds["eager"] += per_batch(lambda: make_ours(False), 300)
        rounds["compiled"] += per_batch(lambda: make_ours(True), 300)
        if make_theirs is not None:
            rounds["torchvision"].append(float(np.mean(per_batch(make_theirs))))
    medians = {form: float(np.median(times)) for form, times in rounds.items() if times}
    print(name, *(f"{form} {1e6 * value:,.0f} us" for form, value in medians.items()), sep="  ")
    if make_theirs is not None:
        print("  ratios", *(f"{form} {medians['torchvision'] / medians[form]:.1f}" for form in ("eager", "compiled")))


def main() -> None:
    """Compare the three batches of the project's table."""
    torch.set_num_threads(1)
    compare("crop + flip + normalise, 128 at 32x32x3", crop_flip_ours, crop_flip_torchvision)
    compare("everything on, 128 at 32x32x3", everything_ours, everything_torchvision)
    compare("shift, 64 at 28x28x1", lenet_ours, None)


if __name__ == "__main__":
    main()

"""Films decoded in loader workers: clips of ``data=video_folder`` beside bare decoding by PyAV, taken in turns.

    python benchmarks/films.py [--films 24] [--frames 75] [--size 320x240] [--pairs 5] [--own-size]

It writes films of a pattern that moves (H.264, 25 frames a second) into a folder that is gone afterwards. The bound is
PyAV alone: each film opened, all its frames decoded, 16 of them made RGB of 128×128 by its own scaler, and dropped;
with ``--own-size`` they are not even scaled. Ours hands over what a training takes: the same 16, chosen by the film's
clock and stacked to batches. Both run in two workers of one thread each, started before the clock is; the machine
should have nothing else to do.
"""

from __future__ import annotations

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import av
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cnnexp.data.samples import Sample
from cnnexp.data.video_folder import ClipDecoder
from cnnexp.inputs.films import writing_film

TAKEN, SIZE, BATCH, WORKERS = 16, (128, 128), 4, 2
RATE = Fraction(25)


class Bare(Dataset[Tensor]):
    """What PyAV needs for a film, whatever comes of it.

    Args:
        scaled: how it is asked to scale frames; empty for their own size.
    """

    def __init__(self, paths: list[Path], scaled: dict[str, Any]) -> None:
        self.paths, self.scaled = paths, scaled

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> Tensor:
        with av.open(str(self.paths[place])) as container:
            stream = container.streams.video[0]
            taken = set(np.linspace(0, stream.frames - 1, TAKEN).round().astype(int).tolist())
            for number, frame in enumerate(container.decode(stream)):
                if number in taken:
                    frame.to_ndarray(format="rgb24", **self.scaled)
        return torch.zeros(())


class Clips(Dataset[Tensor]):
    """Clips as a training takes them."""

    def __init__(self, paths: list[Path]) -> None:
        samples = tuple(Sample(path, path.name, label=0) for path in paths)
        self.decode = ClipDecoder(samples, SIZE, 3, TAKEN)

    def __len__(self) -> int:
        return len(self.decode.samples)

    def __getitem__(self, place: int) -> Tensor:
        return self.decode(place)["clip"]


def write_film(path: Path, frames: int, size: tuple[int, int], seed: int) -> None:
    """Smooth noise that slides, so that frames are neither empty nor all new."""
    width, height = size
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(0, 256, (height // 8, width // 4, 3), dtype=np.uint8))
    wide = coarse.resize((2 * width, height), Image.Resampling.BICUBIC)
    with writing_film(path, "mp4", RATE) as writer:
        for number in range(frames):
            left = number * width // frames
            writer.add(wide.crop((left, 0, left + width, height)), number / RATE)


def pass_of(loader: DataLoader[Tensor]) -> float:
    batches = iter(loader)
    begun = perf_counter()
    for _ in batches:
        pass
    return perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=24)
    parser.add_argument("--frames", type=int, default=75)
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--own-size", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    scaled = {} if arguments.own_size else {"height": SIZE[0], "width": SIZE[1], "interpolation": "BILINEAR"}
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.mp4" for number in range(arguments.films)]
        for number, path in enumerate(paths):
            write_film(path, arguments.frames, (width, height), number)
        bare, ours = (
            DataLoader(data, BATCH, num_workers=WORKERS, persistent_workers=True)
            for data in (Bare(paths, scaled), Clips(paths))
        )
        pass_of(bare), pass_of(ours)  # files are read once, workers are started
        pairs = [(pass_of(bare), pass_of(ours)) for _ in range(arguments.pairs)]
    for bound, own in pairs:
        print(f"PyAV {len(paths) / bound:.1f} films/s, clips {len(paths) / own:.1f} films/s: {bound / own:.2f}")
    print(f"median of {len(pairs)} pairs: {median(bound / own for bound, own in pairs):.2f} of PyAV's bound")


if __name__ == "__main__":
    main()

"""Features of sounds: on whole batches, beside one sample after another in two loader workers, taken in turns.

    python benchmarks/sounds.py [--features log_mel] [--pairs 5] [--with FOLDER]

It reads the training recordings of ``data=fsdd``, held in memory by both. The other side is torchaudio's
MelSpectrogram or MFCC with AmplitudeToDB where it can be imported (``--with`` names a folder that pip installed it to);
otherwise our own features, sample by sample. Each pair is one pass over all recordings by each side, with as many
threads as there are workers; the workers, of one thread each, are started before the clock is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cnnexp.builders.facts import build_input
from cnnexp.builders.hardware import keep_freed_memory
from cnnexp.config.compose import compose_run
from cnnexp.data.base import TensorSplit
from cnnexp.data.fsdd import FSDD
from cnnexp.inputs.sound_preparation import FeaturesOf
from cnnexp.inputs.sounds import Sounds

BATCH, WORKERS = 32, 2


class OneByOne(Dataset[Tensor]):
    """A recording's features when it is asked for."""

    def __init__(self, sounds: Tensor, transform: Callable[[Tensor], Tensor]) -> None:
        self.sounds, self.transform = sounds, transform

    def __len__(self) -> int:
        return len(self.sounds)

    def __getitem__(self, place: int) -> Tensor:
        return self.transform(self.sounds[place])


def theirs(sounds: Sounds) -> tuple[str, Callable[[Tensor], Tensor]]:
    """torchaudio's transform with the same settings, or ours, for one sound (L,)."""
    try:
        import torchaudio
    except ImportError:
        own = FeaturesOf(sounds)
        return "the same features, sample by sample", lambda sound: own(sound[None])[0]
    mel: dict[str, Any] = {
        "n_fft": sounds.transformed,
        "win_length": sounds.window_samples,
        "hop_length": sounds.hop,
        "n_mels": sounds.n_mels,
        "pad_mode": "constant",
    }
    if sounds.features == "mfcc":
        made = torchaudio.transforms.MFCC(sounds.rate_hz, n_mfcc=sounds.coefficients, melkwargs=mel)
    else:
        made = nn.Sequential(
            torchaudio.transforms.MelSpectrogram(sounds.rate_hz, **mel), torchaudio.transforms.AmplitudeToDB()
        )
    return f"torchaudio {torchaudio.__version__}", made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", choices=("log_mel", "mfcc"), default="log_mel")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--with", dest="folder", default=None)
    arguments = parser.parse_args()
    if arguments.folder is not None:
        sys.path.append(arguments.folder)
    torch.set_num_threads(WORKERS)
    keep_freed_memory()  # as runs do
    given = build_input(compose_run(["model=resnet20", "data=fsdd", f"data.features={arguments.features}"]))
    assert isinstance(given, Sounds)
    split: TensorSplit = FSDD(rate_hz=given.rate_hz, length=given.length, speaker=None, mirror=None).load("train")
    ours, (name, transform) = FeaturesOf(given), theirs(given)
    loader = DataLoader(
        OneByOne(split.tensors["sound"], transform), BATCH, num_workers=WORKERS, persistent_workers=True
    )

    def on_batches() -> float:
        begun = perf_counter()
        for places in torch.arange(len(split)).split(BATCH):
            ours(split.batch(places)["sound"])
        return perf_counter() - begun

    def one_by_one() -> float:
        batches = iter(loader)
        begun = perf_counter()
        for _ in batches:
            pass
        return perf_counter() - begun

    on_batches(), one_by_one()  # memory is asked for, workers are started
    pairs = [(on_batches(), one_by_one()) for _ in range(arguments.pairs)]
    for first, second in pairs:
        print(f"on batches {first:.2f} s, {name} in {WORKERS} workers {second:.2f} s: {second / first:.1f} times")
    print(f"median of {len(pairs)} pairs: {median(second / first for first, second in pairs):.1f} times as fast")


if __name__ == "__main__":
    main()

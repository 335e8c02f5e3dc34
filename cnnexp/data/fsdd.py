"""The Free Spoken Digit Dataset: ten digits, each spoken fifty times by six people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.config.nearest import did_you_mean
from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.fetch import Download, ensure, obtain
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.sound_files import at_rate, fitted, read_sound

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
DIGITS, TAKES = 10, 50
COUNT = len(SPEAKERS) * DIGITS * TAKES
FIRST_OF: dict[SplitName, int] = {"test": 0, "val": 5, "train": 10}
"""Takes 0 to 4 are for testing, as published; of the others five are held out for validation."""
_COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
_NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")


class FSDD(DataSet):
    """3,000 recordings at 8 kHz, of which half are shorter than 0.42 s (Jackson et al. 2018; CC BY-SA 4.0).

    2,400 / 300 / 300: takes 0 to 4 of each digit and speaker are the test as published, 5 to 9 are for validation. So
    all splits have the same six speakers. With a ``speaker``, all of that one's recordings are the test, 500, and
    take no part in training; of the other five takes 5 to 9 are for validation and all others to train: 250 and 2,250.
    The name of a sample is its file's.

    Args:
        rate_hz, length: of stored sounds, as ``Sounds`` has them.
        speaker: whose recordings are the test; null for the published split.

    Raises:
        InputError: there is no such speaker.
    """

    targets = ("label",)

    def __init__(self, *, rate_hz: int, length: int, speaker: str | None, mirror: str | None) -> None:
        if speaker is not None and speaker not in SPEAKERS:
            raise InputError(f"data.speaker={speaker}: no speaker of fsdd; {did_you_mean(speaker, SPEAKERS)}")
        self.rate_hz, self.length, self.speaker, self.mirror = rate_hz, length, speaker, mirror

    def prepare(self) -> None:
        ensure(DOWNLOAD, self.mirror, recordings_in)

    def load(self, split: SplitName) -> TensorSplit:
        places = self._places(split)
        return TensorSplit(
            {
                "sound": torch.from_numpy(self._sounds[0][places]),
                "sound_length": torch.from_numpy(self._sounds[1][places]),
                "label": torch.from_numpy(self._labels[places]),
            },
            names=[self._files[place].name for place in places],
        )

    def columns(self, split: SplitName) -> dict[str, list[str]]:
        known = [_parts(self._files[place].name) for place in self._places(split)]
        return {"speaker": [speaker for _, speaker, _ in known], "take": [str(take) for *_, take in known]}

    def _places(self, split: SplitName) -> NDArray[np.int64]:
        known = [_parts(path.name) for path in self._files]
        return np.array([place for place, one in enumerate(known) if self._split_of(*one[1:]) == split], np.int64)

    def _split_of(self, speaker: str, take: int) -> SplitName:
        if self.speaker is None:
            return "test" if take < FIRST_OF["val"] else "val" if take < FIRST_OF["train"] else "train"
        if speaker == self.speaker:
            return "test"
        return "val" if FIRST_OF["val"] <= take < FIRST_OF["train"] else "train"

    @cached_property
    def _files(self) -> list[Path]:
        return obtain(DOWNLOAD, self.mirror, recordings_in)

    @property
    def _labels(self) -> NDArray[np.int64]:
        return np.array([_parts(path.name)[0] for path in self._files], np.int64)

    @cached_property
    def _sounds(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """All recordings (N, length), and their true numbers of samples (N,)."""
        sounds = [_at_rate(path, self.rate_hz) for path in self._files]
        lengths = np.array([min(len(sound), self.length) for sound in sounds], np.int64)
        return np.stack([fitted(sound, self.length) for sound in sounds]), lengths


def recordings_in(folder: Path) -> list[Path]:
    """The recordings below a folder, in the order of their digits, speakers and takes.

    Raises:
        CorruptFile: they are not those that were published.
    """
    found = sorted((path for path in folder.rglob("*.wav") if _NAME.fullmatch(path.name)), key=lambda p: _parts(p.name))
    wanted = [(digit, speaker, take) for digit in range(DIGITS) for speaker in SPEAKERS for take in range(TAKES)]
    if [_parts(path.name) for path in found] != wanted:
        raise CorruptFile(f"{folder}: {len(found):,} recordings that are not the {COUNT:,} published ones")
    return found


def _parts(name: str) -> tuple[int, str, int]:
    """Digit, speaker and take."""
    match = _NAME.fullmatch(name)
    assert match is not None, name
    return int(match[1]), match[2], int(match[3])


def _at_rate(path: Path, rate_hz: int) -> NDArray[np.float32]:
    file = read_sound(path)
    return at_rate(file.sound, file.rate_hz, rate_hz)


def _verify(folder: Path) -> None:
    recordings: Sequence[Path] = recordings_in(folder)
    for path in recordings:
        if not len(read_sound(path).sound):
            raise CorruptFile(f"{path.name}: holds no sound")


DOWNLOAD = Download(
    folder="fsdd",
    names=(f"{_COMMIT}.tar.gz", "recordings.tar.gz"),
    url=f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{_COMMIT}.tar.gz",
    archive=True,
    instead="data=mnist5k model=lenet5",
    verify=_verify,
)

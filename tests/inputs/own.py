"""A package ``tiny`` of somebody's own, in an empty folder: for each kind of input a data set and a net, with YAML."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

NETS = """
import torch
from torch import nn


class Head(nn.Module):
    def __init__(self, width, num_classes):
        super().__init__()
        self.head = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.head(x)


class Pictures(Head):
    def __init__(self, *, in_channels: int, num_classes: int):
        super().__init__(4, num_classes)
        self.layer = nn.Conv2d(in_channels, 4, 3)

    def forward(self, x):
        return self.head(self.layer(x).mean((2, 3)))


class Clips(Head):
    def __init__(self, *, in_channels: int, frames: int, num_classes: int):
        super().__init__(4, num_classes)
        self.layer = nn.Conv3d(in_channels, 4, (frames, 3, 3))

    def forward(self, x):
        return self.head(self.layer(x).mean((2, 3, 4)))


class Signals(Head):
    def __init__(self, *, in_channels: int, num_classes: int):
        super().__init__(4, num_classes)
        self.layer = nn.Conv1d(in_channels, 4, 3)

    def forward(self, x):
        return self.head(self.layer(x).mean(2))


class Sounds(Head):
    def __init__(self, *, in_channels: int, num_classes: int):
        super().__init__(4, num_classes)
        self.layer = nn.Conv2d(in_channels, 4, 3)

    def forward(self, x):
        return self.head(self.layer(x).mean((2, 3)))


class Volumes(Head):
    def __init__(self, *, in_channels: int, num_classes: int):
        super().__init__(4, num_classes)
        self.layer = nn.Conv3d(in_channels, 4, 3)

    def forward(self, x):
        return self.head(self.layer(x).mean((2, 3, 4)))


class Tokens(Head):
    def __init__(self, *, vocabulary: int, num_classes: int):
        super().__init__(4, num_classes)
        self.embedding = nn.Embedding(vocabulary, 4, padding_idx=0)
        self.layer = nn.Conv1d(4, 4, 3)

    def forward(self, x):
        return self.head(self.layer(self.embedding(x).transpose(1, 2)).mean(2))


class Several(Head):
    def __init__(self, *, in_channels: int, vocabulary: int, num_classes: int):
        super().__init__(8, num_classes)
        self.picture = nn.Conv2d(in_channels, 4, 3)
        self.question = nn.Embedding(vocabulary, 4, padding_idx=0)

    def forward(self, picture, question):
        return self.head(torch.cat([self.picture(picture).mean((2, 3)), self.question(question).mean(1)], 1))
"""
DATA: dict[str, str] = {
    "pictures": "channels: 3\n  image_size: [6, 8]",
    "clips": "frames: 4\n  channels: 3\n  image_size: [6, 8]",
    "signals": "channels: 2\n  length: 30",
    "sounds": "rate_hz: 8000\n  length: 80\n  window_ms: 2.0\n  hop_ms: 1.0\n  n_mels: 6\n  deltas: 1",
    "volumes": "channels: 2\n  volume_size: [4, 6, 8]",
    "tokens": "vocabulary_size: 8\n  length: 5",
    "several": (
        "parts:\n    picture: {input: pictures, channels: 3, image_size: [6, 8]}\n"
        "    question: {input: tokens, vocabulary_size: 8, length: 5}"
    ),
}
SETS = """
import torch

from cnnexp.data.base import DataSet, TensorSplit
from cnnexp.inputs.words import bytes_of

WORDS = "what is it a cat or dog there in the picture how many".split()


class Set(DataSet):
    targets = ("label",)

    def load(self, split):
        generator = torch.Generator().manual_seed(len(split))
        label = torch.arange(24) % 2
        return self.samples(label, generator)

    @staticmethod
    def texts(label, generator):
        rows = torch.randint(len(WORDS), (len(label), 3), generator=generator).tolist()
        named = zip(rows, label.tolist(), strict=True)
        return [bytes_of(" ".join([WORDS[i] for i in row] + ["yes" if one else "no"])) for row, one in named]

    @staticmethod
    def bright(label, generator, *shape):
        low = torch.randint(120, (len(label), *shape), dtype=torch.uint8, generator=generator)
        return low + (100 * label).to(torch.uint8).view(-1, *[1] * len(shape))


class Pictures(Set):
    def samples(self, label, generator):
        return TensorSplit({"image": self.bright(label, generator, 3, 6, 8), "label": label})


class Clips(Set):
    def samples(self, label, generator):
        return TensorSplit({"clip": self.bright(label, generator, 4, 3, 6, 8), "label": label})


class Signals(Set):
    def samples(self, label, generator):
        return TensorSplit({"signal": self.bright(label, generator, 2, 30).float(), "label": label})


class Sounds(Set):
    def samples(self, label, generator):
        waves = self.bright(label, generator, 80).float() / 128 - 1
        return TensorSplit({"sound": waves, "sound_length": torch.full((24,), 80), "label": label})


class Volumes(Set):
    def samples(self, label, generator):
        return TensorSplit({"volume": self.bright(label, generator, 2, 4, 6, 8), "label": label})


class Tokens(Set):
    def samples(self, label, generator):
        return TensorSplit({"label": label}, ragged={"text": self.texts(label, generator)})


class Several(Set):
    def samples(self, label, generator):
        tensors = {"picture.image": self.bright(label, generator, 3, 6, 8), "label": label}
        return TensorSplit(tensors, ragged={"question.text": self.texts(label, generator)})
"""


def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder, as the current one, whose package nobody finds afterwards."""
    (tmp_path / "tiny").mkdir()
    for name, text in (("nets", NETS), ("sets", SETS)):
        (tmp_path / "tiny" / f"{name}.py").write_text(text, encoding="utf-8")
    for group, of_kind in (("model", _model), ("data", _data)):
        (tmp_path / "conf" / group).mkdir(parents=True)
        for kind in DATA:
            (tmp_path / "conf" / group / f"tiny_{kind}.yaml").write_text(of_kind(kind), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name == "tiny" or name.startswith("tiny.")]:
        del sys.modules[name]


def _model(kind: str) -> str:
    return (
        f"# @package _global_\n# A tiny net for {kind}\ndefaults:\n  - override /task: classification\n"
        f"model:\n  _target_: tiny.nets.{kind.capitalize()}\n  input: {kind}\n"
    )


def _data(kind: str) -> str:
    return (
        f"# @package _global_\n# A few {kind}\nepochs: 2\nbatch_size: 8\ndata:\n"
        f"  _target_: tiny.sets.{kind.capitalize()}\n  input: {kind}\n"
        f"  targets: [label]\n  classes: [a, b]\n  {DATA[kind]}\n"
    )

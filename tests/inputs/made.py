"""An input of each kind with a few stored samples, for what holds of all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cnnexp.data.base import TensorSplit
from cnnexp.inputs.base import Input
from cnnexp.inputs.clips import Clips
from cnnexp.inputs.pictures import Pictures
from cnnexp.inputs.several import Several
from cnnexp.inputs.signals import Signals
from cnnexp.inputs.sound_files import wav_bytes
from cnnexp.inputs.sounds import Sounds
from cnnexp.inputs.tokens import Tokens
from cnnexp.inputs.volumes import Volumes
from cnnexp.inputs.words import bytes_of

COUNT = 6
TEXTS = ["What is it?", "Is it a cat or a dog?", "is it", "how many are there in the picture", "What", "is this a cat?"]
QUESTION = {"input": "tokens", "vocabulary_size": 8, "length": 5}
PICTURE = {"input": "pictures", "channels": 3, "image_size": [6, 8]}


def numbers(*shape: int) -> torch.Tensor:
    return torch.randint(256, (COUNT, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def pictures() -> tuple[Input, TensorSplit]:
    return Pictures(channels=3, image_size=(6, 8), decode_size=(8, 8)), TensorSplit({"image": numbers(3, 8, 8)})


def clips() -> tuple[Input, TensorSplit]:
    return Clips(frames=4, channels=3, image_size=(6, 8)), TensorSplit({"clip": numbers(4, 3, 6, 8)})


def signals() -> tuple[Input, TensorSplit]:
    return Signals(channels=2, length=30), TensorSplit({"signal": numbers(2, 30).float()})


def sounds() -> tuple[Input, TensorSplit]:
    lengths = torch.tensor([80, 60, 80, 33, 1, 80])
    waves = (numbers(80).float() / 128 - 1) * (torch.arange(80) < lengths[:, None])
    small = {"window_ms": 2.0, "hop_ms": 1.0, "n_mels": 6, "deltas": 1}
    return Sounds(rate_hz=8000, length=80, **small), TensorSplit({"sound": waves, "sound_length": lengths})


def volumes() -> tuple[Input, TensorSplit]:
    tensors = {"spacing": torch.zeros(COUNT, 3), "levels": torch.tensor([[[100.0, 50.0, 0.0, 255.0]] * 2] * COUNT)}
    return Volumes(channels=2, volume_size=(4, 6, 8)), TensorSplit({"volume": numbers(2, 4, 6, 8), **tensors})


def tokens() -> tuple[Input, TensorSplit]:
    return Tokens(vocabulary_size=8, length=5), TensorSplit({}, ragged={"text": [bytes_of(text) for text in TEXTS]})


def several() -> tuple[Input, TensorSplit]:
    ragged = {"question.text": [bytes_of(text) for text in TEXTS]}
    split = TensorSplit({"picture.image": numbers(3, 6, 8)}, ragged=ragged)
    return Several({"picture": PICTURE, "question": QUESTION}), split


MADE: dict[str, Callable[[], tuple[Input, TensorSplit]]] = {
    "pictures": pictures,
    "clips": clips,
    "signals": signals,
    "sounds": sounds,
    "tokens": tokens,
    "volumes": volumes,
    "several": several,
}


def write_file(kind: str, folder: Path) -> Path:
    """A sample in a file as the input made here reads it."""
    if kind == "pictures":
        Image.fromarray(np.full((9, 9, 3), 7, np.uint8)).save(folder / "a.png")
        return folder / "a.png"
    if kind == "clips":
        frames = [Image.new("RGB", (8, 6), (20 * place, 0, 0)) for place in range(4)]
        frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
        return folder / "a.gif"
    if kind == "signals":
        np.savetxt(folder / "a.csv", np.arange(60.0).reshape(30, 2), delimiter=",")
        return folder / "a.csv"
    if kind == "sounds":
        (folder / "a.wav").write_bytes(wav_bytes(np.sin(np.arange(100, dtype=np.float32)), 8000))
        return folder / "a.wav"
    if kind == "volumes":
        np.save(folder / "a.npy", np.arange(2 * 4 * 6 * 8, dtype=np.uint8).reshape(2, 4, 6, 8))
        return folder / "a.npy"
    if kind == "tokens":
        (folder / "a.txt").write_text("What is this?", encoding="utf-8")
        return folder / "a.txt"
    names = {"picture": write_file("pictures", folder).name, "question": write_file("tokens", folder).name}
    (folder / "a.json").write_text(str(names).replace("'", '"'), encoding="utf-8")
    return folder / "a.json"

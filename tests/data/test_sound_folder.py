"""Folders of sounds: classes and splits by folders; what is stereo, of another rate, silent, long, empty or broken."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from cnnexp.data.base import FileSplit, TensorSplit
from cnnexp.errors import InputError
from cnnexp.inputs.sound_files import wav_bytes
from tests.data.tiny import all_of, load_all, make_data_set

RATE = 8000
CLASSES = ("high", "low")


def tone(hertz: float, samples: int = 800, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)).astype(np.float32)


def write_sounds(root: Path, count: int = 10) -> Path:
    for name, hertz in zip(CLASSES, (1500, 300), strict=True):
        (root / name).mkdir(parents=True)
        for place in range(count):
            (root / name / f"{place:02}.wav").write_bytes(wav_bytes(tone(hertz, 700 + 10 * place), RATE))
    return root


def folder(root: Path, **words: object) -> object:
    return make_data_set("sound_folder", root=str(root), rate_hz=RATE, length=800, **words)


def test_class_folders_are_divided(tmp_path: Path) -> None:
    data = folder(write_sounds(tmp_path))
    splits = load_all(data)  # type: ignore[arg-type]
    assert {name: len(one) for name, one in splits.items()} == {"train": 16, "val": 2, "test": 2}
    assert data.class_names() == CLASSES  # type: ignore[attr-defined]
    train = all_of(splits["train"])
    assert train["sound"].shape == (16, 800)
    for name, label, length in zip(splits["train"].names or (), train["label"], train["sound_length"], strict=True):
        assert name == f"{CLASSES[int(label)]}/{(int(length) - 700) // 10:02}.wav"
    assert data.census().line() == ""  # type: ignore[attr-defined]


def test_split_folders_are_as_they_are_and_stay_on_disk_where_asked(tmp_path: Path) -> None:
    write_sounds(tmp_path / "train")
    write_sounds(tmp_path / "test", 3)
    held = load_all(folder(tmp_path))  # type: ignore[arg-type]
    read = load_all(folder(tmp_path, in_memory=False))  # type: ignore[arg-type]
    assert {name: len(one) for name, one in held.items()} == {"train": 18, "val": 2, "test": 6}
    assert isinstance(held["train"], TensorSplit) and isinstance(read["train"], FileSplit)
    for name in held:
        one, other = all_of(held[name]), all_of(read[name])
        assert one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one)


def test_odd_files_are_counted_and_said(tmp_path: Path) -> None:
    root = write_sounds(tmp_path)
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(root / "low" / "stereo.wav", np.stack([tone(300), 0 * tone(300)], 1), RATE, subtype="PCM_24")
    soundfile.write(root / "low" / "other.flac", tone(300, 4410, 44100), 44100)
    (root / "low" / "quiet.wav").write_bytes(wav_bytes(np.zeros(800, np.float32), RATE))
    (root / "low" / "long.wav").write_bytes(wav_bytes(tone(300, 2000), RATE))
    (root / "low" / "empty.wav").write_bytes(wav_bytes(np.zeros(0, np.float32), RATE))
    (root / "low" / "notes.txt").write_text("no sound")
    data = folder(root)
    line = data.census().line()  # type: ignore[attr-defined]
    assert "25 sounds: 24 used, 1 left out (1 of length 0)" in line
    for said in (
        "1 sound of 2 channels, of which the mean is taken",
        "1 sound of 44,100 Hz, resampled to 8,000 Hz",
        "1 sound silent",
        "1 sound longer than data.length=800 (0.1 s), cut at the end",
    ):
        assert said in line
    samples = {name: one for split in load_all(data).values()  # type: ignore[arg-type]
               for name, one in zip(split.names or (), all_of(split)["sound"], strict=True)}  # fmt: skip
    assert np.abs(samples["low/stereo.wav"].numpy() - tone(300) / 2).max() < 1e-4
    assert np.abs(samples["low/other.flac"].numpy() - tone(300))[50:-50].max() < 0.01
    assert np.abs(samples["low/long.wav"].numpy() - tone(300)).max() < 1e-4


def test_a_broken_file_fails_or_is_left_out_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = write_sounds(tmp_path)
    (root / "high" / "bad.wav").write_bytes(b"RIFF, or not")
    with pytest.raises(
        InputError, match=r"high/bad\.wav: not a wav file .*data\.unreadable=skip leaves such files out"
    ):
        folder(root).prepare()  # type: ignore[attr-defined]
    with caplog.at_level(logging.WARNING):
        data = folder(root, unreadable="skip")
        data.prepare()  # type: ignore[attr-defined]
    assert "left out" in caplog.text and "high/bad.wav" in caplog.text
    assert "21 sounds: 20 used, 1 left out (1 that cannot be decoded)" in data.census().line()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda root: None, "holds no folders; expected one folder of sounds per class"),
        (lambda root: (root / "low").mkdir(), "no sounds found"),
        (lambda root: write_sounds(root, 2), "no sounds for val"),
        (lambda root: (write_sounds(root), (root / "none").mkdir()), "none: no sounds to train this class with"),
        (lambda root: write_sounds(root / "test"), "holds test but no train"),
    ],
)
def test_what_is_no_such_folder_is_refused(tmp_path: Path, change: object, says: str) -> None:
    change(tmp_path)  # type: ignore[operator]
    with pytest.raises(InputError, match=says):
        folder(tmp_path).prepare()  # type: ignore[attr-defined]

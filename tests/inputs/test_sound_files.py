"""Sound files: every coding of wav to the bit, other formats by soundfile, other rates, and what is broken."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.sound_files import at_rate, fitted, read_sound, wav_bytes

soundfile = pytest.importorskip("soundfile")


def waves(channels: int = 1) -> NDArray[np.float64]:
    """Numbers that all codings but that of 8 bits hold exactly, both ends of the range among them."""
    values = np.array([-32768, -32767, -1, 0, 1, 256, 12345, 32767]) / 32768
    return np.stack([np.roll(values, place) for place in range(channels)], 1)


@pytest.mark.parametrize("coding", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_coding_is_read_as_soundfile_does(tmp_path: Path, coding: str, container: str, channels: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, waves(channels), 11025, subtype=coding, format=container)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    found = read_sound(path)
    assert (found.rate_hz, found.channels) == (11025, channels)
    assert np.array_equal(found.sound, expected.mean(1, dtype=np.float32))


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_other_formats_are_read_by_soundfile(tmp_path: Path, suffix: str) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    soundfile.write(tmp_path / f"a.{suffix}", tone, 8000)
    found = read_sound(tmp_path / f"a.{suffix}")
    assert found.rate_hz == 8000 and len(found.sound) == 8000
    assert np.abs(found.sound - tone).max() < (1e-4 if suffix == "flac" else 0.05)


def test_what_a_page_plays_is_the_sound(tmp_path: Path) -> None:
    tone = np.sin(np.arange(500)).astype(np.float32)
    (tmp_path / "a.wav").write_bytes(wav_bytes(tone, 8000))
    values, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 8000 and np.abs(values - tone).max() < 1e-4
    assert read_sound(tmp_path / "a.wav").rate_hz == 8000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda wav: wav[:100], "broken off"),
        (lambda wav: wav[:30], "not a whole wav file"),
        (lambda wav: b"", "does not begin like one"),
        (lambda wav: b"ID3" + wav, "does not begin like one"),
        (lambda wav: wav[:20] + struct.pack("<H", 85) + wav[22:], "another coding"),
        (lambda wav: wav[:22] + struct.pack("<H", 0) + wav[24:], "0 channels"),
        (lambda wav: wav[:24] + struct.pack("<I", 0) + wav[28:], "0 samples a second"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, change: object, says: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(change(wav_bytes(np.ones(200, np.float32), 8000)))  # type: ignore[operator]
    with pytest.raises(InputError, match=rf"a\.wav: .*{says}"):
        read_sound(path)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.0, np.nan]), 8000, subtype="FLOAT")
    with pytest.raises(CorruptFile, match="not finite"):
        read_sound(tmp_path / "a.wav")
    (tmp_path / "a.flac").write_bytes(b"fLaC, or so it says")
    with pytest.raises(CorruptFile, match="not a readable sound"):
        read_sound(tmp_path / "a.flac")
    with pytest.raises(InputError, match="no such file"):
        read_sound(tmp_path / "none.ogg")


def test_a_pipe_that_did_not_know_the_length_is_read(tmp_path: Path) -> None:
    wav = wav_bytes(np.full(50, 0.25, np.float32), 8000)
    (tmp_path / "a.wav").write_bytes(wav[:40] + b"\xff\xff\xff\xff" + wav[44:])
    assert read_sound(tmp_path / "a.wav").sound == pytest.approx(np.full(50, 0.25), abs=1e-4)


@pytest.mark.parametrize(("rate", "wanted"), [(44100, 8000), (8000, 16000), (22050, 16000)])
def test_another_rate_keeps_the_tone_and_lets_none_fold_back(rate: int, wanted: int) -> None:
    t = np.arange(rate) / rate
    kept = at_rate(np.sin(2 * np.pi * 1000 * t).astype(np.float32), rate, wanted)
    assert len(kept) == wanted
    there = np.sin(2 * np.pi * 1000 * np.arange(wanted) / wanted)
    assert np.abs(kept - there)[200:-200].max() < 0.01
    if rate > wanted:
        high = at_rate(np.sin(2 * np.pi * 0.45 * rate * t).astype(np.float32), rate, wanted)
        assert np.abs(high)[200:-200].max() < 0.01, "what lies above half the new rate is gone"


def test_a_sound_is_cut_or_filled_up() -> None:
    sound = np.arange(1, 4, dtype=np.float32)
    assert fitted(sound, 2).tolist() == [1, 2] and fitted(sound, 5).tolist() == [1, 2, 3, 0, 0]

"""Tiny records in the WFDB format, written by hand after its description, so that what reads them is checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

CODES = {"N": 1, "L": 2, "V": 5, "A": 8, "+": 28}
"""Of annotations, from the format's table."""


def write_record(
    folder: Path,
    name: str,
    values: np.ndarray,
    beats: Sequence[tuple[int, str]],
    *,
    rate_hz: int = 100,
    gain: int = 200,
    zero: int = 10,
) -> Path:
    """Three files: whole numbers (L, C) in format 16, and annotations (sample, symbol) less than 1,024 samples apart.

    In physical units a value is (number - zero) / gain. Returns the path without a suffix.
    """
    folder.mkdir(parents=True, exist_ok=True)
    length, channels = values.shape
    lines = [f"{name} {channels} {rate_hz} {length}"]
    for channel in range(channels):
        checksum = int(values[:, channel].astype(np.int64).sum()) % 2**16
        signed = checksum - 2**16 if checksum >= 2**15 else checksum
        first = values[0, channel]
        lines.append(f"{name}.dat 16 {gain}({zero})/mV 16 0 {first} {signed} 0 lead{channel}")
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    (folder / f"{name}.dat").write_bytes(values.astype("<i2").tobytes())
    words, before = [], 0
    for sample, symbol in beats:
        words.append(CODES[symbol] << 10 | sample - before)
        before = sample
    (folder / f"{name}.atr").write_bytes(np.array([*words, 0], dtype="<u2").tobytes())
    return folder / name


def write_ramp(
    folder: Path, name: str, beats: Sequence[tuple[int, str]], length: int = 1000, rate_hz: int = 100
) -> Path:
    """Two leads: the first holds the number of each sample, the second its negative."""
    ramp = np.arange(length)
    return write_record(folder, name, np.stack([ramp, -ramp], axis=1), beats, rate_hz=rate_hz, gain=1, zero=0)

"""Recordings in the WFDB format (PhysioNet): NAME.hea says what NAME.dat holds, NAME.atr holds the annotations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile

T = TypeVar("T")

# What the package raises for broken files; it documents none of it.
_ERRORS = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Recording:
    """One record with its annotations.

    Args:
        signal: in the header's physical unit, mostly mV, (C, L). rate_hz: samples in a second.
        positions: samples that are annotated, ascending, (n,). symbols: one for each of them.
    """

    signal: NDArray[np.float32]
    rate_hz: float
    positions: NDArray[np.int64]
    symbols: tuple[str, ...]


def read_recording(place: Path) -> Recording:
    """A record and its reference annotations.

    Args:
        place: of the three files, without a suffix.

    Raises:
        CorruptFile: a file is not whole, or the signals have not the sums that the header says.
        InputError: wfdb is not installed.
    """
    read_header(place)
    record = _tried(file_of(place, "dat"), lambda: _wfdb().rdrecord(str(place), physical=False))
    _check_sums(file_of(place, "dat"), record)
    signal = record.dac()
    if not np.isfinite(signal).all():
        raise CorruptFile(f"{file_of(place, 'dat')}: has gaps without samples; cut the record to where it is whole")
    positions, symbols = read_annotations(place)
    return Recording(np.ascontiguousarray(signal.T, dtype=np.float32), float(record.fs), positions, symbols)


def read_header(place: Path) -> None:
    """Only whether NAME.hea is one.

    Raises:
        CorruptFile: it is not.
    """
    path = file_of(place, "hea")
    header = _tried(path, lambda: _wfdb().rdheader(str(place)))
    if not header.sig_len or not header.n_sig or not header.fs:
        raise CorruptFile(f"{path}: names no signals, or says not how long and how fast they are")


def read_annotations(place: Path) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Samples that NAME.atr annotates, (n,), and the symbol of each.

    Raises:
        CorruptFile: it does not end as such a file does, or cannot be read.
    """
    path = file_of(place, "atr")
    if not _tried(path, path.read_bytes).endswith(b"\0\0"):
        raise CorruptFile(f"{path}: has no end; part of it is missing")
    read = _tried(path, lambda: _wfdb().rdann(str(place), "atr"))
    return np.asarray(read.sample, dtype=np.int64), tuple(read.symbol)


def file_of(place: Path, suffix: str) -> Path:
    """One of a record's files."""
    return place.with_name(f"{place.name}.{suffix}")


def _check_sums(path: Path, record: Any) -> None:
    """The header has a sum of 16 bits for each signal."""
    sums = record.d_signal.sum(axis=0, dtype=np.int64)
    for name, said, own in zip(record.sig_name, record.checksum, sums.tolist(), strict=True):
        if said is not None and (said - own) % 2**16:
            raise CorruptFile(f"{path}: the sum of {name} is not the one in the header")


def _tried(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except _ERRORS as error:
        raise CorruptFile(f"{path}: not a file of a WFDB record ({error})") from error


def _wfdb() -> ModuleType:
    try:
        import wfdb
    except ModuleNotFoundError as error:
        raise InputError("data=wfdb_records reads records with wfdb: pip install 'cnnexp[ecg]'") from error
    return wfdb

"""Records read by the package, against files written by hand and against the bytes of a published record."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cnnexp.data.wfdb_files import read_annotations, read_recording
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from tests.data.made_records import CODES, write_ramp, write_record

CODE_OF_AUX, CODES_OF_NOTES = 63, (60, 61, 62)


def test_values_are_in_physical_units_and_annotations_at_their_samples(tmp_path: Path) -> None:
    values = np.array([[10, 210], [110, -190], [-32000, 410]])
    read = read_recording(write_record(tmp_path, "made", values, [(0, "+"), (1, "N"), (2, "V")], rate_hz=250))
    np.testing.assert_allclose(read.signal, [[0, 0.5, -160.05], [1, -1, 2]], rtol=1e-6)
    assert read.signal.dtype == np.float32
    assert read.rate_hz == 250
    assert read.positions.tolist() == [0, 1, 2]
    assert read.symbols == ("+", "N", "V")


def test_a_changed_sample_is_seen(tmp_path: Path) -> None:
    place = write_ramp(tmp_path, "made", [(5, "N")])
    path = tmp_path / "made.dat"
    content = bytearray(path.read_bytes())
    content[100] ^= 4
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match=r"made\.dat: the sum of lead0 is not the one in the header"):
        read_recording(place)


@pytest.mark.parametrize(
    ("suffix", "content", "says"),
    [
        ("dat", b"", r"made\.dat: not a file of a WFDB record"),
        ("dat", b"\1" * 1000, r"made\.dat: not a file of a WFDB record"),
        ("hea", b"", r"made\.hea: not a file of a WFDB record"),
        ("hea", b"\xff\x00 nothing of the kind", r"made\.hea: not a file of a WFDB record"),
        ("hea", b"made 0 100 1000\n", r"made\.hea: names no signals"),
        ("atr", b"", r"made\.atr: has no end"),
        ("atr", b"\1\4\1\4", r"made\.atr: has no end"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, suffix: str, content: bytes, says: str) -> None:
    place = write_ramp(tmp_path, "made", [(5, "N")])
    (tmp_path / f"made.{suffix}").write_bytes(content)
    with pytest.raises(CorruptFile, match=says):
        read_recording(place)


def test_a_sample_that_was_not_recorded_is_a_gap(tmp_path: Path) -> None:
    """The lowest number of 16 bits stands for it."""
    place = write_record(tmp_path, "made", np.array([[1], [-(2**15)], [3]]), [(0, "N")])
    with pytest.raises(CorruptFile, match=r"made\.dat: has gaps"):
        read_recording(place)


def test_without_the_package_the_line_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(InputError, match=r"pip install 'cnnexp\[ecg\]'"):
        read_recording(write_ramp(tmp_path, "made", [(5, "N")]))


def test_a_published_record_is_what_its_bytes_say(mirror: Path) -> None:
    """Format 212 and the annotations, decoded here after the format's description."""
    place = mirror / "ecg" / "wfdb-record-100" / "100"
    read = read_recording(place)
    low, shared, high = np.fromfile(place.with_suffix(".dat"), np.uint8).reshape(-1, 3).astype(np.int64).T
    pairs = np.stack([low | (shared & 0x0F) << 8, high | (shared & 0xF0) << 4])
    values = (pairs ^ 0x800) - 0x800  # the twelfth bit is the sign
    np.testing.assert_allclose(read.signal, (values - 1024) / 200, atol=1e-6)
    assert read.rate_hz == 360
    symbols = {code: symbol for symbol, code in CODES.items()}
    decoded = _annotations(np.fromfile(place.with_suffix(".atr"), "<u2").tolist())
    assert read.positions.tolist() == [sample for sample, _ in decoded]
    assert list(read.symbols) == [symbols[code] for _, code in decoded]
    assert len(decoded) == 2274 and read_annotations(place)[1] == read.symbols


def _annotations(words: list[int]) -> list[tuple[int, int]]:
    found, sample, at = [], 0, 0
    while words[at]:
        code, low = words[at] >> 10, words[at] & 0x3FF
        at += 1
        if code == CODE_OF_AUX:
            at += (low + 1) // 2
        elif code not in CODES_OF_NOTES:
            sample += low
            found.append((sample, code))
    return found

"""Sound files as numbers: wav by a reader of our own, flac and ogg where soundfile is installed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile

WAV_SUFFIXES = frozenset({".wav", ".wave"})
OTHER_SUFFIXES = frozenset({".flac", ".ogg", ".oga", ".aif", ".aiff"})
SOUND_SUFFIXES = WAV_SUFFIXES | OTHER_SUFFIXES
MOST_BYTES = 2**30
"""A longer file is none that is learnt from as a whole."""
MOST_HZ = 1_000_000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FIXES = "convert it, say by `ffmpeg -i FILE -c:a pcm_s16le NEW.wav`"


@dataclass(frozen=True)
class SoundFile:
    """What a file holds.

    Attributes:
        sound: float32 (L,), the mean of its channels; whole numbers are divided by the largest of their type.
        rate_hz: samples a second. channels: in the file.
    """

    sound: NDArray[np.float32]
    rate_hz: int
    channels: int


def read_sound(path: Path) -> SoundFile:
    """A file as it is, of any rate and length.

    Raises:
        InputError: it is missing, of no format that is read, or broken.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path}: more than {MOST_BYTES / 2**30:g} GiB; cut it into shorter sounds")
        channels, rate = _read_wav(path) if path.suffix.lower() in WAV_SUFFIXES else _read_other(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not 1 <= rate <= MOST_HZ:
        raise CorruptFile(f"{path}: not a sound ({rate} samples a second)")
    if not np.isfinite(channels).all():
        raise CorruptFile(f"{path}: holds numbers that are not finite")
    return SoundFile(channels.mean(1, dtype=np.float32), rate, channels.shape[1])


def at_rate(sound: NDArray[np.float32], rate_hz: int, wanted_hz: int) -> NDArray[np.float32]:
    """A sound (L,) at another rate, (ceil(L * wanted / rate),): a windowed sinc, at both rates' lower half.

    The filter is scipy's ``resample_poly``: a Kaiser window (beta 5) over ten zero crossings to either side.
    """
    if rate_hz == wanted_hz or not len(sound):
        return sound
    from scipy.signal import resample_poly

    common = gcd(rate_hz, wanted_hz)
    found: NDArray[np.float32] = resample_poly(sound, wanted_hz // common, rate_hz // common).astype(np.float32)
    return found


def fitted(sound: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """A sound (L,) cut at its end, or filled up there with zeros, (length,)."""
    kept = sound[:length]
    return np.concatenate([kept, np.zeros(length - len(kept), np.float32)])


def wav_bytes(sound: NDArray[np.float32], rate_hz: int) -> bytes:
    """A sound (L,) as a wav file of 16 bits, which every browser plays; what is beyond ±1 is cut."""
    content = np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", _PCM, 1, rate_hz, 2 * rate_hz, 2, 16)
    head = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(content))
    return b"RIFF" + struct.pack("<I", len(head) + len(content)) + head + content


def _read_wav(path: Path) -> tuple[NDArray[np.float32], int]:
    """(L, channels) of a RIFF file, and its rate."""
    content = path.read_bytes()
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise CorruptFile(f"{path}: not a wav file (it does not begin like one)")
    form, data = None, None
    place = 12
    while place + 8 <= len(content) and data is None:
        name, size = content[place : place + 4], struct.unpack_from("<I", content, place + 4)[0]
        if name == b"fmt ":
            form = content[place + 8 : place + 8 + size]
        elif name == b"data":
            data = content[place + 8 : place + 8 + size]
            # recorders that were stopped, and those that write into a pipe, leave the largest number there
            if len(data) < size and size < 2**32 - 2**16:
                raise CorruptFile(f"{path}: broken off ({len(data):,} bytes of sound in place of {size:,})")
        place += 8 + size + size % 2
    if form is None or len(form) < 16 or data is None:
        raise CorruptFile(f"{path}: not a whole wav file (its header says not what it holds)")
    return _numbers(path, form, data)


def _numbers(path: Path, form: bytes, data: bytes) -> tuple[NDArray[np.float32], int]:
    kind, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", form)
    if kind == _EXTENSIBLE and len(form) >= 26:
        kind = struct.unpack_from("<H", form, 24)[0]
    width = bits // 8
    if not channels or bits % 8 or frame != channels * width:
        raise CorruptFile(f"{path}: not a whole wav file (its header says {channels} channels of {bits} bits)")
    data = data[: len(data) // frame * frame]
    if kind == _FLOAT and bits in (32, 64):
        values = np.frombuffer(data, f"<f{width}").astype(np.float32)
    elif kind == _PCM and bits in (8, 16, 24, 32):
        values = _whole_numbers(data, width)
    else:
        raise InputError(f"{path}: a wav file of another coding ({kind}, {bits} bits); {_FIXES}")
    return values.reshape(-1, channels), int(rate)


def _whole_numbers(data: bytes, width: int) -> NDArray[np.float32]:
    """Samples of 1 to 4 bytes in [-1, 1); those of one byte have their zero at 128."""
    if width == 1:
        return ((np.frombuffer(data, np.uint8) - 128.0) / 128).astype(np.float32)
    if width == 3:
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3)
        whole = np.zeros((len(parts), 4), np.uint8)
        whole[:, 1:] = parts  # as the upper three bytes of 32 bits, the sign is where it belongs
        return (whole.view("<i4")[:, 0] / 2**31).astype(np.float32)
    whole_numbers = np.frombuffer(data, "<i2" if width == 2 else "<i4")
    return (whole_numbers / 2 ** (8 * width - 1)).astype(np.float32)


def _read_other(path: Path) -> tuple[NDArray[np.float32], int]:
    if path.suffix.lower() not in OTHER_SUFFIXES:
        known = ", ".join(sorted(one[1:] for one in SOUND_SUFFIXES))
        raise InputError(f"{path}: not a sound file by its name ({known}); {_FIXES}")
    with path.open("rb"):
        pass  # a missing file is that, whatever is installed
    try:
        import soundfile
    except ImportError as error:
        raise InputError(
            f"{path}: {path.suffix[1:]} files take soundfile: pip install 'cnnexp[sound]'; wav files need nothing"
        ) from error
    try:
        values, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise CorruptFile(f"{path}: not a readable sound ({' '.join(str(error).split())})") from error
    return values, int(rate)

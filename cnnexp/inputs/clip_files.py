"""Clips in files: a film, a picture that moves, or a folder of frames; so many of their frames, evenly spread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.errors import InputError
from cnnexp.inputs.film_formats import FILM_SUFFIXES
from cnnexp.inputs.films import opened_film
from cnnexp.inputs.folder_walk import by_number
from cnnexp.inputs.picture_files import Size, find_pictures, frames_in, pillow_mode, read_picture

_FORMATS = {1: "gray", 3: "rgb24"}
_UNEVEN = 1.5
"""The longest time between two frames, as a multiple of the shortest: above, a film has no rate of its own."""


@dataclass(frozen=True)
class ClipFile:
    """What a clip says of itself before a frame is decoded.

    Attributes:
        frames: how many it has. even: whether each is shown as long as the next.
    """

    frames: int
    even: bool = True


def look_at(path: Path) -> ClipFile:
    """A film, a picture that moves, or a folder of frames.

    Raises:
        InputError: it cannot be opened, holds no pictures, or no frame.
    """
    if path.is_dir() or path.suffix.lower() not in FILM_SUFFIXES:
        return ClipFile(len(_frames_of(path)))
    with opened_film(path) as (container, stream):
        times = _times(container, stream, path)
    gaps = np.diff(times)
    return ClipFile(len(times), not len(gaps) or bool(gaps.max() <= _UNEVEN * gaps.min()))


def read_clip(path: Path, frames: int, size: Size, channels: int) -> Tensor:
    """A clip as so many frames, the first and the last among them, uint8 (frames, channels, H, W).

    Of a film they are those nearest to times evenly spread, whatever its rate, which may vary; of a picture that moves
    and of a folder, whose files are sorted by the numbers in their names, they are evenly spread by number. Where there
    are fewer than asked for, some come several times.

    Args:
        size: height and width. channels: 1 (grey) or 3 (RGB).

    Raises:
        InputError: as for ``look_at``; or a frame cannot be decoded.
    """
    pillow_mode(channels)
    if not path.is_dir() and path.suffix.lower() in FILM_SUFFIXES:
        return torch.from_numpy(_of_film(path, frames, size, channels))
    there = _frames_of(path)
    chosen = [there[place] for place in np.linspace(0, len(there) - 1, frames).round().astype(int)]
    read = {one: read_picture(one[0], size, channels, one[1])[0] for one in dict.fromkeys(chosen)}
    return torch.stack([read[one] for one in chosen])


def _frames_of(path: Path) -> list[tuple[Path, int]]:
    """Files, and which of the frames in each."""
    if not path.is_dir():
        return [(path, place) for place in range(frames_in(path))]
    there = [(file, 0) for file in sorted(find_pictures(path), key=by_number)]
    if not there:
        raise InputError(f"{path}: a folder without pictures, which are the frames of a clip")
    return there


def _of_film(path: Path, frames: int, size: Size, channels: int) -> NDArray[np.uint8]:
    """uint8 (frames, channels, H, W). All frames are decoded, as each says how the next one differs; only those that
    are asked for are turned into pixels."""
    with _decoding(path) as (times, decoded):
        wanted = _nearest(times, frames)
        seen: dict[int, NDArray[np.uint8]] = {}
        last = None
        for number, frame in enumerate(decoded):
            last = frame
            if number in wanted:
                seen[number] = _pixels(frame, size, channels)
            if number >= wanted[-1]:
                break
        if last is None:
            raise InputError(f"{path}: a film without any frame")
        # a file may promise more frames than can be decoded
        missing = [number for number in wanted if number not in seen]
        seen |= dict.fromkeys(missing, _pixels(last, size, channels)) if missing else {}
    return np.stack([seen[number] for number in wanted])


@contextmanager
def _decoding(path: Path) -> Iterator[tuple[NDArray[np.int64], Iterator[Any]]]:
    """The times of a film's frames in ticks, and the frames."""
    with opened_film(path) as (container, stream):
        times = _times(container, stream, path)
        container.seek(0)
        yield times, container.decode(stream)


def _times(container: Any, stream: Any, path: Path) -> NDArray[np.int64]:
    """When each frame is shown, in ticks, ascending; read from the file without decoding a frame."""
    packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
    if not packets:
        raise InputError(f"{path}: a film without any frame")
    times = [packet.pts for packet in packets]
    if None in times:  # raw streams have no clock
        return np.arange(len(packets))
    return np.sort(np.array(times, np.int64))


def _nearest(times: NDArray[np.int64], frames: int) -> list[int]:
    """The numbers of the frames nearest to times evenly spread."""
    asked = np.linspace(times[0], times[-1], frames)
    after = np.searchsorted(times, asked).clip(1, len(times) - 1) if len(times) > 1 else np.zeros(frames, np.int64)
    before = (after - 1).clip(0)
    nearer: NDArray[np.int64] = np.where(asked - times[before] <= times[after] - asked, before, after)
    return [int(number) for number in nearer]


def _pixels(frame: Any, size: Size, channels: int) -> NDArray[np.uint8]:
    """uint8 (channels, H, W) of a decoded frame, upright; libswscale changes size and colours in one go."""
    turns = round(frame.rotation / 90)
    height, width = size[::-1] if turns % 2 else size
    pixels = frame.to_ndarray(format=_FORMATS[channels], width=width, height=height, interpolation="BILINEAR")
    upright = np.rot90(pixels.reshape(height, width, channels), turns)
    return np.ascontiguousarray(upright.transpose(2, 0, 1))

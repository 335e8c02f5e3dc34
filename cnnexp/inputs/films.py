"""Films, frame by frame: never more than one of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnnexp.errors import InputError
from cnnexp.inputs.base import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

USUAL_RATE = Fraction(25)
"""Frames a second where a film does not say."""
_CLOCK = 60_000
"""Ticks a second in written films: a whole number for each frame at 24, 25, 29.97, 30, 50 and 60 a second."""
_H264, _MPEG4 = "libx264", "mpeg4"
_MPEG4_BITS = 0.3
"""Of each pixel, where there is no H.264 to choose them by quality."""


class Frame(NamedTuple):
    """One picture of a film: its number from 0, its time in seconds after the first one, and its pixels, upright."""

    number: int
    time: Fraction
    picture: Picture


@dataclass(frozen=True)
class Film:
    """A file that holds a film.

    Attributes:
        rate: frames a second, on average. expected: frames, as the file says or its duration; 0 where nobody knows.
        aspect: width of a pixel by its height, of the frames as they are stored.
    """

    path: Path
    rate: Fraction
    expected: int
    aspect: Fraction

    def frames(self) -> Iterator[Frame]:
        """Decode from the beginning to the end; a film that a telephone recorded on its side is turned upright.

        Raises:
            InputError: a frame cannot be decoded, or there is none.
        """
        number, began = 0, Fraction(0)
        with opened_film(self.path) as (container, stream):
            for frame in container.decode(stream):
                time = frame.pts * frame.time_base if frame.pts is not None else began + number / self.rate
                began = time if number == 0 else began
                pixels = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
                yield Frame(number, time - began, np.ascontiguousarray(pixels))
                number += 1
        if number == 0:
            raise InputError(f"{self.path}: a film without any frame")


def open_film(path: Path) -> Film:
    """What a film says of itself, before a frame of it is decoded.

    Raises:
        InputError: there is no such file, it is no film, or it holds sound alone; PyAV is not installed.
    """
    with opened_film(path) as (container, stream):
        rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
        seconds = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
        aspect = stream.sample_aspect_ratio or Fraction(1)
        return Film(path, Fraction(rate), stream.frames or round(seconds * rate), Fraction(aspect))


@contextmanager
def opened_film(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container of PyAV's and its first stream of pictures; an error of the library becomes a line.

    Raises:
        InputError: there is no such file, it is no film, it holds no pictures, or it cannot be decoded; no PyAV.
    """
    av = library()
    try:
        # a file that only names other addresses, such as a playlist, is not followed
        with av.open(str(path), options={"protocol_whitelist": "file"}, metadata_errors="ignore") as container:
            if not container.streams.video:
                raise InputError(f"{path}: holds no pictures, only {_kinds(container)}")
            yield container, container.streams.video[0]
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror})") from error
    except av.error.EOFError as error:
        raise InputError(f"{path}: a film without any frame") from error
    except (av.error.FFmpegError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be decoded as a film ({getattr(error, 'strerror', None) or error})"
        ) from error


def _kinds(container: Any) -> str:
    return ", ".join(dict.fromkeys(stream.type for stream in container.streams)) or "an empty container"


def library() -> Any:
    """PyAV.

    Raises:
        InputError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise InputError("films are read and written with PyAV: pip install 'cnnexp[video]'") from error
    return av


class FilmWriter:
    """A film that is written frame by frame, in H.264 where PyAV has it, else in MPEG-4.

    All frames get the size of the first one, made even by repeating its last column and row, as the codecs need it.

    Args:
        container: an open one of PyAV's. rate: frames a second. aspect: width of a pixel by its height.
    """

    def __init__(self, container: Any, rate: Fraction, aspect: Fraction = Fraction(1)) -> None:
        self._container = container
        self._rate = rate
        self._aspect = aspect
        self._stream: Any = None
        self._last = -1

    def add(self, image: Image, time: Fraction) -> None:
        """Append a frame, RGB, at a time in seconds."""
        av = library()
        if self._stream is None:
            self._stream = self._new_stream(av, image.width + image.width % 2, image.height + image.height % 2)
        pixels = _of_size(np.asarray(image.convert("RGB")), self._stream.width, self._stream.height)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = self._last = max(self._last + 1, round(time * _CLOCK))
        frame.time_base = Fraction(1, _CLOCK)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the codec still holds back."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))

    def _new_stream(self, av: Any, width: int, height: int) -> Any:
        codec = _H264 if _H264 in av.codecs_available else _MPEG4
        stream = self._container.add_stream(codec, rate=self._rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, _CLOCK)
        stream.codec_context.sample_aspect_ratio = self._aspect
        if codec == _H264:
            stream.options = {"crf": "20", "preset": "veryfast"}
        else:
            stream.bit_rate = int(_MPEG4_BITS * width * height * self._rate)
        return stream


@contextmanager
def writing_film(path: Path, container: str, rate: Fraction, aspect: Fraction = Fraction(1)) -> Iterator[FilmWriter]:
    """Write a film to a file, whose index is written when the block ends."""
    with library().open(str(path), "w", format=container) as opened:
        writer = FilmWriter(opened, rate, aspect)
        yield writer
        writer.close()


def _of_size(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """(h, w, 3) cut to the size, or filled up with its last column and row."""
    cut = pixels[:height, :width]
    down, right = height - cut.shape[0], width - cut.shape[1]
    return np.ascontiguousarray(np.pad(cut, ((0, down), (0, right), (0, 0)), mode="edge"))

"""``cnnexp predict`` of a film, or of pictures that become one: frame by frame, with the answers drawn on them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cnnexp.commands.watching import watched
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from cnnexp.averaging.answering import Asking
    from cnnexp.inputs.films import Frame
    from cnnexp.runs.read import Record
    from cnnexp.tasks.base import Task

WRITTEN = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffixes of films that are written, and the container of each. All of them keep the time of each frame."""
MOST_FRAMES_A_SECOND = 1000
CLIPS = "clips"
"""The input of nets that take a film, or a part of it, at once."""

Seeing: TypeAlias = "Callable[[Image], dict[str, Tensor]]"
"""A frame → a batch of one, as the net's data set would store it."""
Draw: TypeAlias = "Callable[[Image, Frame], None]"


@dataclass(frozen=True)
class Source:
    """Frames of a film or of pictures, in order; ``expected`` is 0 where nobody knows how many."""

    name: str
    rate: Fraction
    expected: int
    frames: Callable[[], Iterator[Frame]]
    aspect: Fraction = Fraction(1)


def frame_rate(text: str) -> Fraction:
    """Frames a second: 25, 29.97 or 30000/1001."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= MOST_FRAMES_A_SECOND:
        raise argparse.ArgumentTypeError(f"{text!r}: expected frames a second, such as 25 or 30000/1001")
    return rate


def frame_by_frame(
    files: Sequence[Path], out: Path | None, record: Record | None, words: Sequence[str], config_dir: Sequence[str]
) -> bool:
    """Whether a film is to be read or to be written, by a net that is asked about each frame.

    Args:
        record: the run; None for the settings that ``words`` are.

    Raises:
        InputError: the net takes films as one clip each, and a film is to be written.
    """
    if not any(is_film(path) for path in files) and (out is None or not is_film(out)):
        return False
    if not _sees_clips(record, words, config_dir):
        return True
    if out is not None and is_film(out):
        raise InputError(f"--out {out}: the net has one answer for a clip, and none for a frame; name a folder")
    return False


def _sees_clips(record: Record | None, words: Sequence[str], config_dir: Sequence[str]) -> bool:
    if record is not None:
        data = record.config.get("data")  # a record is not trusted before it is checked
        return isinstance(data, Mapping) and data.get("input") == CLIPS
    from cnnexp.commands.asked import net_named
    from cnnexp.config.options import input_of_model

    path = net_named(words, config_dir)
    return path is not None and input_of_model(path) == CLIPS


def is_film(path: Path) -> bool:
    from cnnexp.inputs.film_formats import FILM_SUFFIXES

    return path.suffix.lower() in FILM_SUFFIXES and not path.is_dir()


def source_of(files: Sequence[Path], out: Path | None, rate: Fraction | None) -> Source:
    """The frames that the files hold.

    Args:
        out: of the drawn film, or folder. rate: that was asked for, of frames that are pictures.

    Raises:
        InputError: several films, a film among pictures, one that cannot be read, or that would be written over.
    """
    films = [path for path in files if is_film(path)]
    from cnnexp.inputs.films import USUAL_RATE, open_film

    if not films:
        return _of_pictures(files, rate or USUAL_RATE)
    if len(files) > 1:
        others = "films" if len(films) == len(files) else "pictures"
        raise InputError(f"{films[0]}: a film is answered by itself; name it without other {others}")
    if rate is not None:
        raise InputError(f"--frame-rate: {films[0]} has a rate of its own; it is for pictures that become a film")
    if not films[0].exists():
        raise InputError(f"{films[0]}: there is no such file")
    if out is not None and out.exists() and out.samefile(films[0]):
        raise InputError(f"--out {out}: is the film that is read; name another file")
    film = open_film(films[0])
    return Source(str(films[0]), film.rate, film.expected, film.frames, film.aspect)


def _of_pictures(files: Sequence[Path], rate: Fraction) -> Source:
    """Pictures as frames, in the order of the numbers in their names."""
    from cnnexp.inputs.folder_walk import by_number

    ordered = sorted(files, key=by_number)

    def frames() -> Iterator[Frame]:
        from cnnexp.inputs.films import Frame
        from cnnexp.inputs.picture_files import read_picture

        size = None
        for number, path in enumerate(ordered):
            picture = read_picture(path, None, 3)[0].permute(1, 2, 0).numpy()
            size = size or picture.shape
            if picture.shape != size:
                now, first = (f"{shape[1]}x{shape[0]}" for shape in (picture.shape, size))
                raise InputError(f"{path}: is {now}, and the first frame {first}; a film has one size")
            yield Frame(number, number / rate, picture)

    return Source(str(ordered[0].parent), rate, len(ordered), frames)


def check_out(out: Path | None) -> None:
    """A drawn film has a suffix that says which kind, and a folder to be in; anything without a suffix is a folder.

    Raises:
        InputError: it has not; PyAV is not installed.
    """
    from cnnexp.inputs.films import library

    library()
    if out is None or out.is_dir() or not out.suffix:
        return
    if out.suffix.lower() not in WRITTEN:
        raise InputError(f"--out {out}: films are written as {', '.join(WRITTEN)}; drawn frames go into a folder")
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")


def predict_film(
    task: Task, ask: Asking, see: Seeing, source: Source, out: Path | None, as_json: bool
) -> dict[str, Any]:
    """Answer every frame; nothing is left of a drawn film that was not finished.

    Args:
        ask: the task, as it is or over views. see: makes a batch of a frame. out: a film's file, or a folder.

    Returns:
        ``file``, ``frames`` (only with ``as_json``: each with its number, its time in seconds and the answer),
        ``count``, ``seconds`` and ``frames_per_second`` of all the work, and ``drawn``.
    """
    from PIL import Image

    rows, count, began = [], 0, time.perf_counter()
    with _drawing(out, source) as draw:
        for frame in watched(source.frames(), source.expected, "frames"):
            answer = ask(see(Image.fromarray(frame.picture)))[0]
            if as_json:
                told = task.answer.as_json(answer, frame.picture)
                rows.append({"frame": frame.number, "time": round(float(frame.time), 4), **told})
            if draw is not None:
                draw(task.answer.frame(frame.picture, answer), frame)
            count += 1
    seconds = time.perf_counter() - began
    found = {"count": count, "seconds": round(seconds, 2), "frames_per_second": round(count / seconds, 2)}
    drawn = {} if out is None else {"drawn": str(out)}
    return {"file": source.name, **({"frames": rows} if as_json else {}), **found, **drawn}


@contextmanager
def _drawing(out: Path | None, source: Source) -> Iterator[Draw | None]:
    """Where drawn frames go: a film, which takes its place when it is complete, or a folder of PNGs."""
    from cnnexp.inputs.films import writing_film
    from cnnexp.runs.atomic import replacing
    from cnnexp.runs.write import disk_error, writable_folder

    if out is None:
        yield None
        return
    film = out.suffix.lower() in WRITTEN and not out.is_dir()
    if not film:
        writable_folder(out, "--out DIR")
    try:
        with ExitStack() as stack:
            if film:
                temporary = stack.enter_context(replacing(out))
                kind = WRITTEN[out.suffix.lower()]
                writer = stack.enter_context(writing_film(temporary, kind, source.rate, source.aspect))
                yield lambda image, frame: writer.add(image, frame.time)
            else:
                yield lambda image, frame: _write(image, out / f"frame-{frame.number:06}.png")
    except OSError as error:
        raise disk_error(error, out.absolute().parent, "--out") from error


def _write(image: Image, path: Path) -> None:
    from cnnexp.visualize.png import write_png

    write_png(image, path)

"""Films read and written frame by frame."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cnnexp.errors import InputError
from cnnexp.inputs import films
from cnnexp.inputs.films import open_film, writing_film
from tests.inputs.made_film import CORNERS, RATE, corner_of, film, picture, turned

av = pytest.importorskip("av")


def test_frames_come_back_with_their_times_and_pictures(tmp_path: Path) -> None:
    opened = open_film(film(tmp_path / "a.mp4"))
    assert (opened.rate, opened.expected, opened.aspect) == (RATE, len(CORNERS), 1)
    frames = list(opened.frames())
    assert [frame.time for frame in frames] == [number / RATE for number in range(len(CORNERS))]
    assert [corner_of(frame.picture) for frame in frames] == CORNERS
    assert frames[0].picture.shape == (64, 96, 3) and frames[0].picture.dtype == np.uint8


def test_times_that_are_not_even_are_kept(tmp_path: Path) -> None:
    times = [Fraction(0), Fraction(1, 10), Fraction(5, 10), Fraction(6, 10)]
    opened = open_film(film(tmp_path / "a.mkv", CORNERS[:4], times))
    assert [round(float(frame.time), 3) for frame in opened.frames()] == [0.0, 0.1, 0.5, 0.6]


def test_a_film_that_was_recorded_on_its_side_is_upright(tmp_path: Path) -> None:
    """Turned clockwise by a quarter, what was at (x, y) of 64 rows is at (63 - y, x)."""
    path = film(tmp_path / "a.mp4", [(8, 20)])
    (frame,) = open_film(turned(path)).frames()
    assert frame.picture.shape == (96, 64, 3)
    assert corner_of(frame.picture) == (64 - 20 - 12, 8)


def test_odd_sizes_are_made_even_by_the_last_row_and_column(tmp_path: Path) -> None:
    (frame,) = open_film(film(tmp_path / "a.mp4", [(63 - 12, 20)], size=(63, 41))).frames()
    assert frame.picture.shape == (42, 64, 3)
    assert frame.picture[25, 63].min() > 200, "the column is repeated, and not black"


def test_without_h264_it_is_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "_H264", "libnothing")
    path = film(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    assert [corner_of(frame.picture) for frame in open_film(path).frames()] == CORNERS


def test_what_is_no_film_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "a.mp4"
    text.write_text("no film at all\n" * 50)
    with pytest.raises(InputError, match=r"a\.mp4: cannot be decoded as a film \(Invalid data found"):
        open_film(text)
    with pytest.raises(InputError, match=r"b\.mp4: cannot be opened \(No such file or directory\)$"):
        open_film(tmp_path / "b.mp4")
    sound = tmp_path / "sound.mkv"
    with av.open(str(sound), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        tone.sample_rate, tone.pts = 8000, 0
        container.mux(stream.encode(tone))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"sound\.mkv: holds no pictures, only audio$"):
        open_film(sound)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"^films are read and written with PyAV: pip install 'cnnexp\[video\]'$"):
        open_film(text)


def test_a_film_without_frames_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "empty.mkv"
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(None))
        container.start_encoding()
    with pytest.raises(InputError, match=r"empty\.mkv: a film without any frame$"):
        list(open_film(path).frames())


def test_frames_of_another_size_get_that_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with writing_film(path, "mp4", RATE) as writer:
        for number, size in enumerate([(96, 64), (120, 80), (40, 30)]):
            writer.add(picture((8, 8), *size), number / RATE)
    assert {frame.picture.shape for frame in open_film(path).frames()} == {(64, 96, 3)}

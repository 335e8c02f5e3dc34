"""Clips in files: which frames of films, pictures that move and folders are taken, and what cannot be read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.errors import InputError
from cnnexp.inputs.clip_files import look_at, read_clip
from tests.inputs.made_film import CORNERS, corner_of, film, turned

av = pytest.importorskip("av")

SIZE = (64, 96)


def corners(clip: torch.Tensor) -> list[tuple[int, int]]:
    return [corner_of(frame.permute(1, 2, 0).numpy()) for frame in clip]


def near(found: list[tuple[int, int]], expected: list[tuple[int, int]]) -> bool:
    """A lossy film moves an edge by a pixel at most."""
    return len(found) == len(expected) and bool((abs(np.array(found) - np.array(expected)) <= 1).all())


def test_frames_of_a_film_are_evenly_spread(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    whole = read_clip(path, 8, SIZE, 3)
    assert whole.shape == (8, 3, *SIZE) and whole.dtype == torch.uint8
    assert near(corners(whole), CORNERS)
    assert near(corners(read_clip(path, 3, SIZE, 3)), [CORNERS[0], CORNERS[3], CORNERS[7]])
    assert near(corners(read_clip(path, 1, SIZE, 3)), CORNERS[:1])
    assert (look_at(path).frames, look_at(path).even) == (8, True)


def test_a_film_of_fewer_frames_shows_some_several_times(tmp_path: Path) -> None:
    clip = read_clip(film(tmp_path / "a.mp4", CORNERS[:3]), 6, SIZE, 3)
    assert near(corners(clip), [CORNERS[place] for place in (0, 0, 1, 1, 2, 2)])


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", CORNERS[:1])
    assert look_at(path).frames == 1 and look_at(path).even
    assert near(corners(read_clip(path, 4, SIZE, 3)), CORNERS[:1] * 4)


def test_a_film_whose_rate_varies_is_sampled_by_its_clock(tmp_path: Path) -> None:
    times = [Fraction(one) for one in (0, 1, 2, 3, 4, 8, 12, 16)]
    path = film(tmp_path / "a.mkv", CORNERS, times)
    assert not look_at(path).even
    # asked: 0, 4, 8, 12 and 16 seconds
    assert near(corners(read_clip(path, 5, SIZE, 3)), [CORNERS[place] for place in (0, 4, 5, 6, 7)])


def test_a_film_is_upright_small_and_grey(tmp_path: Path) -> None:
    # stored lying, of 96×64; shown standing
    clip = read_clip(turned(film(tmp_path / "a.mp4")), 8, (48, 32), 1)
    assert clip.shape == (8, 1, 48, 32)
    rows = [np.nonzero(frame[0].numpy() > 128)[0].min() for frame in clip]
    assert rows[-1] - rows[0] == pytest.approx((CORNERS[7][0] - CORNERS[0][0]) / 2, abs=2), "it moves down now"
    assert clip.max() > 240 and clip.min() < 10


def test_grey_and_colour_agree(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    grey, colour = read_clip(path, 4, SIZE, 1), read_clip(path, 4, SIZE, 3)
    assert (grey.float() - colour.float().mean(1, keepdim=True)).abs().max() < 8


def test_frames_of_a_folder_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (1, 2, 3, 9, 10, 11):
        Image.new("L", (4, 3), 10 * number).save(tmp_path / f"frame{number}.png")
    assert read_clip(tmp_path, 6, (3, 4), 1).float().mean((1, 2, 3)).tolist() == [10, 20, 30, 90, 100, 110]
    assert read_clip(tmp_path, 2, (3, 4), 1).float().mean((1, 2, 3)).tolist() == [10, 110]
    assert look_at(tmp_path).frames == 6


def test_frames_of_a_picture_that_moves(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 3), 50 * place) for place in range(5)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert look_at(tmp_path / "a.gif").frames == 5
    assert read_clip(tmp_path / "a.gif", 3, (3, 4), 1).float().mean((1, 2, 3)).tolist() == [0, 100, 200]


def test_what_holds_no_frames(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "nothing.mp4").write_bytes(b"")
    (tmp_path / "letters.mp4").write_bytes(b"no film at all, but some letters" * 40)
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for name, said in (
        ("empty", "a folder without pictures"),
        ("nothing.mp4", "without any frame|cannot be decoded"),
        ("letters.mp4", "cannot be decoded as a film"),
        ("sound.mp4", "holds no pictures, only audio"),
        ("away.mp4", "cannot be opened"),
    ):
        for ask in (look_at, lambda path: read_clip(path, 4, SIZE, 3)):
            with pytest.raises(InputError, match=said) as caught:
                ask(tmp_path / name)
            assert len(caught.value.lines) == 1 and str(tmp_path / name) in caught.value.lines[0]


def test_other_channels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.channels=2"):
        read_clip(film(tmp_path / "a.mp4"), 4, SIZE, 2)

"""Films through the real command line: trained, asked about a film, shown in a page, refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.test_video_folder import write_films
from tests.integration.conftest import CommandLine
from tests.integration.test_resume_others import CLIPS

pytest.importorskip("av")
pytestmark = pytest.mark.integration


def test_a_film_is_one_clip(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    films = write_films(tmp_path / "films", 12)
    done = cnnexp(*CLIPS, "augmentation.noise.sigma=0", "epochs=12", "model.hidden=16", f"data.root={films}")
    assert done.status == 0, done.err
    run, film = only_run().name, films / "forth" / "00.mp4"
    done = cnnexp("predict", run, str(film), str(films / "back" / "00.mp4"), "--json")
    assert done.status == 0, done.err
    assert [row["top"][0]["label"] for row in json.loads(done.out)] == ["forth", "back"]
    page = tmp_path / "answers.html"
    done = cnnexp("predict", run, str(film), "--html", str(page))
    assert done.status == 0 and "data:image/webp;base64," in page.read_text(encoding="utf-8")
    assert cnnexp("report", run).status == 0
    refused(cnnexp, run, film)


def refused(cnnexp: CommandLine, run: str, film: Path) -> None:
    """What a net for clips cannot be asked, and films that hold none."""
    away, letters = film.parent / "away.mp4", film.parent / "letters.mp4"
    letters.write_bytes(b"no film at all, but some letters" * 40)
    for words, said in (
        ((str(film), "--out", "drawn.mp4"), "--out drawn.mp4: the net has one answer for a clip, and none for a frame"),
        ((str(away),), "away.mp4"),
        ((str(letters),), "letters.mp4: cannot be decoded as a film"),
    ):
        done = cnnexp("predict", run, *words)
        assert done.status == 2 and len(done.err.splitlines()) == 1 and said in done.err, done.err
    letters.unlink()


def test_nets_and_data_of_other_kinds_are_refused(cnnexp: CommandLine) -> None:
    for words, said in (
        (("model=resnet20", "data=moving_digits"), "moving_digits"),
        (("model=cnn_lstm", "data=mnist5k"), "mnist5k"),
        (("model=c3d", "data=moving_digits", "data.frames=8"), "data.frames=8: c3d halves time four times"),
        (("model=cnn_lstm", "data=video_folder"), "add data.root=FOLDER"),
        (("model=cnn_lstm", "data=moving_digits", "data.order=backwards"), "data.order"),
    ):
        done = cnnexp("train", *words)
        assert done.status == 2 and said in done.err, done.err
        assert len(done.err.splitlines()) <= 2

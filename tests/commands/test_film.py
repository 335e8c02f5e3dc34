"""Films in, boxes out: a detector that finds what is bright says where a square is that moves over black."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.commands import film as command
from cnnexp.commands import predict
from cnnexp.errors import InputError
from cnnexp.inputs.films import open_film
from cnnexp.tasks.detection import Detection
from tests.commands.test_predict import parsed
from tests.inputs.made_film import CORNERS, RATE, SIDE, film, picture
from tests.tasks import tiny

av = pytest.importorskip("av")


class Bright(nn.Module):
    """Finds the one bright thing in each picture, of class 1."""

    loss_terms = ("box",)

    def detect(self, x: Tensor) -> list[dict[str, Tensor]]:
        found = []
        for one in x:
            rows, columns = torch.where(one[0] > (0.5 - 0.4) / 0.2)
            box = torch.tensor([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]).float()
            found.append({"boxes": box, "scores": torch.tensor([0.9]), "labels": torch.tensor([1])})
        return found


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Detection:
    """Of pictures of half the films' size, called ``last``; commands run in a folder with ``in.mp4``."""
    task = tiny.task(Detection, Bright(), facts=tiny.facts(image_size=(32, 48)))
    monkeypatch.chdir(tmp_path)
    record = SimpleNamespace(config={"data": {"input": "pictures"}})
    monkeypatch.setattr(predict, "open_run", lambda text, outputs: record)
    monkeypatch.setattr(predict, "_of_run", lambda record, arguments: (task, task.facts.input.read))
    film(tmp_path / "in.mp4")
    return task


def called(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert predict.run(parsed("last", *words)) == 0
    out = capsys.readouterr().out
    return json.loads(out) if "--json" in words else out


def test_boxes_are_where_the_square_is_and_drawn_there(detector: Detection, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = called(capsys, "in.mp4", "--out", "out.mp4", "--json")
    assert row["count"] == len(CORNERS) and row["drawn"] == "out.mp4"
    for number, (frame, (x, y)) in enumerate(zip(row["frames"], CORNERS, strict=True)):
        assert (frame["frame"], frame["time"]) == (number, number / 10)
        (one,) = frame["boxes"]
        assert one["label"] == "bee"
        assert one["box"] == pytest.approx([x, y, x + SIDE, y + SIDE], abs=2), "the net sees half the size"
    drawn = open_film(Path("out.mp4"))
    assert drawn.rate == RATE
    frames = list(drawn.frames())
    assert [frame.time for frame in frames] == [number / RATE for number in range(len(CORNERS))]
    for frame, (x, y) in zip(frames, CORNERS, strict=True):
        assert frame.picture.shape == (64, 96, 3)
        outline = frame.picture[y + SIDE // 2, x - 4 : x].astype(int)
        assert np.ptp(outline, axis=1).max() > 60, "a coloured line stands left of the square"


def test_views_of_frames_and_of_pictures_say_the_same_boxes(
    detector: Detection, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, averaged = (called(capsys, "in.mp4", *words, "--json")[0]["frames"] for words in ((), ("tta=flip",)))
    assert averaged == plain
    picture(CORNERS[0]).save("one.png")
    plain, averaged = (called(capsys, "one.png", *words, "--json")[0]["boxes"] for words in ((), ("tta=dihedral",)))
    assert averaged == plain and len(plain) == 1
    with pytest.raises(InputError, match=r"^tta=flop: there are no such views; did you mean flip"):
        predict.run(parsed("last", "one.png", "tta=flop"))


def test_without_json_it_says_how_fast_it_was(detector: Detection, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = called(capsys, "in.mp4", "--out", "out.mkv").splitlines()
    assert first == "in.mp4" and third == "  drawn: out.mkv"
    assert second.startswith("  8 frames in ") and second.endswith(" frames a second")


def test_drawn_frames_may_go_into_a_folder(detector: Detection, capsys: pytest.CaptureFixture[str]) -> None:
    called(capsys, "in.mp4", "--out", "drawn")
    assert sorted(path.name for path in Path("drawn").iterdir()) == [f"frame-{i:06}.png" for i in range(8)]


def test_pictures_become_a_film_in_the_order_of_their_numbers(
    detector: Detection, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("frames").mkdir()
    for number, corner in enumerate(CORNERS):
        picture(corner).save(f"frames/frame{3 * number}.png")
    (row,) = called(capsys, "frames", "--out", "out.mp4", "--json", "--frame-rate", "5")
    assert [round(one["boxes"][0]["box"][0]) for one in row["frames"]] == [x for x, _ in CORNERS]
    made = open_film(Path("out.mp4"))
    assert (made.rate, made.expected) == (Fraction(5), len(CORNERS))
    picture((0, 0), 50, 50).save("frames/frame99.png")
    with pytest.raises(InputError, match=r"frame99\.png: is 50x50, and the first frame 96x64; a film has one size$"):
        predict.run(parsed("last", "frames", "--out", "other.mp4"))
    assert not Path("other.mp4").exists() and not [*Path().glob(".other*")]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("in.mp4",), "a film: say what is wanted of it, --out FILM.mp4 (drawn on each frame), --json, or both"),
        (("in.mp4", "--out", "in.mp4"), "--out in.mp4: is the film that is read; name another file"),
        (
            ("in.mp4", "--out", "out.gif"),
            "--out out.gif: films are written as .mp4, .mov, .mkv; drawn frames go into a folder",
        ),
        (("in.mp4", "--out", "no/out.mp4"), "--out no/out.mp4: there is no folder no; make it first"),
        (("in.mp4", "in.mp4", "--json"), "in.mp4: a film is answered by itself; name it without other films"),
        (("none.mp4", "--json"), "none.mp4: there is no such file"),
        (("in.mp4", "--json", "--html", "x.html"), "--html: is for pictures, and this is a film; leave it out"),
        (
            ("in.mp4", "--json", "--frame-rate", "5"),
            "--frame-rate: in.mp4 has a rate of its own; it is for pictures that become a film",
        ),
        (
            ("some.png", "--frame-rate", "5"),
            "--frame-rate: is of a film that is made of pictures; name it: --out FILM.mp4",
        ),
    ],
)
def test_bad_words_are_one_line(detector: Detection, words: tuple[str, ...], line: str) -> None:
    with pytest.raises(InputError) as refused:
        predict.run(parsed("last", *words))
    assert refused.value.lines == (line,)
    assert [path.name for path in Path().iterdir()] == ["in.mp4"]


def test_an_interrupted_film_leaves_nothing(detector: Detection, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(items: Iterator[Any], total: int, what: str) -> Iterator[Any]:
        assert (total, what) == (len(CORNERS), "frames")
        for number, one in enumerate(items):
            if number == 5:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(command, "watched", stopping)
    Path("out.mp4").write_text("an older file")
    with pytest.raises(KeyboardInterrupt):
        predict.run(parsed("last", "in.mp4", "--out", "out.mp4"))
    assert Path("out.mp4").read_text() == "an older file"
    assert sorted(path.name for path in Path().iterdir()) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize(
    ("config", "whole"), [({}, False), ({"data": None}, False), ({"data": {"input": "clips"}}, True)]
)
def test_a_record_without_a_word_of_its_input_is_asked_frame_by_frame(config: Any, whole: bool) -> None:
    record: Any = SimpleNamespace(config=config)
    assert command.frame_by_frame([Path("in.mp4")], None, record, [], []) is not whole

"""Files in, answers out: all are read before the first is answered, and no drawing takes another's place."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.commands import predict
from cnnexp.errors import InputError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    predict.add_arguments(parser)
    return parser.parse_args(words)


class Asked:
    """A task that answers how bright a file is, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = SimpleNamespace(
            as_json=lambda answer, picture: {"bright": answer},
            lines=lambda row: [f"brightness {row['bright']}"],
            image=lambda picture, answer: Image.new("L", (2, 2), answer),
        )
        self.facts = SimpleNamespace(
            input=SimpleNamespace(
                suffixes={".txt"},
                noun="text",
                picture=lambda path: np.zeros((1, 1, 1), np.uint8),
                read=lambda path: {},
                heard=lambda batch: [],
                moving=lambda batch: [],
            )
        )

    def read(self, path: Path) -> dict[str, torch.Tensor]:
        text = path.read_text()
        if not text.isdecimal():
            raise InputError(f"{path.name}: not a number")
        self.asked.append(path.name)
        return {"image": torch.tensor([int(text)])}

    def prepare(self, batch: dict[str, torch.Tensor], train: bool) -> dict[str, torch.Tensor]:
        assert not train and not torch.is_grad_enabled()
        return batch

    def predict(self, batch: dict[str, torch.Tensor]) -> list[int]:
        return batch["image"].tolist()


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(predict, "open_run", lambda text, outputs: text)
    monkeypatch.setattr(predict, "_of_run", lambda record, arguments: (made, made.read))
    return made


def write(name: str, text: str) -> str:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return name


def test_answers_come_in_the_order_of_the_files(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write("b.txt", "20"), write("a.txt", "10")]
    assert predict.run(parsed("last", *files)) == 0
    assert capsys.readouterr().out == "b.txt\n  brightness 20\na.txt\n  brightness 10\n"
    assert predict.run(parsed("last", *files, "--json")) == 0
    assert json.loads(capsys.readouterr().out) == [{"file": "b.txt", "bright": 20}, {"file": "a.txt", "bright": 10}]


def test_one_file_that_cannot_be_read_leaves_nothing_half_done(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [write("a.txt", "10"), write("b.txt", "x"), write("c.txt", "y")]
    with pytest.raises(InputError) as refused:
        predict.run(parsed("last", *files, "--out", "drawn"))
    assert list(refused.value.lines) == [
        "b.txt: not a number",
        "c.txt: not a number (--skip-unreadable leaves such files out; 1 can be read)",
    ]
    assert not (tmp_path / "drawn").exists() and capsys.readouterr().out == ""


def test_files_of_one_name_are_drawn_apart(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write("x/a.txt", "10"), write("y/a.txt", "20"), write("a-2.txt", "30"), write("x/a-2.txt", "40")]
    assert predict.run(parsed("last", *files, "--out", "drawn", "--json")) == 0
    drawn = [row["drawn"] for row in json.loads(capsys.readouterr().out)]
    assert len(set(drawn)) == 4
    for path, grey in zip(drawn, (10, 20, 30, 40), strict=True):
        with Image.open(path) as image:
            assert image.getpixel((0, 0)) == grey
    assert sorted(path.name for path in Path("drawn").iterdir()) == sorted(Path(path).name for path in drawn)


def test_a_setting_alone_names_no_file() -> None:
    with pytest.raises(InputError, match=r"^missing: FILE, a picture to classify, as in: cnnexp predict model="):
        predict.run(parsed("model=alexnet", "model.weights=torchvision"))


def test_a_folder_that_cannot_be_written_is_refused_before_the_weights_are_read(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(record: Any, arguments: Any) -> Any:
        raise AssertionError("the weights were read")

    monkeypatch.setattr(predict, "_of_run", never)
    file = write("a.txt", "10")
    with pytest.raises(InputError, match=r"set --out DIR to one that can$"):
        predict.run(parsed("last", file, "--out", file))


def test_a_page_has_the_answers_and_bad_words_about_it_are_refused(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(predict, "open_run", lambda text, outputs: SimpleNamespace(id="a-run", choices={}))
    files = [write("a.txt", "10"), write("b.txt", "20")]
    assert predict.run(parsed("last", *files, "--html", "page.html")) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "page.html"
    page = Path("page.html").read_text()
    assert "brightness 20" in page and page.count("data:image/png;base64") == 2
    with pytest.raises(InputError, match=r"name it so: page\.html"):
        predict.run(parsed("last", *files, "--html", "page.txt"))
    monkeypatch.setattr("cnnexp.report.page.answers.MOST_SHOWN", 1)
    with pytest.raises(InputError, match="2 pictures are too many for a page; name 1 at most"):
        predict.run(parsed("last", *files, "--html", "page.html"))
    with pytest.raises(InputError, match="--before: is about the weights that a run began with"):
        predict.run(parsed("model=alexnet", "model.weights=a.pth", files[0], "--before"))


def test_files_at_their_own_size_are_for_nets_that_answer_for_pixels(asked: Asked) -> None:
    asked.answer.dense = False
    file = write("a.txt", "10")
    with pytest.raises(InputError, match=r"^--own-size: is for nets that answer for every pixel"):
        predict.run(parsed("last", file, "--own-size"))
    asked.answer.dense = True
    with pytest.raises(InputError, match=r"^--own-size: tta=flip looks at"):
        predict.run(parsed("last", file, "tta=flip", "--own-size"))


def test_a_file_at_its_own_size_is_read_whole(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    asked.answer.dense = True
    asked.facts.input.read_whole = lambda path: {"image": torch.tensor([77])}
    assert predict.run(parsed("last", write("a.txt", "10"), "--own-size")) == 0
    assert capsys.readouterr().out == "a.txt\n  brightness 77\n"

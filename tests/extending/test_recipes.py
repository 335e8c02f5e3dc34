"""Every recipe of docs/extending.md, done from an empty folder outside the package, as it stands."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.cli import main
from cnnexp.paths import PACKAGE

PAGE = PACKAGE.parent / "docs" / "extending.md"
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Recipe:
    """Files by name, and the commands that use them."""

    title: str
    files: dict[str, str]
    commands: list[str]


def recipes() -> dict[str, Recipe]:
    found = {}
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        title, _, body = section.partition("\n")
        blocks = _BLOCK.findall(body)
        files = {name: text for _, name, text in blocks if name}
        commands = [line for kind, _, text in blocks if kind == "sh" for line in text.splitlines()]
        if files:
            found[title] = Recipe(title, files, commands)
    return found


RECIPES = recipes()
KINDS = {
    "A net", "A data set", "A kind of input", "A task", "A form of answer", "A loss", "An augmentation",
    "A technique of `visualize`",
}  # fmt: skip


def metrics(folder: Path) -> dict[str, float]:
    (path,) = folder.glob("outputs/*/summary.json")
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    return found


def of_net(folder: Path, said: list[str]) -> None:
    assert "1,498" in said[0]  # (25 + 1) * 8 weights of the convolution and (16 * 8 + 1) * 10 of the head
    (record,) = folder.glob("outputs/*/summary.json")
    assert json.loads(record.read_text(encoding="utf-8"))["parameters"] == 26 * 4 + 65 * 10


def of_data(folder: Path, said: list[str]) -> None:
    assert metrics(folder)["test/accuracy"] > 0.95


def of_input(folder: Path, said: list[str]) -> None:
    assert "400 point sets of 24x2 to train" in said[0]
    assert metrics(folder)["test/accuracy"] > 0.9
    assert "PointNet" in said[1] or "point_net" in said[1]


def of_task(folder: Path, said: list[str]) -> None:
    assert 0.5 < metrics(folder)["test/accuracy"] <= 1
    assert "odd" in (next(folder.glob("outputs/*/predictions.csv"))).read_text(encoding="utf-8")


def of_answer(folder: Path, said: list[str]) -> None:
    assert re.search(r"^ +\d +10% #+$", said[1], re.M), "400 to 411 of the 4,000 training digits are of each class"
    (learnt,) = folder.glob("outputs/*/input.json")
    assert len(json.loads(learnt.read_text(encoding="utf-8"))["targets"]["mine.bars.Bars"]["parts"]) == 10


def of_loss(folder: Path, said: list[str]) -> None:
    found = metrics(folder)
    assert 0 < found["test/loss"] < 2.3, "the focal loss of a guess is below its cross entropy"


def of_augmentation(folder: Path, said: list[str]) -> None:
    picture = np.asarray(Image.open(folder / "solarized.png").convert("L"))
    assert picture.std() > 0
    assert "test/accuracy" in metrics(folder)


def of_technique(folder: Path, said: list[str]) -> None:
    assert re.search(r"training picture \d+: mean \d+\.\d of 255", said[0])


HOLDS: dict[str, Callable[[Path, list[str]], None]] = {
    "A net": of_net,
    "A data set": of_data,
    "A kind of input": of_input,
    "A task": of_task,
    "A form of answer": of_answer,
    "A loss": of_loss,
    "An augmentation": of_augmentation,
    "A technique of `visualize`": of_technique,
}


def test_every_kind_has_its_recipe() -> None:
    assert set(RECIPES) == KINDS == set(HOLDS)
    assert all(recipe.commands for recipe in RECIPES.values())


@pytest.mark.integration
@pytest.mark.parametrize("title", sorted(KINDS))
def test_a_recipe_works_from_a_folder_outside_the_package(
    tmp_path: Path, title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = RECIPES[title]
    for name, text in recipe.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(tmp_path / "digit.png")
    HOLDS[title](tmp_path, [run(command, capsys) for command in recipe.commands])


@pytest.fixture(autouse=True)
def own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder, whose package ``mine`` nobody finds afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in [name for name in sys.modules if name == "mine" or name.startswith("mine.")]:
        del sys.modules[name]


def run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints."""
    name, *words = shlex.split(command)
    assert name == "cnnexp"
    status = main(words)
    said = capsys.readouterr()
    assert status == 0, said.err + said.out
    return said.out

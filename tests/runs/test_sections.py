from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnexp.config.compose import compose_run, to_yaml
from cnnexp.runs.read import read_record, read_records
from cnnexp.runs.sections import Sections
from tests.runs.conftest import MakeRun

WORDS = ("model=lenet5", "model=unet data=digit_scenes", "model=yolo data=bccd optimizer=sgd", "data=camvid model=unet")


@pytest.mark.parametrize("words", WORDS)
def test_composed_configurations_are_read_in_parts_and_as_yaml_reads_them(words: str) -> None:
    text = to_yaml(compose_run(words.split()))
    assert Sections().read(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: 2.5\nc: -3\nd: -0.5e-03\n",
        "a: 1e5\nb: 012\nc: 1_000\nd: 1:30\ne: 0x1f\nf: .5\ng: 5.\nh: 1.5e3\ni: -0\n",
        "a: yes\nb: 'no'\nc: null\nd: ~\ne: 2026-11-21\nf: ''\n",
        "a: one\n  two\nb:\n  one\n  two\n",
        "a:\n- 1\n- b: 2\n  c: 3\nb:\n  c:\n  - 1\n  d: {}\n",
        "a: 'x\n\n  b: y'\nc: 1\n",
        'a: "x\nb: y"\nc: 1\n',
        "a: [1,\nb, 2]\nc: 3\n",
        "a:\n  b: 'one\n  c: two'\n  d: 4\n",
        "a: |\n  x\nb: >\n  y\n",
        "# first\na: 1 # one\nb: 2\n",
        "a: 1\na: 2\n",
        "a:\nb:\n  c:\n",
        "a.b: 1\na-b: 2\n_a: 3\n",
        "a: 1\n? b\n: 2\n",
    ],
)
def test_what_is_read_in_parts_is_what_yaml_reads(text: str) -> None:
    found = Sections().read(text)
    assert found is None or found == yaml.safe_load(text), found


def test_random_text_is_never_read_as_something_else() -> None:
    draws = random.Random(0)
    pieces = [
        "a",
        "b",
        ": ",
        ":",
        "\n",
        "\n  ",
        "\n- ",
        "'",
        '"',
        "1",
        "0.5",
        "[",
        "]",
        ", ",
        "#",
        " ",
        "{",
        "}",
        "key",
    ]
    compared = 0
    for _ in range(20_000):
        text = "key: 1\n" + "".join(draws.choices(pieces, k=draws.randrange(1, 12))) + "\n"
        found = Sections().read(text)
        if found is not None:
            assert found == yaml.safe_load(text), text
            compared += 1
    assert compared > 500


@pytest.mark.parametrize(
    "text", ["a: &x 1\nb: *x\n", "a: 1\n---\nb: 2\n", "%YAML 1.1\n---\na: 1\n", "- 1\n", "a\n", ""]
)
def test_what_is_tied_together_is_left_to_yaml(text: str) -> None:
    assert Sections().read(text) is None


def test_records_read_together_are_those_read_alone_and_share_their_sections(make_run: MakeRun) -> None:
    folders = [make_run().folder for _ in range(2)]
    together = read_records(folders)
    assert together == [read_record(folder) for folder in folders]
    assert together[0].config["choices"] is together[1].config["choices"]


def test_a_damaged_configuration_is_as_damaged_among_others(make_run: MakeRun) -> None:
    folders: list[Path] = [make_run().folder for _ in range(3)]
    broken: list[Any] = ["a: [1", "a: &x [1]\nb: *x"]
    for folder, text in zip(folders[1:], broken, strict=True):
        (folder / "config.yaml").write_text(text)
    together = read_records(folders)
    assert [record.status for record in together] == ["running", "damaged", "damaged"]
    assert [record.problem for record in together] == [read_record(folder).problem for folder in folders]

"""The words of ``cnnexp summary``: what is refused before a net is made, and how several nets are named."""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cnnexp.cli import main
from cnnexp.commands import summary
from cnnexp.errors import InputError

CONTENT: dict[str, Any] = {
    "model": "resnet50",
    "input": [3, 224, 224],
    "input_activations": 150_528,
    "layers": [],
    "totals": {"parameters": 25, "trainable": 25, "multiply_adds": 4_000_000_000, "activation_bytes": 8},
    "training": None,
}


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    summary.add_arguments(parser)
    return parser.parse_intermixed_args(words)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words of every net that would be composed; none is made."""
    asked: list[list[str]] = []

    def compose(words: list[str], own_folders: list[str]) -> dict[str, Any]:
        asked.append(words)
        named = next(word for word in reversed(words) if word.startswith("model="))
        return {"choices": {"model": named.split("=")[1]}, "data": {"input": "pictures"}}

    monkeypatch.setattr("cnnexp.config.compose.compose_run", compose)
    monkeypatch.setattr("cnnexp.anatomy.subject.find_subject", lambda config, *_: config["choices"]["model"])
    monkeypatch.setattr("cnnexp.anatomy.subject.described", lambda name: {**CONTENT, "model": name})
    return asked


@pytest.mark.parametrize("text", ["3x224x224", "3X224X224", "3×224×224"])
def test_a_size_may_be_written_with_any_cross(text: str) -> None:
    assert summary._numbers(text) == (3, 224, 224)


def test_a_size_has_as_many_numbers_as_the_input_takes() -> None:
    assert [summary._numbers(text) for text in ("128", "2x500", "3x8x32x32", None)] == [
        (128,),
        (2, 500),
        (3, 8, 32, 32),
        None,
    ]


@pytest.mark.parametrize(
    "text", ["", "3x", "x3", "3x0x224", "-3x4x4", "3,224,224", "3x2.5x4", "3x²x4", "axb", "3x4:chw", "3x4x5:xyz"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"expected numbers with x between them, for example 3x224x224$") as refused:
        summary._numbers(text)
    assert str(refused.value).startswith(f"--input {text}: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--classes", "0"), ["--classes 0: expected a number of at least 1"]),
        (("--depth", "0"), ["--depth 0: expected a number of at least 1, the modules of the net itself"]),
        (("--json", "--csv"), ["--json and --csv: give one of them"]),
        (("--classes", "-1", "--json", "--csv"), ["--classes -1: expected", "--json and --csv"]),
        (("model=a,,b",), ["model=a,,b: expected values with a comma between them, such as model=resnet20,resnet56"]),
    ],
)
def test_all_that_is_wrong_is_said_before_a_net_is_made(
    words: tuple[str, ...], says: list[str], made: list[list[str]]
) -> None:
    with pytest.raises(InputError) as refused:
        summary.run(parsed(*words))
    assert len(refused.value.lines) == len(says)
    assert all(line.startswith(start) for line, start in zip(refused.value.lines, says, strict=True))
    assert made == []


def test_a_plot_that_cannot_be_written_is_refused_before_a_net_is_made(tmp_path: Path, made: list[list[str]]) -> None:
    with pytest.raises(InputError, match=r"^--plot .*net\.pdf: the picture is a PNG"):
        summary.run(parsed("model=a", "--plot", str(tmp_path / "net.pdf")))
    assert made == []


def test_each_of_several_nets_has_all_the_other_words(
    made: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert summary.run(parsed("data=mnist5k", "model=one,two", "batch_size=8", "model=three,four", "--json")) == 0
    assert made == [["data=mnist5k", "batch_size=8", f"model={name}"] for name in ("one", "two", "three", "four")]
    content = json.loads(capsys.readouterr().out)
    assert [one["model"] for one in content] == ["one", "two", "three", "four"]
    assert all("layers" not in one for one in content)


def test_one_net_is_shown_with_its_layers_and_the_published_error(
    made: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert summary.run(parsed("model=resnet50", "--json")) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["layers"] == [] and content["imagenet"]["top5_error"] == 6.71


def test_a_net_is_given_data_that_suits_it(made: list[list[str]]) -> None:
    summary.run(parsed("model=unet", "--input", "3x64x64", "--json"))
    summary.run(parsed("model=unet", "data=camvid", "--input", "3x64x64", "--json"))
    summary.run(parsed("model=unet", "--json"))
    assert made == [
        ["model=unet", "data=digit_scenes"],
        ["model=unet", "data=camvid"],
        ["model=unet", "data=digit_scenes"],
    ]


def test_the_challenge_needs_no_net(made: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert summary.run(parsed("--ilsvrc", "--input", "nonsense")) == 0
    assert "AlexNet" in capsys.readouterr().out and made == []


def test_a_plot_of_several_nets_is_refused(made: list[list[str]], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^--plot: a picture is of one net, not of 2; give one"):
        summary.run(parsed("model=a,b", "--plot", str(tmp_path / "x.png")))


def test_any_key_may_have_several_values(made: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert summary.run(parsed("model=mine", "model.kernel=3,5", "model.kind=plain,odd", "--json")) == 0
    assert made == [
        ["model=mine", f"model.kernel={k}", f"model.kind={kind}"] for k in (3, 5) for kind in ("plain", "odd")
    ]
    content = json.loads(capsys.readouterr().out)
    assert content[1]["settings"] == {"model.kernel": "3", "model.kind": "odd"}


@pytest.mark.integration
def test_plain_and_separable_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """1,413,834 are the preset's; a separable layer has a filter a map and then the products of maps."""
    assert main(["summary", "model=plain_cnn", "model.convolution=plain,separable", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["model.convolution"] for row in rows] == ["plain", "separable"]
    assert int(rows[0]["parameters"]) == 1_413_834 > int(rows[1]["parameters"])

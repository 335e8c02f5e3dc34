"""The table of nets with published weights."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from cnnexp.cli import main
from cnnexp.report.pretrained import PretrainedNet, PretrainedTable, as_content, ordered

A = PretrainedNet("a", None, "torchvision", "V1", 3.0, False, 10, 5, 70.0, 9)
B = PretrainedNet("b_of_timm", "b", "timm", "in1k", 1.0, True, 30, 4, None, None)
C = PretrainedNet("c", "c", "torchvision", "V2", 2.0, False, 20, 6, 80.0, 8)


@pytest.mark.parametrize(
    ("by", "names"), [("name", "abc"), ("top1", "cab"), ("size", "bca"), ("parameters", "acb"), ("depth", "bac")]
)
def test_orders(by: str, names: str) -> None:
    assert "".join((net.option or net.name)[0] for net in ordered([C, B, A], by)) == names


def test_the_widest_names_and_figures_fit_eighty_columns() -> None:
    wide = replace(
        A, name="mobilenet_v3_large", file_mb=2_416.6, parameters=644_812_894, multiply_adds=1_016_717_000_000
    )
    timm = replace(B, option="inception_resnet_v2")
    console = Console(width=80, file=io.StringIO(), highlight=False)
    console.print(PretrainedTable([wide, timm]))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 80
    assert lines[2].split() == ["mobilenet_v3_large", "torchvision", "2,416.6", "644,812,894", "5", "70.0", "1.02", "T"]
    assert lines[3].split() == ["inception_resnet_v2*", "timm", "1.0", "30", "4", "-", "-"]


def test_for_other_programs() -> None:
    content = as_content([B])[0]
    assert (content["words"], content["depth"], content["top1"]) == (["model=b", "model.weights=in1k"], 4, None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--sort", "top1"], "--sort: is for the nets with weights; cnnexp list models --pretrained --sort top1"),
        (["--pretrained", "--sort", "best"], "--sort best: expected one of name, top1, size, parameters, depth"),
        (["--pretrained", "--markdown"], "--markdown and --pretrained: give one of them"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "models", *words]) == 2
    assert says in capsys.readouterr().err
    assert main(["list", "data", "--pretrained"]) == 2
    assert "--pretrained: is for the nets" in capsys.readouterr().err

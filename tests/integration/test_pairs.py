"""Own pairs of texts from the command line: trained, killed and resumed, asked; what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import CommandLine
from tests.integration.test_resume import differences, outcome

NET = ("model=two_towers", "model.width=6", "model.maps=4", "model.code=5", "model.hidden=4", "batch_size=8")


def table(folder: Path) -> Path:
    """Molecules and proteins of single letters, how well they bind, and whether they do."""
    rows = ["smiles,protein,label,affinity"]
    for number in range(120):
        molecule, protein = "cN"[number % 2] * (3 + number % 5) + "C", "ACDW"[number % 4] * (4 + number % 7)
        rows.append(f"{molecule},{protein},{'binds' if number % 3 else 'does not'},{number % 2 + number % 4 / 4}")
    file = folder / "pairs.csv"
    file.write_text("\n".join([*rows, "CC,,binds,1", "CC,WW,,"]), encoding="utf-8")
    return file


@pytest.mark.integration
def test_they_go_on_to_the_bit(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    words = (
        "train", *NET, "data=pairs", f"data.file={table(tmp_path)}", "epochs=2", "hardware.threads=1",
        "checkpoint.every_steps=3",
    )  # fmt: skip
    done = cnnexp(*words)
    assert done.status == 0, done.err
    assert "122 pairs: 120 used" in done.out, done.out
    expected = outcome(only_run())
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*words, kill="batch:7").status == -9
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []


@pytest.mark.integration
def test_numbers_of_letters(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    words = (
        "data=pairs", f"data.file={table(tmp_path)}", "task=regression", "model.shared=false", "data.alike=[]",
        "data.parts.first.unit=letter", "data.parts.second.unit=letter", "data.columns.value=affinity",
    )  # fmt: skip
    done = cnnexp("train", *NET, *words, "epochs=1", "hardware.threads=1")
    assert done.status == 0, done.err
    learnt = json.loads((only_run() / "input.json").read_text(encoding="utf-8"))
    assert sorted(learnt["first"]["words"]) == ["C", "N", "c"]
    assert sorted(learnt["second"]["words"]) == ["A", "C", "D", "W"]
    metrics = json.loads((only_run() / "summary.json").read_text(encoding="utf-8"))["metrics"]
    assert 0 <= metrics["test/concordance"] <= 1
    for name, text in {"a.txt": "cccC", "b.txt": "WWWW", "pair.json": '{"first": "a.txt", "second": "b.txt"}'}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = cnnexp("predict", only_run().name, str(tmp_path / "pair.json"))
    assert done.status == 0 and "affinity" in done.out, done.out + done.err
    said = done.out.splitlines()[1:]
    (tmp_path / "pairs.txt").write_text("cccC\tWWWW\n", encoding="utf-8")
    for asked in (("--text", "cccC", "--text", "WWWW"), ("--lines", str(tmp_path / "pairs.txt"))):
        done = cnnexp("predict", only_run().name, *asked)
        assert done.out.splitlines() == ["cccC", "WWWW", *said], done.out + done.err
    done = cnnexp("visualize", "neighbours", only_run().name)
    assert done.status == 2 and "a sample has several parts" in done.err
    done = cnnexp("predict", only_run().name, "--text", "cccC")
    assert done.status == 2 and "stands alone, and the net takes 2 texts at once" in done.err


@pytest.mark.integration
def test_what_is_refused(cnnexp: CommandLine, tmp_path: Path) -> None:
    file = table(tmp_path)
    for words, line in {
        ("data=pairs",): "add data.file=FILE.csv",
        ("data=pairs", f"data.file={file}", "data.columns.first=drug"): "data.columns.first=drug: no such column",
        ("data=pairs", f"data.file={file}", "data.alike=[]"): "model.shared=false, or data.alike=[first,second]",
        ("data=pairs", f"data.file={file}", "data.alike=[first,third]"): "data.alike=['first', 'third']",
        ("data=mnist5k",): "model=two_towers",
    }.items():
        done = cnnexp("train", *NET, *words)
        assert done.status == 2 and line in done.err, done.err
    assert not (tmp_path / "outputs").exists()

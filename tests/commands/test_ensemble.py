"""The words of ``cnnexp ensemble``: weights, runs and a place for the answers, before anything heavy is opened."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from cnnexp.commands import ensemble
from cnnexp.errors import InputError
from cnnexp.runs.read import Record


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    ensemble.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    for letter in "ab":
        folder = tmp_path / "outputs" / f"20261121-100000-{letter}"
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text("choices: {model: lenet5, data: mnist5k}\n")
        (folder / "run.json").write_text('{"schema_version": 1, "status": "finished"}')
    return tmp_path / "outputs"


def test_weights_are_1_or_as_given() -> None:
    assert ensemble._weights(None, 3) == [1.0, 1.0, 1.0]
    assert ensemble._weights("2,1.5,1e-3", 3) == [2.0, 1.5, 0.001]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,2", "2 weights for 3 runs; give one for each"),
        ("1,2,3,4", "4 weights for 3 runs; give one for each"),
        ("1,2,", "expected numbers with commas between them, such as 2,1,1"),
        ("1;2;3", "expected numbers with commas"),
        ("1,-1,2", "each must be a finite number above 0; leave a run out instead of 0"),
        ("1,inf,2", "each must be a finite number"),
        ("1,nan,2", "each must be a finite number"),
    ],
)
def test_weights_that_make_no_mean_are_refused(text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        ensemble._weights(text, 3)
    assert str(refused.value).startswith(f"--weights {text}: {says}")


def test_runs_come_in_the_order_given(outputs: Path) -> None:
    found = ensemble._opened(["20261121-100000-b", "20261121-100000-a"], outputs)
    assert [record.id[-1] for record in found] == ["b", "a"]


def test_one_run_by_two_names_is_given_twice(outputs: Path) -> None:
    with pytest.raises(InputError, match=r"^20261121-100000-a: given twice; --weights says how much a run counts$"):
        ensemble._opened(["20261121-100000-a", str(outputs / "20261121-100000-a")], outputs)


def test_every_run_that_there_is_not_has_a_line(outputs: Path) -> None:
    with pytest.raises(InputError) as refused:
        ensemble._opened(["nosuch", "20261121-100000-a", "neither"], outputs)
    assert [line.split(":")[0] for line in refused.value.lines] == ["nosuch", "neither"]


def test_a_folder_with_an_equals_sign_is_a_run_and_no_setting(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (outputs / "lr=0.1").mkdir()
    monkeypatch.chdir(outputs)
    assert [ensemble._is_setting(word) for word in ("data=mnist", "lr=0.1", "last")] == [True, False, False]
    with pytest.raises(InputError, match=r"^no run: an ensemble takes two runs at least"):
        ensemble.run(parsed("data=mnist", "tta=flip", "--outputs", str(outputs)))


def test_answers_go_to_a_file_whose_folder_is_not_made_yet(tmp_path: Path) -> None:
    assert ensemble._writable(str(tmp_path / "new" / "answers.csv")) == tmp_path / "new" / "answers.csv"
    assert not (tmp_path / "new").exists()
    with pytest.raises(
        InputError, match=rf"--out {tmp_path}/: this is a folder; name a file, such as {tmp_path}/answers"
    ):
        ensemble._writable(f"{tmp_path}/")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--out FILE"):
        ensemble._writable(str(tmp_path / "file" / "answers.csv"))


CONTENT: dict[str, Any] = {
    "data": "mnist5k", "split": "test", "tta": "flip", "metric": "test/accuracy", "samples": 1000, "noun": "picture",
}  # fmt: skip


def test_for_other_programs_it_is_json_and_nothing_else(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [Record(outputs / letter, letter, "finished") for letter in "ab"]
    ensemble._print(CONTENT, records, outputs, parsed("a", "b", "--json", "--out", "answers.csv"))
    assert json.loads(capsys.readouterr().out) == CONTENT

"""The words of ``cnnexp test``, and how metrics are printed; the evaluation itself is tested through real runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from cnnexp.commands import test as command
from cnnexp.errors import InputError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    command.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize("word", ["optimizer.lr=0.1", "epochs=3", "tta=flip", "modelweights=x"])
def test_without_a_run_settings_of_a_training_are_refused(word: str) -> None:
    with pytest.raises(InputError) as refused:
        command.run(parsed("model=resnet20", "data=cifar10", word))
    assert str(refused.value) == (
        f"{word}: without a run test takes model, data, hardware, batch_size and their keys only, as in: "
        "cnnexp test model=resnet20 model.weights=resnet20.th data=cifar10"
    )


def test_a_setting_that_comes_first_is_one_of_them() -> None:
    with pytest.raises(InputError, match=r"^epochs=3: without a run"):
        command.run(parsed("epochs=3", "model=resnet20"))


def test_a_folder_with_an_equals_sign_is_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lr=0.1").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^lr=0\.1: there are no runs in outputs"):
        command.run(parsed("lr=0.1", "--outputs", "outputs"))


CONTENT: dict[str, Any] = {"id": "20261121-a", "data": "mnist", "metrics": {"val/accuracy": 0.98765, "val/loss": 12.5}}


def test_what_was_tested_with_what_stands_above_the_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    command._print(CONTENT, parsed("last", "--split", "val", "--checkpoint", "last"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "20261121-a, last weights, on the val split of mnist"
    assert [line.split() for line in lines[1:]] == [["val/accuracy", "0.9877"], ["val/loss", "12.5000"]]


@pytest.mark.parametrize(("option", "value"), [("--split", "train"), ("--checkpoint", "first")])
def test_only_what_is_held_out_is_tested_on(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("last", option, value)
    assert "invalid choice" in capsys.readouterr().err

"""Before a sweep's first trial a child binds every configuration: its answer, and what happens where it has none."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cnnexp.errors import InputError, RunFailed
from cnnexp.runs.lock import RunLock
from cnnexp.sweep.checking import ANSWER, QUESTION, main, refuse_unfitting
from cnnexp.sweep.executors import Forking
from tests.builders.made import configuration


class Child(Forking):
    """Answers in this process, or ends without an answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: int | None = 0, output: str = "") -> None:
        super().__init__()
        self._patch, self._status, self._output = monkeypatch, status, output
        self.folder = Path()

    def start(self, job: Path, lock: RunLock) -> str | None:
        asked, self.folder = json.loads(job.read_text()), job.parent
        assert asked["module"] == "cnnexp.sweep.checking"
        if self._status == 0:
            self._patch.setattr(sys, "argv", [asked["module"], *asked["argv"]])
            main()
        (self.folder / "output.txt").write_text(self._output)
        (self.folder / "process.json").write_text(json.dumps({"status": self._status}))
        lock.release()
        return None


def checked(child: Child, *configs: dict[str, Any], trusted: tuple[str, ...] = ()) -> None:
    refuse_unfitting(configs, trusted, child)


def test_configurations_that_fit_pass_and_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child(monkeypatch)
    checked(child, configuration(), configuration(seed=1))
    assert child.folder != Path() and not child.folder.exists()


def test_the_same_problem_of_many_is_one_line_and_all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = [configuration(model={"widht": 1}, seed=seed) for seed in range(3)]
    other = [configuration(data={"cuont": 1}), configuration(regularization={"class_weights": [1, 2]})]
    child = Child(monkeypatch)
    with pytest.raises(InputError) as refused:
        checked(child, *wide, *other)
    begins = [line.split(": ")[0] for line in refused.value.lines]
    assert begins == ["model.widht", "data.cuont", "regularization.class_weights"]
    assert not child.folder.exists()


def test_what_is_trusted_reaches_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    config = configuration(optimizer={"_target_": "own_of_nobody.Sgd"})
    for trusted, says in (((), "--trust own_of_nobody"), (("own_of_nobody",), "there is no such class")):
        with pytest.raises(InputError, match=says):
            checked(Child(monkeypatch), config, trusted=trusted)


@pytest.mark.parametrize(
    ("status", "output", "says"),
    [
        (1, "one\nMemoryError\n", "the space could not be checked: MemoryError"),
        (None, "", "the space could not be checked: its process was killed"),
    ],
)
def test_a_child_without_an_answer_is_no_yes(
    status: int | None, output: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunFailed, match=says):
        checked(Child(monkeypatch, status, output), configuration())


def test_a_fault_in_the_check_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / QUESTION).write_text(json.dumps({"configs": [{}], "trusted": []}))
    monkeypatch.setattr(sys, "argv", ["checking", str(tmp_path)])
    with pytest.raises(KeyError):
        main()
    assert not (tmp_path / ANSWER).exists()

"""Runs that are not there, damaged or used wrongly: one line that names the fix, exit status 2, nothing changed."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.integration.conftest import CommandLine, copy_run
from tests.integration.refusing import OFFLINE, Case, assert_refused, case

pytestmark = pytest.mark.integration

USES = {"resume": ("resume", "last"), "test": ("test", "last"), "predict": ("predict", "last", "digit.png")}


def _tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _no_json(run: Path) -> None:
    (run / "run.json").write_text("[1, 2]")


def _other_version(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "schema_version": 99}))


def _edit(run: Path, old: str, new: str) -> None:
    text = (run / "config.yaml").read_text()
    assert old in text
    (run / "config.yaml").write_text(text.replace(old, new))


DAMAGED_RECORDS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "torn run.json": (lambda run: _tear(run / "run.json"), ("damaged", "run.json")),
    "empty run.json": (lambda run: (run / "run.json").write_text(""), ("damaged", "run.json")),
    "run.json of another shape": (_no_json, ("damaged", "run.json", "object")),
    "run.json of another version": (_other_version, ("damaged", "version 99")),
    "run.json of random bytes": (
        lambda run: (run / "run.json").write_bytes(random.Random(0).randbytes(500)),
        ("damaged",),
    ),
    "config.yaml with an error": (lambda run: (run / "config.yaml").write_text("a: [1, 2"), ("damaged",)),
    "config.yaml is missing": (lambda run: (run / "config.yaml").unlink(), ("damaged", "config.yaml")),
    "torn summary.json": (lambda run: _tear(run / "summary.json"), ("damaged", "summary.json")),
    "config.yaml of a later version": (lambda run: _edit(run, "seed: 0", "sede: 0"), ("sede", "seed")),
    "config.yaml with another type": (lambda run: _edit(run, "epochs: 1", "epochs: many"), ("epochs=many", "whole")),
    "config.yaml without a class": (lambda run: _edit(run, "_target_: cnnexp.models", "target: x"), ("_target_",)),
    "config.yaml without the choices": (lambda run: _edit(run, "  model: lenet5\n", ""), ("damaged", "choices")),
    "config.yaml that was cut off": (lambda run: _cut_between_lines(run / "config.yaml", 700), ("damaged", "cut off")),
    "run.json of another program": (lambda run: (run / "run.json").write_text("{}"), ("no run of cnnexp",)),
}
FURTHER_LINES = {"config.yaml of a later version": (("seed: missing",), ("sede", "seed"))}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("damage", DAMAGED_RECORDS)
def test_a_damaged_record(damage: str, use: str, trained: Path, here: CommandLine, work: Path) -> None:
    run = copy_run(trained, work)
    Image.new("L", (28, 28)).save(work / "digit.png")
    spoil, says = DAMAGED_RECORDS[damage]
    spoil(run)
    lines = FURTHER_LINES.get(damage, (says,))
    assert_refused(lambda: here(*USES[use], cwd=work), use, [(run.name, *line) for line in lines], work)


def test_a_finished_run_without_its_summary_can_still_be_used(trained: Path, cnnexp: CommandLine, work: Path) -> None:
    run = copy_run(trained, work)
    (run / "summary.json").unlink()
    done = cnnexp("test", "last", cwd=work)
    assert done.status == 0, done.err


def _cut_between_lines(path: Path, least: int) -> None:
    """After the first whole line from that place on: what is left is YAML."""
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\n", least) + 1])


def _random_bytes(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(5000))


def _a_list(path: Path) -> None:
    torch.save([1, 2], path)


def _another_net(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    net = {"weight": torch.zeros(3)}
    checkpoint = (
        {**checkpoint, "state_dict": {"net.weight": net["weight"]}} if "state_dict" in checkpoint else {"net": net}
    )
    torch.save(checkpoint, path)


DAMAGED_CHECKPOINTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (_tear, "damaged"),
    "random": (_random_bytes, "damaged"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "a list": (_a_list, "list"),
    "of another net": (_another_net, "another net"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "has no"),
}
USES_OF_WEIGHTS = {
    "test": ("test", "last"),
    "test with the last": ("test", "last", "--checkpoint", "last"),
    "predict": ("predict", "last", "digit.png"),
    "go on": ("resume", "last", "epochs=2"),
}


@pytest.mark.parametrize("use", USES_OF_WEIGHTS)
@pytest.mark.parametrize("damage", DAMAGED_CHECKPOINTS)
def test_a_damaged_checkpoint(damage: str, use: str, trained: Path, cnnexp: CommandLine, work: Path) -> None:
    run = copy_run(trained, work)
    Image.new("L", (28, 28)).save(work / "digit.png")
    spoil, says = DAMAGED_CHECKPOINTS[damage]
    name = "last.ckpt" if use in ("test with the last", "go on") else "best.ckpt"
    spoil(run / "checkpoints" / name)
    words = USES_OF_WEIGHTS[use]
    assert_refused(lambda: cnnexp(*words, cwd=work), words[0], [(run.name, name, says)], work)


@pytest.mark.parametrize("damage", DAMAGED_CHECKPOINTS)
def test_a_damaged_checkpoint_of_a_stopped_run(damage: str, stopped: Path, cnnexp: CommandLine, work: Path) -> None:
    run = copy_run(stopped, work)
    spoil, says = DAMAGED_CHECKPOINTS[damage]
    spoil(run / "checkpoints" / "last.ckpt")
    words = ("resume", "last", "max_steps=null")
    assert_refused(lambda: cnnexp(*words, cwd=work), "resume", [(run.name, "last.ckpt", says)], work)


def test_runs_that_are_not_there_and_prefixes_that_are_several(trained: Path, cnnexp: CommandLine, work: Path) -> None:
    run = copy_run(trained, work)
    shutil.copytree(run, run.with_name(f"{run.name}x"))
    shared = run.name[:10]
    for command, *rest in (("resume",), ("test",), ("predict", "a.png"), ("compare",)):
        lines = [(shared, "2 runs", run.name, "give more")]
        assert_refused(lambda c=command, r=rest: cnnexp(c, shared, *r, cwd=work), command, lines, work)  # type: ignore[misc]
        lines = [("nosuchrun", "no such run")]
        assert_refused(lambda c=command, r=rest: cnnexp(c, "nosuchrun", *r, cwd=work), command, lines, work)  # type: ignore[misc]


REFUSED_OF_RUNS = {
    "going on with fewer epochs": case("resume last epochs=1", "has finished its 1 epochs", "epochs=2"),
    "going on without more epochs": case("resume last", "has finished its 1 epochs", "epochs=2"),
    "going on with another net": case("resume last model=unet", "model=unet", "epochs and max_steps"),
    "going on with a wrong type": case("resume last epochs=abc", "epochs=abc", "whole number"),
    "testing with another net": case("test last model=unet", "model=unet", "data="),
    "testing on other targets": case("test last data=digit_scenes", "data=digit_scenes", "label"),
    "testing on other classes": case("test last data=cifar100", "apple", "not trained on", "knows 0, 1"),
    "testing on no such data": case("test last data=mnits5k", "mnits5k", "mnist5k"),
    "testing what is no split": case("test last --split train", "train", "test", "val"),
    "predicting nothing": case("predict last", "FILE"),
    "predicting a missing file": case("predict last nowhere.png", "nowhere.png", "no such file"),
    "predicting what is no picture": case("predict last text.png", "text.png", "not a readable picture"),
    "predicting an empty picture": case("predict last empty.png", "empty.png", "not a readable picture"),
    "predicting a torn picture": case("predict last digit.png torn.png --out drawn", "torn.png", "not a readable"),
    "predicting a folder without pictures": case("predict last nothing", "nothing", "without pictures"),
    "predicting several bad ones": Case(
        "predict last nowhere.png nothing digit.png", (("nowhere.png",), ("nothing", "without pictures"))
    ),
    "drawing into a file": case("predict last digit.png --out text.png", "text.png", "cannot be written", "--out"),
    "drawing below a file": case("predict last digit.png --out text.png/in", "cannot be written", "--out"),
    "sorting by what no run has": case("compare --sort test/acuracy", "test/acuracy", "test/accuracy"),
}


@pytest.mark.parametrize("one", REFUSED_OF_RUNS.values(), ids=REFUSED_OF_RUNS.keys())
def test_refused_for_a_run(one: Case, trained: Path, here: CommandLine, work: Path) -> None:
    copy_run(trained, work)
    Image.new("L", (28, 28), 255).save(work / "digit.png")
    Image.effect_noise((64, 64), 50).save(work / "torn.png")
    _tear(work / "torn.png")
    (work / "text.png").write_text("no picture")
    (work / "empty.png").write_bytes(b"")
    (work / "nothing").mkdir()
    environment = {"CNNEXP_DATA_DIR": str(work.parent / "cache")} | OFFLINE
    assert_refused(lambda: here(*one.argv, cwd=work, **environment), one.argv[0], one.lines, work)


def test_another_number_of_epochs_for_a_run_that_is_not_done(stopped: Path, cnnexp: CommandLine, work: Path) -> None:
    copy_run(stopped, work)
    lines = [("epochs=5", "has not finished its 1 epochs")]
    assert_refused(lambda: cnnexp("resume", "last", "epochs=5", cwd=work), "resume", lines, work)


def test_a_resume_that_is_refused_leaves_the_status(stopped: Path, cnnexp: CommandLine, work: Path) -> None:
    run = copy_run(stopped, work)
    _edit(run, "cnnexp.data.mnist5k.MNIST5k", "cnnexp.data.mnist5k.MNIST6k")
    lines = [("MNIST6k", "no such class")]
    assert_refused(lambda: cnnexp("resume", "last", "max_steps=null", cwd=work), "resume", lines, work)
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"

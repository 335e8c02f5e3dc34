"""A run's folder from a stranger is data: whatever is in it, nothing of it is executed, and nothing else is touched."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image

from cnnexp.config.compose import to_yaml
from tests.integration.conftest import CommandLine, Done, copy_run

pytestmark = pytest.mark.integration

CANARY = "canary"
GO_ON = ("resume", "last", "max_steps=null")
TEST = ("test", "last")
PREDICT = ("predict", "last", "digit.png")
USES = [GO_ON, TEST, PREDICT]


@pytest.fixture
def work(work: Path) -> Path:
    """A folder to call the command line in, with a picture to predict."""
    Image.new("L", (28, 28), 255).save(work / "digit.png")
    return work


@pytest.fixture
def run(stopped: Path, work: Path) -> Path:
    """The folder of a run that stopped, in the outputs: for a test to make it a malicious one."""
    return copy_run(stopped, work)


def edit(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the run's config.yaml."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    change(config)
    (run / "config.yaml").write_text(to_yaml(config))


def assert_refused(done: Done, command: str, *says: str) -> None:
    """Exit status 2 and one line."""
    assert done.status == 2, done.err or done.out
    (line,) = done.lines
    assert line.startswith(f"cnnexp {command}: ")
    assert [word for word in says if word not in line] == [], line
    assert done.out == ""


# --- classes in the configuration ----------------------------------------------------------------------------------

TARGETS: dict[str, dict[str, Any]] = {
    "os.system": {"command": f"touch {CANARY}"},
    "builtins.eval": {"source": f"open('{CANARY}', 'w')"},
    "subprocess.Popen": {"args": ["touch", CANARY]},
    "torch.load": {"f": "evil.pt", "weights_only": False},
    "torch.optim.torch.load": {"f": "evil.pt", "weights_only": False},
    "cnnexp.paths.os.getcwd": {},
    "cnnexp.models.lenet5.nn.Linear": {"in_features": 1, "out_features": 1},
    "cnnexp.data.archives.unpack": {"archive": "evil.zip", "target": CANARY},
    "cnnexp.data.fetch.os.system": {"command": f"touch {CANARY}"},
    "cnnexp.visualize.png.write_png": {"path": CANARY},
    "hydra.utils.get_method": {"path": "os.system"},
    "evil_module.Net": {},
    "..os.system": {"command": f"touch {CANARY}"},
    "os;system": {"command": f"touch {CANARY}"},
}
GROUPS = ("model", "data", "task", "optimizer", "scheduler", "augmentation")
EVERYWHERE = ("os.system", "cnnexp.paths.os.getcwd", "torch.optim.torch.load")


@pytest.mark.parametrize(
    ("group", "target"),
    [(group, target) for target in TARGETS for group in (GROUPS if target in EVERYWHERE else ("model", "data"))],
)
def test_a_class_that_is_none_of_ours(group: str, target: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    prepare_evil(work)
    words = {"_target_": target, **TARGETS[target]}
    edit(run, lambda config: config[group].update(words))
    done = cnnexp(*GO_ON, cwd=work, PYTHONPATH=str(work))
    assert done.status == 2
    assert len(done.lines) == 1, done.err
    assert all(re.match(rf"cnnexp resume: ({run.name}: )?{group}\.", line) for line in done.lines), done.err
    assert not (work / CANARY).exists()
    assert "--trust os" not in done.err and "--trust torch" not in done.err
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"


def prepare_evil(work: Path) -> None:
    """What a malicious configuration could lead to."""
    import zipfile

    torch.save(Bomb(), work / "evil.pt")
    (work / "evil_module.py").write_text(f"open({str(work / CANARY)!r}, 'w')")
    with zipfile.ZipFile(work / "evil.zip", "w") as archive:
        archive.writestr("file", "unpacked")


class Bomb:
    """Makes the canary when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {CANARY}",)


@pytest.mark.parametrize("use", USES, ids=lambda words: words[0])
@pytest.mark.parametrize("group", ["model", "task", "optimizer", "scheduler", "augmentation"])
def test_however_the_run_is_used(group: str, use: tuple[str, ...], run: Path, work: Path, cnnexp: CommandLine) -> None:
    edit(run, lambda config: config[group].update({"_target_": "os.system"}))
    assert_refused(cnnexp(*use, *latest(use), cwd=work), use[0], f"{group}._target_=os.system")


def latest(use: tuple[str, ...]) -> tuple[str, ...]:
    """A stopped run has no best weights."""
    return () if use[0] == "resume" else ("--checkpoint", "last")


@pytest.mark.parametrize(
    ("group", "key"), [("model", "activation"), ("optimizer", "betas"), ("data", "classes"), ("scheduler", "rise")]
)
def test_a_class_hidden_among_the_arguments(group: str, key: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    hidden = {"_target_": "os.system", "command": f"touch {CANARY}", "_args_": [f"touch {CANARY}"]}
    edit(run, lambda config: config[group].update({key: hidden}))
    assert_refused(cnnexp(*GO_ON, cwd=work), "resume", f"{group}.{key}=", "expected")
    edit(run, lambda config: config[group].update({key: [hidden, hidden]}))
    assert_refused(cnnexp(*GO_ON, cwd=work), "resume", f"{group}.{key}=", "expected")
    assert not (work / CANARY).exists()


@pytest.mark.parametrize("package", ["os", "builtins", "torch", "torch.serialization", "cnnexp.data"])
def test_not_even_the_flag_trusts_a_library(package: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    edit(run, lambda config: config["model"].update({"_target_": f"{package}.system", "command": f"touch {CANARY}"}))
    assert_refused(cnnexp(*GO_ON, "--trust", package, cwd=work), "resume", f"--trust {package}")
    assert not (work / CANARY).exists()


# --- checkpoints ------------------------------------------------------------------------------------------------------


def _plain_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"net": Bomb()}))


def _in_the_weights(path: Path) -> None:
    torch.save({"net": {"conv1.weight": Bomb()}, "state_dict": {"net.conv1.weight": Bomb()}}, path)


def _beside_the_weights(path: Path) -> None:
    torch.save({**torch.load(path, weights_only=True), "hyper_parameters": Bomb()}, path)


PICKLES = {"a pickle": _plain_pickle, "in the weights": _in_the_weights, "beside them": _beside_the_weights}
USES_OF_WEIGHTS: dict[str, tuple[str, ...]] = {
    "test": TEST,
    "test last": (*TEST, "--checkpoint", "last"),
    "predict": PREDICT,
    "predict last": (*PREDICT, "--checkpoint", "last"),
    "more epochs": ("resume", "last", "epochs=2"),
}


@pytest.mark.parametrize("use", USES_OF_WEIGHTS)
@pytest.mark.parametrize("kind", PICKLES)
def test_a_pickle_in_a_checkpoint(kind: str, use: str, trained: Path, work: Path, cnnexp: CommandLine) -> None:
    run = copy_run(trained, work)
    for name in ("last", "best"):
        PICKLES[kind](run / "checkpoints" / f"{name}.ckpt")
    words = USES_OF_WEIGHTS[use]
    assert_refused(cnnexp(*words, cwd=work), words[0], run.name, ".ckpt", "nothing of it was run")
    assert not (work / CANARY).exists()
    listed = cnnexp("compare", "--json", cwd=work)
    assert [one["status"] for one in json.loads(listed.out)] == ["finished"]
    assert not (work / CANARY).exists()


@pytest.mark.parametrize("kind", PICKLES)
def test_a_pickle_in_the_checkpoint_to_go_on_from(kind: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    PICKLES[kind](run / "checkpoints" / "last.ckpt")
    assert_refused(cnnexp(*GO_ON, cwd=work), "resume", "last.ckpt", "nothing of it was run")
    assert not (work / CANARY).exists()


def test_the_bomb_is_a_bomb(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)
    _in_the_weights(work / "file.ckpt")
    torch.load(work / "file.ckpt", weights_only=False)
    assert (work / CANARY).exists()


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", USES, ids=lambda words: words[0])
@pytest.mark.parametrize("linked", ["checkpoints/last.ckpt", "checkpoints"])
def test_a_checkpoint_that_lies_elsewhere(
    linked: str, use: tuple[str, ...], run: Path, work: Path, cnnexp: CommandLine
) -> None:
    (run / linked).rename(work / "elsewhere")
    (run / linked).symlink_to(work / "elsewhere")
    before = listing(work / "elsewhere")
    assert_refused(cnnexp(*use, *latest(use), cwd=work), use[0], "out of the run's folder")
    assert listing(work / "elsewhere") == before


def listing(path: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of a file, or of all files in a folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: (file.stat().st_size, file.stat().st_mtime_ns) for file in files}


@pytest.mark.parametrize("name", ["log.txt", "metrics.csv", "predictions.csv", ".lock", "pictures/curves.png"])
@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_going_on_writes_through_no_link(name: str, there: bool, run: Path, work: Path, cnnexp: CommandLine) -> None:
    outside = work / "outside"
    if there:
        outside.write_text("mine")
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(outside)
    assert_refused(cnnexp(*GO_ON, cwd=work), "resume", name, "out of the run's folder")
    assert outside.exists() == there
    assert not there or outside.read_text() == "mine"


def test_going_on_writes_into_no_linked_folder(run: Path, work: Path, cnnexp: CommandLine) -> None:
    (work / "outside").mkdir()
    (run / "pictures").rmdir() if not any((run / "pictures").iterdir()) else (run / "pictures").rename(work / "old")
    (run / "pictures").symlink_to(work / "outside")
    assert_refused(cnnexp(*GO_ON, cwd=work), "resume", "pictures", "out of the run's folder")
    assert list((work / "outside").iterdir()) == []


def test_a_link_within_the_folder_is_no_harm(run: Path, work: Path, cnnexp: CommandLine) -> None:
    (run / "latest").symlink_to("checkpoints")  # as wandb makes them
    done = cnnexp(*GO_ON, cwd=work)
    assert done.status == 0, done.err


def test_more_epochs_go_beside_the_run_and_not_where_it_says(trained: Path, work: Path, cnnexp: CommandLine) -> None:
    run = copy_run(trained, work)
    edit(run, lambda config: config.update(outputs=str(work / "elsewhere")))
    done = cnnexp("resume", "last", "epochs=2", cwd=work)
    assert done.status == 0, done.err
    assert not (work / "elsewhere").exists()
    (new,) = (path for path in run.parent.iterdir() if path != run)
    assert json.loads((new / "run.json").read_text())["parent"] == run.name


# --- text -------------------------------------------------------------------------------------------------------------


def test_nothing_of_the_environment_is_given_away(run: Path, work: Path, cnnexp: CommandLine) -> None:
    word = "${oc.env:CNNEXP_TEST_SECRET}"
    edit(run, lambda config: config.update(name=word, outputs=f"{word}/runs"))
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "name": word, "error": word}))
    secret = {"CNNEXP_TEST_SECRET": "hunter2hunter2"}
    for words in (
        ("compare",),
        ("compare", "--json"),
        ("compare", "--csv"),
        GO_ON,
        TEST,
        ("resume", "last", "epochs=2"),
    ):
        done = cnnexp(*words, cwd=work, **secret)
        assert done.status == 0, done.err
        assert "hunter2" not in done.out + done.err
    files = [path for path in work.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if b"hunter2" in path.read_bytes()] == []
    assert word in (run / "config.yaml").read_text()


BROKEN_INTERPOLATIONS = ["${", "${nowhere.to.be.found}", "${oc.env:", "???"]


@pytest.mark.parametrize("text", BROKEN_INTERPOLATIONS)
def test_an_interpolation_that_is_broken_is_text_too(text: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    edit(run, lambda config: config.update(name=text))
    done = cnnexp(*GO_ON, cwd=work)
    assert done.status in (0, 2), done.err
    assert len(done.lines) == (0 if done.status == 0 else 1)
    assert text in (run / "config.yaml").read_text()


def _bomb_of_aliases() -> str:
    levels = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 8)]
    return "\n".join(levels)


CONFIGS = {
    "a tag that runs": f"model: !!python/object/apply:os.system ['touch {CANARY}']",
    "a tag that makes": "model: !!python/object:os.stat_result {}",
    "a tag that imports": "model: !!python/name:os.system",
    "a bomb of aliases": _bomb_of_aliases(),
    "a deep nest": "[" * 5000 + "]" * 5000,
    "deep blocks": "\n".join(" " * level + "a:" for level in range(3000)),
    "a large file": "a: " + "x" * 2_000_000,
    "a number of a million digits": "seed: " + "9" * 500_000,
    "no text": "\udcff\udcfe",
    "a list": "[1, 2]",
}
RECORDS = {
    "deep": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "large": '{"a": "' + "x" * 65_000_000 + '"}',
    "a number of a million digits": '{"schema_version": ' + "9" * 1_000_000 + "}",
    "no object": "[1, 2]",
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_configuration_that_is_an_attack(kind: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    (run / "config.yaml").write_text(CONFIGS[kind], errors="surrogateescape")
    assert_damaged(run, work, cnnexp)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_that_is_an_attack(kind: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    (run / "run.json").write_text(RECORDS[kind])
    assert_damaged(run, work, cnnexp)


@pytest.mark.parametrize("name", ["run.json", "config.yaml", "summary.json"])
@pytest.mark.parametrize("kind", ["a link", "a pipe", "a device"])
def test_a_record_that_is_no_file(kind: str, name: str, run: Path, work: Path, cnnexp: CommandLine) -> None:
    (run / name).unlink(missing_ok=True)
    if kind == "a pipe":
        os.mkfifo(run / name)
    else:
        (run / name).symlink_to("/dev/zero" if kind == "a device" else stranger_file(work))
    if name == "config.yaml" and kind == "a pipe":
        assert (run / "run.json").is_file()
    assert_damaged(run, work, cnnexp)


def stranger_file(work: Path) -> Path:
    """A file of the reader's that a link could show to others."""
    path = work / "private"
    path.write_text('{"secret": "hunter2"}')
    return path


def assert_damaged(run: Path, work: Path, cnnexp: CommandLine) -> None:
    """`compare` lists the run as damaged, nothing else takes it, and the canary was not made."""
    listed = cnnexp("compare", "--json", cwd=work)
    assert listed.status == 0, listed.err
    assert [(one["id"], one["status"]) for one in json.loads(listed.out)] == [(run.name, "damaged")]
    assert "hunter2" not in listed.out
    assert_refused(cnnexp(*GO_ON, cwd=work), "resume", run.name, "damaged")
    assert not (work / CANARY).exists()


ESCAPES = "\x1b]0;title\x07\x1b[2J\x1b[31mred\x9b31m\u202egpj.exe[link=http://x]y[/link]"


def test_nothing_in_a_record_reaches_the_terminal_as_a_command(
    trained: Path, run: Path, work: Path, cnnexp: CommandLine
) -> None:
    named = copy_run(trained, work)
    named = named.rename(named.with_name("named\x1b[31m-run"))
    edit(named, lambda config: config.update(name=ESCAPES))
    edit(named, lambda config: config["choices"].update(model=ESCAPES))
    record = {"status": "failed", "error": ESCAPES, "name": ESCAPES}
    (named / "run.json").write_text(json.dumps({**json.loads((named / "run.json").read_text()), **record}))
    (run / "run.json").write_text(json.dumps({"schema_version": 1, "status": ESCAPES}))
    for words in (
        ("compare",),
        ("compare", "--csv"),
        ("compare", "--json"),
        ("resume", run.name),
        ("test", str(named), "data=none"),
        ("predict", "named\x1b[31m-ru", "none.png"),
        ("resume", "outputs/no\x1b[31mwhere"),
    ):
        done = cnnexp(*words, cwd=work)
        controls = [letter for letter in done.out + done.err if letter in "\x1b\x07\x9b\u202e"]
        assert controls == [], words
        assert done.status == (0 if words[0] == "compare" else 2), done.err

"""Sweeps through the real command line, on tiny trainings."""

from __future__ import annotations

import csv
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from tests.integration.conftest import CommandLine, command_line
from tests.integration.refusing import assert_refused, case
from tests.integration.sweeping import LONGEST_S, TINY, Sweep, forked, found, said, start, sweep, until
from tests.integration.wandb_file import wandb_records

GRID = (*TINY, "optimizer.lr=1e-3,0.1,1e38", "seed=range(0,2)", "sweep=grid", "sweep.workers=2")


@pytest.fixture(scope="module")
def grid(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A grid of six trials, two of which fail. Not to be changed."""
    folder = tmp_path_factory.mktemp("grid")
    return forked(command_line(server, folder), folder, *GRID, figures=True)


def test_each_point_is_run_once(grid: Sweep) -> None:
    points = [(trial["optimizer.lr"], trial["seed"]) for trial in grid.trials]
    assert points == [(lr, seed) for lr in ("0.001", "0.1", "1e+38") for seed in "01"]
    configs = [yaml.safe_load((run / "config.yaml").read_text()) for run in grid.runs]
    assert [(f"{config['optimizer']['lr']:g}", str(config["seed"])) for config in configs] == points


def test_a_failure_costs_one_trial_and_is_shown_with_its_last_line(grid: Sweep) -> None:
    states = [trial["state"] for trial in grid.trials]
    assert states == ["finished"] * 4 + ["failed"] * 2
    assert all("not finite" in trial["error"] for trial in grid.trials[4:])
    lines = said(grid.folder.parents[1]).splitlines()
    assert [line for line in lines if line.startswith("trial 4 failed: ") and "not finite" in line]
    assert "4 of 6 finished, 2 failed" in lines


def test_a_score_is_that_of_the_runs_best_epoch(grid: Sweep) -> None:
    for trial, run in zip(grid.trials[:4], grid.runs, strict=False):
        rows = csv.DictReader((run / "metrics.csv").read_text().splitlines())
        scores = [float(row["val/accuracy"]) for row in rows if row["val/accuracy"]]
        assert len(scores) == 2
        assert float(trial["score"]) == max(scores)


def test_the_best_trial_comes_with_the_command_that_makes_it_again(
    grid: Sweep, cnnexp: CommandLine, tmp_path: Path
) -> None:
    best = grid.summary["best"]
    scores = [float(trial["score"] or 0) for trial in grid.trials]
    assert best["score"] == max(scores) and best["trial"] == scores.index(max(scores))
    (command,) = best["commands"]
    assert f"  {command}" in said(grid.folder.parents[1]).splitlines()
    words = shlex.split(command)
    assert words[0] == "cnnexp"
    done = cnnexp(*words[1:], "hardware.threads=1")
    assert done.status == 0, done.err
    (run,) = (path.parent for path in tmp_path.glob("outputs/*/run.json"))
    theirs = grid.folder / best["runs"][0]
    assert (run / "predictions.csv").read_bytes() == (theirs / "predictions.csv").read_bytes()


def test_the_picture_shows_the_search(grid: Sweep) -> None:
    with Image.open(grid.folder / "pictures" / "search.png") as picture:
        assert picture.width >= 1000 and picture.height >= 800
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 200


def test_its_runs_are_found_by_compare(grid: Sweep, cnnexp: CommandLine) -> None:
    done = cnnexp("compare", str(grid.folder), "--json")
    assert len(json.loads(done.out)) == 6


def test_a_finished_sweep_says_again_what_came_of_it(grid: Sweep, cnnexp: CommandLine) -> None:
    folder = grid.folder.parents[1]
    before = (grid.folder / "trials.csv").read_bytes()
    first = said(folder).splitlines()
    forked(cnnexp, folder, "--resume", grid.folder.name)
    assert said(folder).splitlines()[-3:] == first[-3:]
    assert (grid.folder / "trials.csv").read_bytes() == before


def test_asha_ends_hopeless_trials_early(tmp_path: Path, cnnexp: CommandLine) -> None:
    words = ("model=linear", "data.fraction=0.5", "epochs=40", "optimizer.lr=0.1,1e-9,1e-8", "sweep=grid")
    done = forked(cnnexp, tmp_path, *words, "sweep.pruner=asha", "sweep.reduction=2")
    states = [trial["state"] for trial in done.trials]
    assert states[0] == "finished" and "pruned" in states, done.trials
    for trial, run in zip(done.trials, done.runs, strict=True):
        rows = csv.DictReader((run / "metrics.csv").read_text().splitlines())
        epochs = sum(bool(row["val/accuracy"]) for row in rows)
        assert (epochs < 40) == (trial["state"] == "pruned")
        assert done.record(run)["status"] == ("interrupted" if trial["state"] == "pruned" else "finished")


def test_repeated_seeds_are_one_candidate(tmp_path: Path, cnnexp: CommandLine) -> None:
    words = (*TINY, "optimizer.lr=1e-9,0.1", "seed=range(0,3)", "sweep=grid", "sweep.average=seed")
    done = forked(cnnexp, tmp_path, *words)
    assert len(done.trials) == 2 and len(done.runs) == 6
    for trial in done.trials:
        runs = [run for run in done.runs if run.parent.name.startswith(f"{int(trial['trial']):04d}-")]
        scores = []
        for run in runs:
            rows = csv.DictReader((run / "metrics.csv").read_text().splitlines())
            scores.append(max(float(row["val/accuracy"]) for row in rows if row["val/accuracy"]))
        assert float(trial["score"]) == pytest.approx(sum(scores) / 3)
        assert {yaml.safe_load((run / "config.yaml").read_text())["seed"] for run in runs} == {0, 1, 2}
    assert [command.split("seed=")[1] for command in done.summary["best"]["commands"]] == ["0", "1", "2"]
    assert "mean over 3 values of seed" in said(tmp_path)


def test_ctrl_c_saves_the_trials_and_resume_goes_on(tmp_path: Path, cnnexp: CommandLine) -> None:
    words = ("model=linear", "data.fraction=0.1", "epochs=80", "seed=range(0,2)", "sweep=grid", "sweep.workers=2")
    process = start(tmp_path, *words)
    until(lambda: len(list(tmp_path.glob("outputs/*/trials/*/*/metrics.csv"))) == 2, "two trials under way")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=LONGEST_S) == 130, said(tmp_path)
    interrupted = found(tmp_path)
    assert interrupted.alive() == []
    assert {interrupted.record(run)["status"] for run in interrupted.runs} == {"interrupted"}
    (line,) = [line for line in said(tmp_path).splitlines() if line.startswith("cnnexp sweep: ")]
    again = line.split("cnnexp sweep --resume ")[1].split()
    done = forked(cnnexp, tmp_path, "--resume", *again)
    assert [trial["state"] for trial in done.trials] == ["finished"] * 2
    assert [len(done.record(run)["resumed"]) for run in done.runs] == [1, 1]


def test_a_sweep_may_be_given_more_trials(tmp_path: Path, cnnexp: CommandLine) -> None:
    words = (*TINY, "optimizer.lr=tag(log,interval(1e-4,1e-1))")
    done = forked(cnnexp, tmp_path, *words, "sweep.trials=2")
    first = done.trials
    done = forked(cnnexp, tmp_path, "--resume", "last", "sweep.trials=3", "sweep.executor=fresh")
    assert done.trials[:2] == first
    assert [trial["state"] for trial in done.trials] == ["finished"] * 3
    assert len(done.runs) == 3


def test_wandb_groups_the_trials_of_a_sweep(tmp_path: Path, cnnexp: CommandLine) -> None:
    done = forked(cnnexp, tmp_path, *TINY, "seed=0,1", "logger=wandb")
    files = [next(run.glob("wandb/offline-run-*/run-*.wandb")) for run in done.runs]
    noted = [wandb_records(file, "run")[0] for file in files]
    assert [run.run_group for run in noted] == [done.folder.name] * 2
    assert [run.run_id for run in noted] == [run.name for run in done.runs]


SPACE = "optimizer.lr=0.01,0.1"
REFUSED = {
    "nothing varies": case("sweep model=linear epochs=1", "nothing varies", "optimizer.lr=0.01,0.1"),
    "an unknown option": case("sweep model=linear,lenet6", "model=lenet6", "lenet5"),
    "an unknown key": case("sweep optimizer.lrr=0.1,0.2", "optimizer.lrr", "optimizer.lr"),
    "an unknown key with one value": case(f"sweep {SPACE} epoch=1", "epoch", "epochs"),
    "a value of another type": case("sweep optimizer.lr=0.1,high", "optimizer.lr=high", "a number"),
    "a value out of range": case("sweep epochs=1,0", "epochs=0", "at least 1"),
    "an argument that the class does not take": case("sweep +model.widht=1,2", "model.widht"),
    "a net for another task": case("sweep model=linear,unet", "model=unet", "mask"),
    "an unparsable space": case("sweep optimizer.lr=interval(0.1", "not understood"),
    "an unknown search": case(f"sweep {SPACE} sweep=tpo", "tpe"),
    "an unknown setting": case(f"sweep {SPACE} sweep.trails=3", "sweep.trials"),
    "an endless grid": case("sweep optimizer.lr=interval(0.1,1) sweep=grid", "no end of values", "sweep=tpe"),
    "trials of a grid": case(f"sweep {SPACE} sweep=grid sweep.trials=3", "2 points"),
    "more trials than points": case(f"sweep {SPACE} sweep.trials=3", "2 points", "sweep=grid"),
    "a mean over nothing": case(f"sweep {SPACE} sweep=grid sweep.average=seed", "seed=range(0,3)"),
    "a storage of an unknown kind": case(f"sweep {SPACE} sweep=grid sweep.storage=redis://x", "postgresql"),
    "a storage that cannot be reached": case(
        f"sweep {SPACE} sweep=grid sweep.storage=postgresql://me:secret@127.0.0.1:9/none",
        "sweep.storage=postgresql://me@127.0.0.1:9/none",
        "cannot be reached",
    ),
    "a storage that is a folder": case(f"sweep {SPACE} sweep.storage=.", "this is a folder", "./study.journal"),
    "a job's option that there is not": case(
        f"sweep {SPACE} sweep.executor=local sweep.slurm.foo=1", "sweep.slurm.foo=1", "submitit does not take it"
    ),
    "any number for whole ones": case("sweep batch_size=interval(8,16)", "batch_size=8.0", "int(interval(8,16))"),
    "another order each time": case("sweep seed=shuffle(0,1)", "sweep.seed"),
    "a pruner that there is not": case(f"sweep {SPACE} sweep.pruner=ahsa", "sweep.pruner=ahsa", "asha"),
    "no trials": case(f"sweep {SPACE} sweep.trials=0", "sweep.trials=0", "at least 1"),
    "no workers": case(f"sweep {SPACE} sweep.workers=0", "sweep.workers=0", "at least 1"),
    "a folder that is no sweep": case("sweep --resume ./", "./: not a sweep's folder", "sweep.json"),
    "no sweep to go on with": case("sweep --resume last", "there are no sweeps in outputs"),
    "several runs of train": case("train model=linear,lenet5", "cnnexp sweep model=linear,lenet5"),
    "multirun of train": case("train -m model=linear,lenet5", "-m", "cnnexp sweep model=linear,lenet5"),
    "multirun in full": case("train --multirun seed=0,1", "cnnexp sweep seed=0,1"),
    "frozen and more": case("train --frozen a.yaml epochs=1", "--frozen", "whole configuration"),
    "frozen nowhere": case("train --frozen a.yaml", "--frozen a.yaml", "No such file"),
}


ASKED_OF_A_SERVER = {"an argument that the class does not take", "a storage that cannot be reached"}
"""Refusals for which the sweep has its server started, which imports torch; a forked one has it."""


@pytest.mark.integration
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_before_anything_is_written(
    name: str, here: CommandLine, cnnexp: CommandLine, work: Path
) -> None:
    refused = REFUSED[name]
    call = cnnexp if name in ASKED_OF_A_SERVER else here
    assert_refused(lambda: call(*refused.argv, cwd=work), refused.argv[0], refused.lines, work)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("epochs=3",), "a sweep goes on as it was begun"),
        (("sweep.pruner=asha",), "a sweep goes on as it was begun"),
        (("--trust", "mine"), "its own --config-dir and --trust"),
    ],
)
def test_a_sweep_goes_on_as_it_was_begun(grid: Sweep, cnnexp: CommandLine, words: tuple[str, ...], says: str) -> None:
    done = cnnexp("sweep", "--resume", str(grid.folder), *words)
    assert done.status == 2
    (line,) = done.lines
    assert says in line


def test_a_damaged_sweep_is_told(tmp_path: Path, cnnexp: CommandLine) -> None:
    (tmp_path / "outputs" / "one").mkdir(parents=True)
    (tmp_path / "outputs" / "one" / "sweep.json").write_text('{"schema_version": 1}')
    done = cnnexp("sweep", "--resume", "one")
    assert done.status == 2 and "damaged" in done.err and len(done.lines) == 1


def test_a_frozen_configuration_makes_the_same_run(trained: Path, cnnexp: CommandLine, tmp_path: Path) -> None:
    done = cnnexp("train", "--frozen", str(trained / "config.yaml"), cwd=tmp_path)
    assert done.status == 0, done.err
    (again,) = (tmp_path / "outputs").iterdir()
    assert (again / "predictions.csv").read_bytes() == (trained / "predictions.csv").read_bytes()


SPY = '''
import os
from pathlib import Path
from torch.optim import SGD


class Spy(SGD):
    """Writes down what each process was given."""

    def __init__(self, params, lr):
        super().__init__(params, lr=lr)
        name = f"{os.environ.get('LOCAL_RANK', '0')}-{os.getpid()}"
        Path(os.environ["SPY_FOLDER"], name).write_text(repr(lr))
'''


@pytest.mark.slow
def test_both_processes_of_a_trial_have_its_hyperparameters(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "spying.py").write_text(SPY)
    (tmp_path / "conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "conf" / "optimizer" / "spy.yaml").write_text("# Spies\n_target_: spying.Spy\nlr: 0.1\n")
    seen = tmp_path / "seen"
    seen.mkdir()
    path = ":".join([str(tmp_path / "code"), *sys.path[:1], *[one for one in sys.path if one]])
    words = (*TINY, "optimizer=spy", "optimizer.lr=tag(log,interval(1e-3,1))", "hardware=ddp_cpu", "sweep.trials=2")
    trust = ("--trust", "spying", "--config-dir", "conf")
    done = sweep(tmp_path, *words, *trust, PYTHONPATH=path, SPY_FOLDER=str(seen))
    assert [trial["state"] for trial in done.trials] == ["finished"] * 2
    given = {rank: sorted(float(p.read_text()) for p in seen.glob(f"{rank}-*")) for rank in (0, 1)}
    drawn = sorted(float(trial["optimizer.lr"]) for trial in done.trials)
    assert given == {0: drawn, 1: drawn}
    assert drawn[0] != drawn[1]
    assert not list(done.folder.glob("trials/*/*/error-rank*"))


@pytest.mark.slow
def test_trials_as_jobs_of_submitit(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    words = (*TINY, "optimizer.lr=1e-3,0.1,1e38", "sweep=grid", "sweep.workers=2", "sweep.executor=local")
    done = sweep(tmp_path, *words)
    assert [trial["state"] for trial in done.trials] == ["finished", "finished", "failed"]
    assert "not finite" in done.trials[2]["error"]
    assert len(done.runs) == 3 and list((done.folder / "jobs").iterdir())


def test_the_controller_does_without_torch(tmp_path: Path) -> None:
    program = "import sys, cnnexp.commands.sweep, cnnexp.sweep.controller, cnnexp.sweep.ending, cnnexp.sweep.picture"
    asked = f"{program}; print(sorted({{'torch', 'pytorch_lightning'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr

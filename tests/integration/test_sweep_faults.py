"""Sweeps whose controller, trials, disk and database fail: afterwards every trial is there once."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnexp.runs.write import FREE_BYTES_AT_LEAST
from tests.integration.small_disk import fill, small_disk
from tests.integration.sweeping import LONGEST_S, TINY, Sweep, found, kill, said, start, sweep, until

pytestmark = pytest.mark.slow

LEARNING_RATE = "optimizer.lr=tag(log,interval(1e-4,1e-1))"
TWENTY = (*TINY[:3], "epochs=4", LEARNING_RATE, "sweep.trials=20", "sweep.workers=2", "sweep.retries=50")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """What comes of the twenty trials when nobody kills anything."""
    return sweep(tmp_path_factory.mktemp("undisturbed"), *TWENTY)


def assert_whole(done: Sweep, undisturbed: Sweep) -> None:
    """Every trial finished, in one run of its own, with the score that it has undisturbed."""
    assert done.trials == undisturbed.trials
    assert len(done.runs) == len(undisturbed.runs) == 20
    assert [run.parent.name for run in done.runs] == [f"{number:04d}" for number in range(20)]
    assert {done.record(run)["status"] for run in done.runs} == {"finished"}
    for one, other in zip(done.runs, undisturbed.runs, strict=True):
        assert (one / "metrics.csv").read_text() == (other / "metrics.csv").read_text()
        assert (one / "predictions.csv").read_text() == (other / "predictions.csv").read_text()


@pytest.mark.parametrize("seed", [0, 1])
def test_controllers_and_trials_are_killed_at_random(tmp_path: Path, undisturbed: Sweep, seed: int) -> None:
    chance = random.Random(seed)
    killed_trials = 0
    for number in range(5):
        controller = start(tmp_path, *(("--resume", "last") if number else TWENTY))
        until(lambda: list(tmp_path.glob("outputs/*/sweep.json")), "the sweep's folder")
        current = found(tmp_path)
        aim = current.finished_runs() + chance.choice((0, 1, 2))
        until(lambda current=current, aim=aim: current.finished_runs() >= aim and current.alive(), "a trial")
        time.sleep(chance.random())
        alive = current.alive()
        if alive:
            kill(chance.choice(alive))
            killed_trials += 1
        time.sleep(0.3 * chance.random())
        assert controller.poll() is None, said(tmp_path)
        controller.kill()
        controller.wait()
    assert killed_trials >= 3
    assert not (found(tmp_path).folder / "summary.json").exists(), "it was never over"
    assert_whole(sweep(tmp_path, "--resume", "last"), undisturbed)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in its folder", "from another folder"])
def test_a_trial_outlives_its_controller_and_is_adopted(tmp_path: Path, elsewhere: bool) -> None:
    first, second = tmp_path / "first", tmp_path / ("second" if elsewhere else "first")
    words = ("model=linear", "data.fraction=0.1", "epochs=300", "seed=range(0,2)", "sweep=grid", "sweep.workers=2")
    words = (*words, f"sweep.storage={tmp_path}/study.journal") if elsewhere else words
    controller = start(first, *words)
    until(lambda: len(list(first.glob("outputs/*/trials/*/*/metrics.csv"))) == 2, "two trials under way")
    current = found(first)
    pids = current.alive()
    controller.kill()
    controller.wait()
    again = start(second, *(words if elsewhere else ("--resume", "last")))
    assert again.wait(timeout=LONGEST_S) == 0, said(second)
    assert len(found(second).trials) == 2
    assert (found(second).folder / found(second).summary["best"]["runs"][0]).resolve() in current.runs
    assert len(pids) == 2
    assert sorted(current.record(run)["pid"] for run in current.runs) == sorted(pids), "by the same processes"
    assert not [run for run in current.runs if "resumed" in current.record(run)]


def test_a_trial_that_is_always_killed_fails_in_the_end(tmp_path: Path) -> None:
    words = ("model=linear", "data.fraction=0.1", "epochs=2000", "seed=range(0,2)", "sweep=grid", "sweep.retries=1")
    controller = start(tmp_path, *words)
    for _ in range(4):  # two trials, each begun twice
        until(lambda: list(tmp_path.glob("outputs/*/sweep.json")) and found(tmp_path).alive(), "a trial")
        time.sleep(0.5)
        (pid,) = found(tmp_path).alive()
        kill(pid)
        until(lambda pid=pid: pid not in found(tmp_path).alive(), "its end")
    assert controller.wait(timeout=LONGEST_S) == 1
    assert [trial["state"] for trial in found(tmp_path).trials] == ["failed"] * 2
    assert all("killed 2 times (out of memory?)" in trial["error"] for trial in found(tmp_path).trials)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    with small_disk(tmp_path / "disk", FREE_BYTES_AT_LEAST + 60_000_000) as place:
        yield place


def test_a_disk_that_fills_up_loses_no_trial(disk: Path, tmp_path: Path, undisturbed: Sweep) -> None:
    folder = disk / "work"
    log = tmp_path / "log"
    log.mkdir()
    controller = start(log, *TWENTY, f"outputs={folder}/outputs")
    until(lambda: len(list(folder.glob("outputs/*/trials/*/*/summary.json"))) >= 3, "three trials")
    fill(disk)
    assert controller.wait(timeout=LONGEST_S) == 1, said(log)
    (line,) = [line for line in said(log).splitlines() if line.startswith("cnnexp sweep: ")]
    assert "the disk is full" in line and "cnnexp sweep --resume" in line
    (disk / "filling").unlink()
    again = start(log, "--resume", str(found(folder).folder))
    assert again.wait(timeout=LONGEST_S) == 0, said(log)
    assert_whole(found(folder), undisturbed)


def tool(name: str) -> str | None:
    """A program of PostgreSQL: on the path, or where Debian puts it."""
    return shutil.which(name) or next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of the test's own."""
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'cnnexp[postgresql]'")
    initdb, pg_ctl = tool("initdb"), tool("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("needs PostgreSQL: apt install postgresql")
    port = 20_000 + os.getpid() % 20_000
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL does not start for root
        if subprocess.run(["id", "postgres"], capture_output=True).returncode:
            pytest.skip("needs a user called postgres: apt install postgresql")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    home = Path(tempfile.mkdtemp(prefix="cnnexp-postgres-"))  # pytest's own folders are closed to other users
    if as_user:
        shutil.chown(home, "postgres")
    data, log = str(home / "data"), str(home / "log")
    subprocess.run([*as_user, initdb, "-D", data, "-U", "me", "--auth=trust"], check=True, capture_output=True)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    started = [*as_user, pg_ctl, "-D", data, "-o", options, "-l", log, "-w", "start"]
    subprocess.run(started, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"postgresql://me@127.0.0.1:{port}/postgres"
    stopped = [*as_user, pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"]
    subprocess.run(stopped, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(home)


def test_two_controllers_share_a_database(tmp_path: Path, postgres: str, undisturbed: Sweep) -> None:
    words = (*TWENTY, f"sweep.storage={postgres}")
    first, second = start(tmp_path / "first", *words), start(tmp_path / "second", *words)  # as if on two machines
    until(lambda: len(list(tmp_path.glob("*/outputs/*/trials/*/*/summary.json"))) >= 6, "six trials")
    first.kill()
    first.wait()
    for pid in found(tmp_path / "first").alive():
        kill(pid)
    assert second.wait(timeout=LONGEST_S) == 0, said(tmp_path / "second")
    done, lost = found(tmp_path / "second"), found(tmp_path / "first")
    assert done.trials == undisturbed.trials
    finished = [run.parent.name for one in (done, lost) for run in one.runs if one.record(run)["status"] == "finished"]
    assert sorted(finished) == [f"{number:04d}" for number in range(20)]
    assert lost.runs, "both had some"
    refused = sweep_of_another_space(tmp_path / "third", postgres, done.folder.name)
    assert "another space" in refused and "sweep.study=NAME" in refused


def sweep_of_another_space(folder: Path, storage: str, study: str) -> str:
    words = (*TINY, "optimizer.lr=0.1,0.2", "sweep=grid", f"sweep.storage={storage}", f"sweep.study={study}")
    process = start(folder, *words)
    assert process.wait(timeout=LONGEST_S) == 2
    assert not (folder / "outputs").exists()
    return said(folder)

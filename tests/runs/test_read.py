from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnexp.errors import InputError
from cnnexp.runs.read import (
    MOST_BYTES,
    MOST_YAML_BYTES,
    inside,
    read_json,
    read_metrics,
    read_record,
    read_yaml,
    refuse_links,
)
from tests.runs.conftest import MakeRun


def test_a_whole_record(make_run: MakeRun) -> None:
    writer = make_run()
    summary = {"metrics": {"test/accuracy": 0.5, "nan": None, "word": "x", "switch": True, "huge": 10**400}}
    writer.write_summary(summary)
    writer.finish("finished", 2.0)
    record = read_record(writer.folder)
    assert (record.id, record.status, record.partial, record.problem) == (writer.id, "finished", False, None)
    assert record.metrics == {"test/accuracy": 0.5}
    assert record.choices == {"model": "lenet5", "data": "mnist5k"}
    assert (record.config["seed"], record.duration_s, record.error) == (3, 2.0, None)
    assert record.created.endswith("+00:00")
    assert record.curves() == []


def test_running_is_crashed_when_nobody_holds_the_lock(make_run: MakeRun) -> None:
    writer = make_run()
    assert read_record(writer.folder).status == "running"
    writer._lock.release()
    assert read_record(writer.folder).status == "crashed"
    writer.update(host=f"not-{platform.node()}")
    assert read_record(writer.folder).status == "running", "another machine's locks are not seen here"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("run.json", "", "run.json: Expecting value"),
        ("run.json", '{"status": "fin', "run.json: Unterminated string"),
        ("run.json", "[]", "run.json: not a JSON object"),
        ("run.json", '{"schema_version": 2}', "run.json is of version 2, this cnnexp reads 1"),
        ("run.json", '{"schema_version": 1, "status": "done"}', "run.json has the unknown status 'done'"),
        ("run.json", "[" * 100_000, "run.json: nested too deeply"),
        ("config.yaml", "a: [1", "config.yaml: while parsing a flow sequence"),
        ("config.yaml", "- 1", "config.yaml: not a YAML mapping"),
        ("config.yaml", "a: &x [1]\nb: *x", "config.yaml: aliases are not used"),
        ("config.yaml", "a: !!python/name:os.system x", "config.yaml: could not determine a constructor"),
        ("config.yaml", "[" * 3000, "config.yaml: nested too deeply"),
        ("config.yaml", "\x00", "config.yaml: unacceptable character"),
        ("summary.json", "{", "summary.json: Expecting"),
    ],
)
def test_a_damaged_file_is_named(make_run: MakeRun, name: str, text: str, problem: str) -> None:
    writer = make_run("finished")
    (writer.folder / name).write_text(text)
    record = read_record(writer.folder)
    assert record.status == "damaged"
    assert str(record.problem).startswith(problem), record.problem
    assert "\n" not in str(record.problem)


def test_a_configuration_that_was_cut_off_is_noticed_where_it_is_still_yaml(make_run: MakeRun) -> None:
    writer = make_run("finished")
    for text in ("seed: 3\n", "seed: 3\nchoices: {model: lenet5}\n"):
        (writer.folder / "config.yaml").write_text(text)
        record = read_record(writer.folder)
        assert record.status == "damaged"
        assert str(record.problem).startswith("config.yaml: its choices are not those of run.json")


def test_another_programs_run_json_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"name": "holiday"}')
    record = read_record(tmp_path)
    assert (record.status, record.problem) == ("foreign", "run.json is of another program: no schema_version")


@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
def test_a_missing_file_is_named(make_run: MakeRun, name: str) -> None:
    writer = make_run("finished")
    (writer.folder / name).unlink()
    assert read_record(writer.folder).problem == f"{name}: No such file or directory"


@pytest.mark.parametrize(("read", "most"), [(read_json, MOST_BYTES), (read_yaml, MOST_YAML_BYTES)])
def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, read: Callable[[Path], dict[str, Any]], most: int
) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(most + 1)
    with pytest.raises(ValueError, match=f"file: larger than {most:,} bytes"):
        read(path)
    path.write_text(json.dumps({"a": "x" * 1000}))
    assert read(path) == {"a": "x" * 1000}


@pytest.mark.parametrize("read", [read_json, read_yaml, read_metrics])
def test_only_an_ordinary_file_is_read(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").write_text("{}")
    for name, problem in (("pipe", "not an ordinary file"), ("link", "a link")):
        with pytest.raises(ValueError, match=f"{name}: {problem}"):
            read(tmp_path / name)


def test_interpolations_stay_text(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("name: ${oc.env:HOME}\n")
    assert read_yaml(tmp_path / "config.yaml") == {"name": "${oc.env:HOME}"}


def test_cells_that_are_no_numbers_are_none(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("epoch,step,loss\n1,2,\n1,x,0.5,7\n2\n")
    assert read_metrics(tmp_path / "m.csv") == [
        {"epoch": 1, "step": 2, "loss": None},
        {"epoch": 1, "step": None, "loss": 0.5},
        {"epoch": 2, "step": None, "loss": None},
    ]


def test_a_path_inside_and_outside(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "a.ckpt").write_text("a")
    (tmp_path / "b.ckpt").write_text("b")
    (run / "checkpoints" / "b.ckpt").symlink_to(tmp_path / "b.ckpt")
    (run / "checkpoints" / "c.ckpt").symlink_to("a.ckpt")
    (run / "elsewhere").symlink_to(tmp_path)
    assert inside(run, "checkpoints/a.ckpt") == run / "checkpoints" / "a.ckpt"
    for name in ("../b.ckpt", "checkpoints/b.ckpt", "checkpoints/c.ckpt", "elsewhere/b.ckpt", str(tmp_path / "b.ckpt")):
        with pytest.raises(InputError, match="out of the run's folder"):
            inside(run, name)
    for name in ("checkpoints/none.ckpt", "checkpoints"):
        with pytest.raises(InputError, match="has no"):
            inside(run, name)


def test_links_that_lead_out_are_refused_wherever_they_are(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "a" / "b").mkdir(parents=True)
    (run / "a" / "in").symlink_to("b")
    refuse_links(run)
    (run / "a" / "b" / "out").symlink_to("../../../elsewhere")
    with pytest.raises(InputError, match="a/b/out leads out"):
        refuse_links(run)
    (tmp_path / "alias").symlink_to(run)
    (run / "a" / "b" / "out").unlink()
    refuse_links(tmp_path / "alias")

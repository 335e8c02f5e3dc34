from __future__ import annotations

import argparse
import json
import zipfile
from pathlib import Path

import pytest
import yaml

from cnnexp.commands import runs
from cnnexp.errors import InputError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    runs.add_arguments(parser)
    return parser.parse_intermixed_args(words)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Two data sets; of mnist5k three finished runs, a failed one and a partial one; one run of a sweep."""
    rows = [
        ("20261121-100000-a", "mnist5k", "finished", 0.90),
        ("20261121-100001-b", "mnist5k", "finished", 0.95),
        ("sweep/20261121-100002-c", "mnist5k", "finished", 0.93),
        ("20261121-100003-d", "mnist5k", "failed", None),
        ("20261121-100004-e", "cifar10", "finished", 0.50),
        ("20261121-100005-f", "mnist5k", "stopped", 0.99),
    ]
    for name, data, status, score in rows:
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(yaml.safe_dump({"choices": {"model": "lenet5", "data": data}}))
        run = {"schema_version": 1, "status": status, "created": "2026-11-21T10:00:00+00:00", "command": ["cnnexp"]}
        (folder / "run.json").write_text(json.dumps({**run, "partial": status == "stopped"}))
        if score is not None:
            (folder / "summary.json").write_text(json.dumps({"metrics": {"test/accuracy": score}}))
    return tmp_path / "outputs"


def left(outputs: Path) -> str:
    return "".join(sorted(path.parent.name[-1] for path in outputs.glob("**/run.json") if ".trash" not in path.parts))


def test_the_list_shows_scores_sizes_and_tags(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.run(parsed("tag", "20261121-100001", "baseline", "paper", "--outputs", str(outputs))) == 0
    assert runs.run(parsed("ls", "--outputs", str(outputs))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "20261121-100001-b: baseline, paper"
    (row,) = [line.split() for line in lines if line.startswith("20261121-100001") and "finished" in line]
    assert row[1:5] == ["finished", "lenet5", "mnist5k", "0.9500"]
    assert "accuracy" in lines[1]
    assert row[-2:] == ["baseline,", "paper"]
    assert lines[-1].startswith("6 runs, ")
    assert max(map(len, lines)) <= 80


def test_one_run_is_shown(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.run(parsed("show", "20261121-100000", "--outputs", str(outputs))) == 0
    printed = capsys.readouterr().out
    for word in (
        "20261121-100000-a",
        "accuracy",
        "0.9000",
        "command  cnnexp",
        "files    config.yaml, run.json, summary.json",
    ):
        assert word in printed


def test_removed_runs_are_in_the_trash_until_it_is_emptied(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("20261121-100000", "20261121-100002", "--outputs", str(outputs))
    assert runs.run(parsed("rm", *words, "--dry-run")) == 0
    assert left(outputs) == "abcdef"
    assert runs.run(parsed("rm", *words)) == 0
    assert left(outputs) == "bdef"
    assert (outputs / "sweep" / ".trash" / "20261121-100002-c" / "run.json").is_file()
    assert runs.run(parsed("rm", "--empty-trash", "--dry-run", "--outputs", str(outputs))) == 0
    assert (outputs / ".trash").is_dir()
    assert runs.run(parsed("rm", "--empty-trash", "--outputs", str(outputs))) == 0
    assert not (outputs / ".trash").exists() and not (outputs / "sweep" / ".trash").exists()
    assert "would delete" in capsys.readouterr().out


def test_pruning_keeps_the_best_of_each_data_set_and_what_is_tagged(outputs: Path) -> None:
    assert runs.run(parsed("tag", "20261121-100003", "look", "--outputs", str(outputs))) == 0
    assert runs.run(parsed("prune", "--keep-best", "1", "--dry-run", "--outputs", str(outputs))) == 0
    assert left(outputs) == "abcdef"
    assert runs.run(parsed("prune", "--keep-best", "1", "--outputs", str(outputs))) == 0
    assert left(outputs) == "bde"


def test_what_cannot_be_read_is_neither_pruned_nor_taken_for_a_run(outputs: Path) -> None:
    (outputs / "20261121-100000-a" / "run.json").write_text("{")
    (outputs / "holiday").mkdir()
    (outputs / "holiday" / "run.json").write_text('{"name": "Rome"}')
    assert runs.run(parsed("prune", "--keep-best", "1", "--outputs", str(outputs))) == 0
    assert left(outputs) == "abey"
    with pytest.raises(InputError, match=r"holiday: no run of cnnexp \(run.json is of another program.*left alone"):
        runs.run(parsed("rm", "holiday", "--outputs", str(outputs)))
    with pytest.raises(InputError, match="holiday: no run of cnnexp"):
        runs.run(parsed("export", "holiday", str(outputs / "x.zip"), "--outputs", str(outputs)))
    assert runs.run(parsed("rm", "20261121-100000-a", "--outputs", str(outputs))) == 0
    assert left(outputs) == "bey"


def test_a_run_goes_to_an_archive_and_comes_back(outputs: Path, tmp_path: Path) -> None:
    archive = tmp_path / "run.zip"
    assert runs.run(parsed("export", "20261121-100001", str(archive), "--outputs", str(outputs))) == 0
    other = tmp_path / "other"
    assert runs.run(parsed("import", str(archive), "--outputs", str(other))) == 0
    assert sorted(path.name for path in other.iterdir()) == ["20261121-100001-b"]
    assert (other / "20261121-100001-b" / "run.json").read_bytes() == (
        outputs / "20261121-100001-b" / "run.json"
    ).read_bytes()
    with pytest.raises(InputError, match="there is such a run in"):
        runs.run(parsed("import", str(archive), "--outputs", str(other)))
    with pytest.raises(InputError, match="there is such a file"):
        runs.run(parsed("export", "20261121-100001", str(archive), "--outputs", str(outputs)))


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a\\..\\evil", "C:/evil"])
def test_an_archive_that_leads_out_is_refused_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(name, "x")
    with pytest.raises(InputError, match="leads out of the archive"):
        runs.run(parsed("import", str(archive), "--outputs", str(tmp_path / "other")))
    assert not (tmp_path / "other").exists()


def test_an_archive_with_a_link_or_of_junk_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        link = zipfile.ZipInfo("run/link")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="a link or a device"):
        runs.run(parsed("import", str(archive), "--outputs", str(tmp_path / "other")))
    archive.write_bytes(b"junk")
    with pytest.raises(InputError, match="not a whole archive") as refused:
        runs.run(parsed("import", str(archive), "--outputs", str(tmp_path / "other")))
    assert "\n" not in str(refused.value)


def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("run/run.json", "w") as member:
        for _ in range(100):
            member.write(bytes(1_000_000))
    assert archive.stat().st_size < 200_000
    with pytest.raises(InputError, match="unpacks to more than"):
        runs.run(parsed("import", str(archive), "--outputs", str(tmp_path / "other")))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"photos/a.txt": "x"}, "photos: the run in the archive is damaged"),
        ({"photos/run.json": "{}"}, "photos: the run in the archive is foreign"),
        ({"a/run.json": "{}", "b/run.json": "{}"}, "something else than one run's folder"),
        ({"run.json": "{}"}, "something else than one run's folder"),
    ],
)
def test_somebody_elses_archive_is_no_run(tmp_path: Path, files: dict[str, str], says: str) -> None:
    archive = tmp_path / "own.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    with pytest.raises(InputError, match=says):
        runs.run(parsed("import", str(archive), "--outputs", str(tmp_path / "other")))
    assert not (tmp_path / "other").exists()


def test_no_line_of_the_list_is_wider_than_the_terminal(
    outputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, folder in enumerate(sorted(path.parent for path in outputs.glob("**/run.json"))):
        twin = folder.with_name(f"20261121-100000-a_long_name-{place:04}")  # so that ids are told apart by both ends
        folder.rename(twin)
        run = json.loads((twin / "run.json").read_text())
        (twin / "run.json").write_text(json.dumps({**run, "tags": ["a_tag"]}))
        config = {"choices": {"model": "a_long_name_of_a_net", "data": "a_long_name"}, "task": {"monitor": "val/miou"}}
        (twin / "config.yaml").write_text(yaml.safe_dump(config))
        if place % 2:
            (twin / "summary.json").write_text(json.dumps({"metrics": {"val/miou": 0.5}}))
    for width in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        assert runs.run(parsed("ls", "--outputs", str(outputs))) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        assert lines[2].split()[-1] == ("kB" if width == 60 else "a_tag")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("lst",), "lst: there is no such action; did you mean ls?"),
        (("prune",), "prune: say how many runs of each data set and metric stay"),
        (("prune", "--keep-best", "0"), "prune: say how many"),
        (("ls", "--keep-best", "3"), "--keep-best: goes with prune, not ls"),
        (("show", "--dry-run"), "--dry-run: goes with rm and prune, not show"),
        (("tag", "last"), "tag: name a run and one tag at least"),
        (("rm",), "rm: name the runs that shall go to the trash"),
        (("rm", "last", "--empty-trash"), "--empty-trash: deletes all"),
        (("show",), "name one run: cnnexp runs show RUN"),
        (("export", "last"), "export: name a run and an archive"),
        (("export", "last", "run.tar"), "export: name a run and an archive"),
        (("export", "last", "nowhere/run.zip"), "nowhere/run.zip: there is no folder nowhere; make it first"),
        (("import",), "import: name one archive"),
        (("import", "missing.zip"), "missing.zip: there is no such file"),
        (("tag", "nosuch", "x"), "nosuch: there is no such run"),
    ],
)
def test_bad_words_are_named(outputs: Path, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError) as refused:
        runs.run(parsed(*words, "--outputs", str(outputs)))
    assert str(refused.value).startswith(says)
    assert left(outputs) == "abcdef"

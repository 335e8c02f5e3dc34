from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path

import pytest
import yaml

from cnnexp.commands import compare
from cnnexp.errors import InputError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    compare.add_arguments(parser)
    parser.add_argument("--debug", action="store_true")
    return parser.parse_args(words)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Two runs, one of them in a sweep's folder, and a damaged one."""
    for place, (name, accuracy) in enumerate(
        (("20261121-093105-lenet5-a", 0.9), ("sweep/20261121-093200-lenet5-b", 0.95))
    ):
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        config = {"seed": place, "task": {"monitor": "val/accuracy"}, "choices": {"model": "lenet5", "data": "mnist5k"}}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        run = {"schema_version": 1, "status": "finished", "created": f"2026-11-21T09:3{place}:00+00:00"}
        (folder / "run.json").write_text(json.dumps(run))
        (folder / "summary.json").write_text(json.dumps({"metrics": {"test/accuracy": accuracy}}))
    damaged = tmp_path / "outputs" / "20261121-100000-lenet5-c"
    damaged.mkdir()
    (damaged / "run.json").write_text('{"schema_version": ')
    return tmp_path / "outputs"


def ids(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert compare.run(parsed("--json", *words)) == 0
    return [run["id"][-1] for run in json.loads(capsys.readouterr().out)]


def test_all_runs_of_the_outputs_folder_come_oldest_first(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ids(capsys, "--outputs", str(outputs)) == ["a", "b", "c"]


@pytest.mark.parametrize("words", [("--sort", "-test/accuracy"), ("--sort=-test/accuracy",), ("--sort", "-accuracy")])
def test_a_dash_turns_the_order_round(
    outputs: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert ids(capsys, "--outputs", str(outputs), "--sort", "test/accuracy") == ["b", "a", "c"]
    assert ids(capsys, "--outputs", str(outputs), *words) == ["a", "b", "c"]


def test_runs_are_named_by_folder_id_or_beginning_and_shown_once(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ids(capsys, str(outputs / "sweep")) == ["b"]
    assert ids(capsys, "--outputs", str(outputs), "20261121-0931", "20261121-100000-lenet5-c") == ["a", "c"]
    assert ids(capsys, str(outputs), str(outputs / "sweep"), str(outputs / "." / "sweep")) == ["a", "b", "c"]


def test_the_table_shows_every_run_and_why_one_is_damaged(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.run(parsed(str(outputs))) == 0
    printed = capsys.readouterr().out
    for word in ("20261121-093105", "20261121-093200", "20261121-100000", "0.9500", "seed", "damaged: "):
        assert word in printed


def test_csv_is_one_row_for_each_run(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.run(parsed("--csv", str(outputs))) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["test/accuracy"] for row in rows] == ["0.9", "0.95", ""]


def test_a_path_that_does_not_exist_is_named(outputs: Path) -> None:
    with pytest.raises(InputError, match="nowhere/at/all"):
        compare.run(parsed("nowhere/at/all"))
    with pytest.raises(InputError, match="nosuchrun"):
        compare.run(parsed("nosuchrun", "--outputs", str(outputs)))
    with pytest.raises(InputError, match=r"run\.json: this is a file"):
        compare.run(parsed(str(outputs / "20261121-100000-lenet5-c" / "run.json")))


def test_an_empty_place_says_how_to_make_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cnnexp train model="):
        compare.run(parsed("--outputs", str(tmp_path / "none")))
    with pytest.raises(InputError, match="cnnexp train model="):
        compare.run(parsed(str(tmp_path)))


def test_json_and_csv_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--json", "--csv")
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--group-by", "seed"), ("--trade-off", "parameters")])
def test_groups_and_trade_offs_as_csv(
    outputs: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    for place, folder in enumerate(sorted(outputs.glob("**/summary.json"))):
        folder.write_text(json.dumps({**json.loads(folder.read_text()), "parameters": 10 + place}))
    assert compare.run(parsed("--outputs", str(outputs), *words, "--csv")) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    key = "mean" if words[0] == "--group-by" else "test/accuracy"
    assert sorted(row[key] for row in rows) == (["0.9", "0.95"] if key == "mean" else [str((0.9 + 0.95) / 2)])


def test_a_chart_over_a_setting(outputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "over.png"
    assert compare.run(parsed("--outputs", str(outputs), "--over", "seed", "--plot", str(path))) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("form", "has"), [("--csv", ",0.9,"), ("--json", '"scores": ['), ("--markdown", "| 0.9000 |")])
def test_scores_over_a_setting_as_a_table(
    outputs: Path, capsys: pytest.CaptureFixture[str], form: str, has: str
) -> None:
    words = ("--outputs", str(outputs), "--over", "seed")
    assert compare.run(parsed(*words)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[3:]] == [["0", "0.9000"], ["1", "0.9500"]]
    assert compare.run(parsed(*words, form)) == 0
    assert has in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--metric", "loss"), "--metric: says what --over, --group-by or --trade-off are about, which are missing"),
        (("--plot", "a.png"), "--plot: say over what, for example --over data.fraction, or --trade-off parameters"),
        (("--over", "seed", "--plot", "a.pdf"), "--plot a.pdf: the chart is a PNG; name it so: chart.png"),
    ],
)
def test_half_a_chart_is_refused(outputs: Path, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError) as refused:
        compare.run(parsed("--outputs", str(outputs), *words))
    assert str(refused.value) == says


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--columns", " "), "--columns ' ': name one at least"),
        (("--group-by", ","), "--group-by ',': name one at least"),
        (("--status", ""), "--status '': name one at least"),
        (("--group-by", "seed", "--metric", "model"), "--metric model: this is no metric"),
        (("--group-by", "seed", "--metric", "acuracy"), "--metric acuracy: no such metric"),
        (("--trade-off", "paramters"), "--trade-off paramters: no such cost; did you mean parameters?"),
        (("--html", "nowhere/page.html"), "--html nowhere/page.html: there is no folder nowhere; make it first"),
        (("--html", "page.txt"), "--html page.txt: the page is an HTML file; name it so: page.html"),
        (("--html", "/proc/page.html"), "/proc cannot be written"),
        (("--over", "seed", "--plot", "/proc/over.png"), "/proc cannot be written"),
    ],
)
def test_bad_words_are_named(outputs: Path, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError) as refused:
        compare.run(parsed("--outputs", str(outputs), *words))
    assert str(refused.value).startswith(says)


def test_filters_leave_out_runs(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ids(capsys, "--outputs", str(outputs), "--where", "accuracy>0.92") == ["b"]
    assert ids(capsys, "--outputs", str(outputs), "--status", "damaged, failed") == ["c"]
    with pytest.raises(InputError, match="no run fits"):
        compare.run(parsed("--outputs", str(outputs), "--where", "seed>7"))
    with pytest.raises(InputError, match=r"created is 2026-11-21T09:30:00\S+ to 2026-11-21T09:31:00"):
        compare.run(parsed("--outputs", str(outputs), "--where", "created<2026"))


def test_chosen_columns_are_shown_and_no_others(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.run(parsed("--outputs", str(outputs), "--columns", "seed, accuracy")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["run", "status", "seed", "accuracy"]
    assert lines[2].split() == ["20261121-093105-lenet5-a", "finished", "0", "0.9000"]
    with pytest.raises(InputError, match="--columns acuracy: no such metric"):
        compare.run(parsed("--outputs", str(outputs), "--columns", "acuracy"))


@pytest.mark.parametrize(("form", "begins"), [("--markdown", "| run |"), ("--latex", "% \\usepackage{booktabs}")])
def test_tables_for_documents(outputs: Path, capsys: pytest.CaptureFixture[str], form: str, begins: str) -> None:
    assert compare.run(parsed("--outputs", str(outputs), form)) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(begins)
    assert "0.9500" in printed

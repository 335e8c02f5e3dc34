"""A real run as a page with its worst mistakes, and run again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from cnnexp.config.earlier import BEFORE, MOVED
from tests.integration.conftest import CommandLine, copy_run

pytestmark = pytest.mark.integration


def report_of(file: Path) -> dict[str, object]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', file.read_text(), re.DOTALL)
    (run,) = json.loads(text)["runs"]
    return dict(run)


def test_a_report_shows_the_worst_mistakes_as_pictures(cnnexp: CommandLine, trained: Path, tmp_path: Path) -> None:
    run = copy_run(trained, tmp_path)
    done = cnnexp("report", "last")
    assert done.status == 0, done.err
    assert done.out.strip() == str(Path("outputs") / run.name / "report.html")
    shown = report_of(run / "report.html")
    mistakes = shown["mistakes"]
    assert isinstance(mistakes, list) and len(mistakes) == 24
    assert all(one["source"].startswith("data:image/png;base64,") for one in mistakes)
    assert len({one["source"] for one in mistakes}) > 20, "different pictures"
    assert str(shown["profile"]).startswith("data:image/png;base64,")
    assert dict(shown["facts"])["multiply adds"] == "416,520"  # type: ignore[call-overload]


def test_without_weights_the_report_says_why_there_are_no_pictures(
    cnnexp: CommandLine, trained: Path, tmp_path: Path
) -> None:
    run = copy_run(trained, tmp_path)
    (run / "checkpoints" / "best.ckpt").unlink()
    assert cnnexp("report", "last", "--html", "page.html").status == 0
    shown = report_of(tmp_path / "page.html")
    assert "not drawn: " in str(shown["mistakes_note"]) and "best.ckpt" in str(shown["mistakes_note"])
    assert not (run / "report.html").exists()
    assert cnnexp("report", "last", "--html", "page.html", "--quick").status == 0
    assert "not drawn" not in str(report_of(tmp_path / "page.html")["mistakes_note"])


def test_a_page_is_not_written_through_a_link_of_a_strangers_run(
    cnnexp: CommandLine, trained: Path, tmp_path: Path
) -> None:
    run = copy_run(trained, tmp_path)
    victim = tmp_path / "victim.html"
    victim.write_text("mine")
    (run / "report.html").symlink_to(victim)
    done = cnnexp("report", "last")
    assert (done.status, victim.read_text()) == (2, "mine")
    assert "report.html leads out of the run's folder" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--html", "page.txt"), "--html page.txt: the page is an HTML file; name it so: page.html"),
        (("--html", "nowhere/page.html"), "--html nowhere/page.html: there is no folder nowhere; make it first"),
    ],
)
def test_a_page_has_its_ending_and_a_folder(
    cnnexp: CommandLine, trained: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    copy_run(trained, tmp_path)
    done = cnnexp("report", "last", *words)
    assert (done.status, done.lines) == (2, [f"cnnexp report: {says}"])


def test_a_run_is_reproduced_to_the_bit(cnnexp: CommandLine, trained: Path, tmp_path: Path) -> None:
    run = copy_run(trained, tmp_path)
    record = json.loads((run / "run.json").read_text())
    record["versions"]["torch"] = "1.0.0"
    (run / "run.json").write_text(json.dumps(record))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    done = cnnexp("reproduce", run.name)
    assert done.status == 0, done.err
    assert f"{run.name} again: equal to the bit in all" in done.out
    assert "warning: torch: 1.0.0 then, " in done.out
    again = [path for path in (tmp_path / "outputs").iterdir() if path != run]
    assert len(again) == 1
    assert (again[0] / "predictions.csv").read_bytes() == (run / "predictions.csv").read_bytes()
    assert {path: path.read_bytes() for path in before} == before, "the first run is as it was"


def test_only_a_finished_run_is_reproduced(cnnexp: CommandLine, stopped: Path, tmp_path: Path) -> None:
    run = copy_run(stopped, tmp_path)
    done = cnnexp("reproduce", "last")
    assert done.status == 2
    assert done.lines == [
        f"cnnexp reproduce: {run.name} is stopped; only a finished run can be held against a repetition"
    ]
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == [run.name]


def as_an_earlier_version_left_it(run: Path) -> None:
    """Without the keys that every run has today, with the flat augmentation of before, and a loss that nobody named."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    augmentation = config["augmentation"]
    flat = {key: augmentation[place.split(".")[0]][place.split(".")[1]] for key, place in MOVED.items()}
    config["augmentation"] = {key.removeprefix("augmentation."): value for key, value in flat.items()} | {
        "_target_": augmentation["_target_"],
        "input": "pictures",  # goes with the others
    }
    config["data"]["mask_classes"] = []
    for key in sorted(("loss", "choices.loss", *BEFORE), reverse=True):  # a group after its keys
        *groups, last = key.split(".")
        holder = config
        for group in groups:
            holder = holder[group]
        holder.pop(last)
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "choices": config["choices"]}))


def test_a_run_of_an_earlier_version_is_tested_reproduced_and_gone_on_with(
    cnnexp: CommandLine, trained: Path, stopped: Path, tmp_path: Path
) -> None:
    run = copy_run(trained, tmp_path)
    as_an_earlier_version_left_it(run)
    assert cnnexp("test", run.name).status == 0
    done = cnnexp("reproduce", run.name)
    assert done.status == 0 and "equal to the bit in all" in done.out, done.err + done.out
    cut_short = copy_run(stopped, tmp_path)
    as_an_earlier_version_left_it(cut_short)
    done = cnnexp("resume", cut_short.name, "max_steps=null")
    assert done.status == 0, done.err
    listed = {one["id"]: one["status"] for one in json.loads(cnnexp("compare", "--json").out)}
    assert listed[cut_short.name] == "finished"
    assert yaml.safe_load((cut_short / "config.yaml").read_text())["model"]["match"] == "names"

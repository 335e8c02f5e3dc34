"""What came of a sweep: the best trial and how to run it again, what mattered, a table of all, a picture."""

from __future__ import annotations

import csv
import io
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console

from cnnexp.errors import RunFailed
from cnnexp.report.notation import metric_figure
from cnnexp.report.plain_text import printable, spreadsheet_cell
from cnnexp.runs.atomic import write_json, write_text
from cnnexp.runs.read import read_record
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.repeats import Repeats, draw_pooled
from cnnexp.sweep.study import Study
from cnnexp.sweep.table import as_row, best_of, counts
from cnnexp.sweep.trial import TrialFolder

MOST_FAILED = 5


def conclude(plan: Plan, folder: Path, study: Study, console: Console) -> int:
    """Print what came of a sweep whose trials have all ended, and write it to its folder.

    Raises:
        RunFailed: every trial failed.
    """
    trials = study.trials()
    best, importances = best_of(trials, plan.mode), study.importances()
    write_text(folder / "trials.csv", _csv([as_row(trial, study.point(trial)) for trial in trials]))
    summary: dict[str, Any] = {"counts": counts(trials), "importances": importances, "best": None}
    lines = [counts(trials), *_failures(trials)]
    repeats: Repeats | None = None
    if best is not None:
        summary["best"] = _best(plan, folder, study, best)
        lines += _best_lines(plan, summary["best"])
        repeats = _repeats(plan, folder, study, best)
    if repeats is not None:
        summary["best"]["repeats"] = repeats.as_record()
        lines += repeats.lines()
    if importances:
        lines.append("importance: " + ", ".join(f"{key} {share:.2f}" for key, share in importances.items()))
    elif best is not None and plan.candidates.dimensions:
        lines.append("importance: too few trials finished with different scores to tell")
    write_json(folder / "summary.json", summary)
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
    if best is None:
        raise RunFailed(f"no trial finished; {folder / 'trials'} has what each of them printed")
    for picture in _draw(plan, folder, study, importances, repeats):
        console.print(f"picture: {picture}", soft_wrap=True, markup=False)
    return 0


def _draw(
    plan: Plan, folder: Path, study: Study, importances: Mapping[str, float], repeats: Repeats | None
) -> Iterator[Path]:
    """The search, where there was one, and what the folds were taken for."""
    if plan.candidates.dimensions:
        from cnnexp.sweep.picture import draw_search

        yield draw_search(plan, study, importances, folder / "pictures" / "search.png")
    pooled = None if repeats is None else draw_pooled(repeats, folder / "pictures" / "confusion.png", "all folds")
    if pooled is not None:
        yield pooled


def _repeats(plan: Plan, folder: Path, study: Study, best: FrozenTrial) -> Repeats | None:
    """The runs of the best candidate, where it is a mean over several and all of them can be read here."""
    key, parts = plan.settings.average, plan.parts
    if key is None:
        return None
    place_of = study.folder(best, folder)
    trials = [TrialFolder(place_of, best.number, place, len(parts)) for place in range(len(parts))]
    outcomes = [one.outcome(plan.monitor, plan.mode) for one in trials]
    runs = [read_record(one.run) for one in outcomes if one.run is not None and one.value is not None]
    values = [one.value for one in outcomes if one.value is not None]
    if len(runs) < len(parts):
        return None
    return Repeats(key, plan.monitor, tuple(str(part) for part in parts), tuple(runs), tuple(values))


def _best(plan: Plan, folder: Path, study: Study, best: FrozenTrial) -> dict[str, Any]:
    point, parts, place_of = study.point(best), plan.parts, study.folder(best, folder)
    runs = [TrialFolder(place_of, best.number, place, len(parts)).run() for place in range(len(parts))]
    return {
        "trial": best.number,
        "score": best.value,
        "settings": point,
        "commands": [command_line(plan, point, part) for part in parts],
        "runs": [os.path.relpath(run, folder) for run in runs if run is not None],
    }


def _best_lines(plan: Plan, best: dict[str, Any]) -> list[str]:
    over = f", mean over {len(plan.parts)} values of {plan.settings.average}" if len(plan.parts) > 1 else ""
    score = metric_figure(plan.monitor, best["score"])
    return [f"best: trial {best['trial']}, {plan.monitor} {score}{over}", *(f"  {line}" for line in best["commands"])]


def command_line(plan: Plan, point: dict[str, str], part: str | None) -> str:
    """What to type to make a trial's run again."""
    folders = [word for folder in plan.config_dirs for word in ("--config-dir", folder)]
    trust = [word for package in plan.trusted for word in ("--trust", package)]
    return shlex.join(["cnnexp", "train", *plan.words(point, part), *folders, *trust])


def _failures(trials: list[FrozenTrial]) -> list[str]:
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    lines = [f"trial {trial.number} failed: {printable(trial.user_attrs.get('error', ''))}" for trial in failed]
    more = len(lines) - MOST_FAILED
    return lines[:MOST_FAILED] + ([f"… and {more} more, see trials.csv"] if more > 0 else [])


def _csv(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([{key: spreadsheet_cell(value) for key, value in row.items()} for row in rows])
    return stream.getvalue()

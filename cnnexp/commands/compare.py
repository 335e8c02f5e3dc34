"""`cnnexp compare`: runs side by side, as a table, JSON, CSV or a chart over a setting."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_outputs
from cnnexp.commands.files import check_file, writing
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder

if TYPE_CHECKING:
    from rich.console import Console

    from cnnexp.report.comparison import Runs
    from cnnexp.report.groups_table import GroupsTable
    from cnnexp.report.score_over_table import ScoreOverTable
    from cnnexp.report.trade_off import TradeOffTable

EXAMPLE = "\n  ".join(
    (
        "cnnexp compare outputs/ --sort test/accuracy",
        "cnnexp compare --where 'model=resnet*' --group-by optimizer.lr",
        "cnnexp compare --where data=cifar10 --trade-off parameters --plot chart.png",
        "cnnexp compare --over data.fraction",
        "cnnexp compare outputs/ --html runs.html",
    )
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="runs, or folders with runs below them (default: all of your runs)"
    )
    add_outputs(parser)
    parser.add_argument(
        "--sort",
        metavar="KEY",
        help="a metric (test/accuracy), a configuration key (optimizer.lr), score, duration or created; "
        "the best score or the smallest value comes first, -KEY turns it round (default: created)",
    )
    parser.add_argument(
        "--over", metavar="KEY", help="the score over a setting, such as data.fraction: means over the seeds"
    )
    parser.add_argument("--plot", metavar="FILE.png", help="draw --over or --trade-off")
    parser.add_argument(
        "--metric", metavar="NAME", help="with --over, --group-by, --trade-off: which one [the test score]"
    )
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="FILTER",
        help="only runs that fit, such as 'model=resnet*', 'optimizer.lr!=0.1' or 'test/accuracy>0.9'; "
        "may be given several times",
    )
    parser.add_argument("--status", metavar="WORDS", help="only runs of these statuses, such as finished,stopped")
    parser.add_argument(
        "--columns",
        metavar="KEYS",
        help="show these metrics, settings or facts, such as model,optimizer.lr,accuracy,time",
    )
    parser.add_argument(
        "--group-by",
        metavar="KEYS",
        help="means over the seeds of runs with equal KEYS (or `settings`: all that differ), and which groups differ",
    )
    parser.add_argument(
        "--trade-off",
        metavar="COST",
        help="the score against parameters, multiply_adds, images_per_second, frames_per_second or duration, with the "
        "Pareto front marked",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a list with one object for each run")
    form.add_argument("--csv", action="store_true", help="print one line for each run, for a spreadsheet")
    form.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    form.add_argument("--latex", action="store_true", help="print the table for LaTeX (package booktabs)")
    form.add_argument("--html", metavar="FILE", help="write a page for a browser: table, curves, differences")
    # argparse takes the word after `--sort` for an option when it begins with a dash, unless it looks like a negative
    # number. So `-test/accuracy` shall look like one; `--sort=-KEY` works without this.
    parser._negative_number_matcher = re.compile(r"-[A-Za-z_]")


def run(arguments: argparse.Namespace) -> int:
    """Print the runs in the form that was asked for.

    Raises:
        InputError: a path that does not exist, no run found, or a key to sort by that no run has.
    """
    from cnnexp.runs.read import uncollected

    _check(arguments)
    with uncollected():
        _compare(arguments)
    return 0


def _compare(arguments: argparse.Namespace) -> None:
    from cnnexp.report.samples import different_data

    outputs = outputs_folder(arguments.outputs)
    runs = _chosen(run_folders(arguments.runs, outputs), arguments)
    for line in different_data(runs.records):
        print(f"warning: {line}", file=sys.stderr)
    if arguments.html:
        _write_page(runs, Path(arguments.html))
    elif arguments.over:
        _print_over(runs, arguments)
    elif arguments.trade_off:
        _print_trade_off(runs, arguments)
    elif arguments.group_by:
        _print_groups(runs, arguments)
    else:
        known_ids = _known_ids(outputs) if arguments.runs else ()
        _print(runs, known_ids, arguments)


def _chosen(folders: Sequence[Path], arguments: argparse.Namespace) -> Runs:
    """The runs that fit the filters, in order."""
    from cnnexp.report.comparison import Runs
    from cnnexp.runs.read import read_records

    runs = Runs(read_records(folders)).with_status(_words(arguments.status)).where(arguments.where)
    return runs.sorted_by(arguments.sort)


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _check(arguments: argparse.Namespace) -> None:
    from cnnexp.config.nearest import did_you_mean
    from cnnexp.report.trade_off import CHOICES

    given = {
        name for name in ("over", "plot", "metric", "group_by", "trade_off") if getattr(arguments, name) is not None
    }
    if "trade_off" in given and arguments.trade_off not in CHOICES:
        raise InputError(
            f"--trade-off {arguments.trade_off}: no such cost; {did_you_mean(arguments.trade_off, CHOICES)}"
        )
    for name in ("plot", "html"):
        check_file(name, getattr(arguments, name))
    for name in ("columns", "group_by", "status"):
        text = getattr(arguments, name)
        if text is not None and not _words(text):
            raise InputError(f"--{name.replace('_', '-')} {text!r}: name one at least, with commas between several")
    if arguments.html is not None and given:
        raise InputError("--html: the page is about the runs themselves; leave out --group-by, --plot and the like")
    if "plot" in given and len(given & {"over", "trade_off"}) != 1:
        raise InputError("--plot: say over what, for example --over data.fraction, or --trade-off parameters")
    if given == {"metric"}:
        raise InputError("--metric: says what --over, --group-by or --trade-off are about, which are missing")
    if arguments.columns is not None and given:
        raise InputError("--columns: is for the table of runs; leave it out, or --group-by and the like")


def _write_page(runs: Runs, path: Path) -> None:
    from cnnexp.report.page.content import page_of_runs
    from cnnexp.report.page.write import write_page

    content = page_of_runs(runs)
    with writing("html", path):
        print(write_page(content, path))


def run_folders(given: Sequence[str], outputs: Path) -> list[Path]:
    """The folders of the runs that were named, or of all runs, each once."""
    from cnnexp.runs.find import find_runs

    places = [_place(text, outputs) for text in given] if given else [outputs]
    found = find_runs([place for place in places if place.is_dir()])
    if not found:
        where = ", ".join(str(place) for place in places)
        raise InputError(f"no runs in {where}; make one with: cnnexp train model=lenet5 data=mnist5k")
    split = [os.path.split(folder) for folder in found]
    homes = {parent: os.path.realpath(parent) for parent in {parent for parent, _ in split}}
    keys = [os.path.join(homes[parent], name) for parent, name in split]
    return list(dict(zip(keys, found, strict=True)).values())


def _place(text: str, outputs: Path) -> Path:
    from cnnexp.runs.find import resolve

    path = Path(text)
    if path.is_dir():
        return path
    if path.exists():
        raise InputError(f"{text}: this is a file; name a run's folder, or a folder with runs below it")
    if path.name != text.rstrip("/"):
        raise InputError(f"{text}: there is no such folder")
    return resolve(text, outputs)


def _known_ids(outputs: Path) -> set[str]:
    """The ids of all runs that a shortened id could be taken for."""
    from cnnexp.runs.find import find_runs

    return {folder.name for folder in find_runs([outputs])} if outputs.is_dir() else set()


def _print(runs: Runs, known_ids: Collection[str], arguments: argparse.Namespace) -> None:
    from cnnexp.report.export import to_csv, to_json
    from cnnexp.report.markup import to_latex, to_markdown
    from cnnexp.report.table import ComparisonTable

    if arguments.json:
        print(to_json(runs.records))
    elif arguments.csv:
        sys.stdout.write(to_csv(runs.records))
    else:
        table = ComparisonTable(runs, known_ids, _words(arguments.columns))
        if arguments.markdown or arguments.latex:
            sys.stdout.write((to_markdown if arguments.markdown else to_latex)(table.columns()))
        else:
            _console().print(table)


def _print_groups(runs: Runs, arguments: argparse.Namespace) -> None:
    from cnnexp.report.groups import group_runs
    from cnnexp.report.groups_table import GroupsTable, as_rows, as_values

    grouped = group_runs(runs, _words(arguments.group_by), arguments.metric)
    table = GroupsTable(grouped)
    _print_in_form(table, as_values(grouped), as_rows(grouped), arguments)


def _print_trade_off(runs: Runs, arguments: argparse.Namespace) -> None:
    from cnnexp.report.trade_off import TradeOffTable, as_rows, as_values, draw_trade_off, trade_off

    found = trade_off(runs, arguments.trade_off, _words(arguments.group_by), arguments.metric)
    table = TradeOffTable(found)
    if arguments.plot:
        with writing("plot", Path(arguments.plot)):
            print(draw_trade_off(found, Path(arguments.plot)))
    else:
        _print_in_form(table, as_values(found), as_rows(found), arguments)


def _print_over(runs: Runs, arguments: argparse.Namespace) -> None:
    from cnnexp.report.score_over import lines_over
    from cnnexp.report.score_over_chart import draw_over
    from cnnexp.report.score_over_table import ScoreOverTable, as_rows, as_values

    over = runs.resolve(arguments.over, "--over")
    asked = None if arguments.metric is None else runs.resolve(arguments.metric, "--metric")
    metric, lines = lines_over(runs.records, over, asked)
    if arguments.plot:
        with writing("plot", Path(arguments.plot)):
            print(draw_over(lines, over, metric, Path(arguments.plot)))
    else:
        table = ScoreOverTable(lines, over, metric)
        _print_in_form(table, as_values(lines, over, metric), as_rows(lines, over), arguments)


def _print_in_form(
    table: GroupsTable | TradeOffTable | ScoreOverTable,
    values: dict[str, Any],
    rows: Sequence[Mapping[str, Any]],
    arguments: argparse.Namespace,
) -> None:
    from cnnexp.report.export import plain_json, rows_to_csv
    from cnnexp.report.markup import to_latex, to_markdown

    if arguments.json:
        print(plain_json(values))
    elif arguments.csv:
        sys.stdout.write(rows_to_csv(rows))
    elif arguments.markdown or arguments.latex:
        sys.stdout.write((to_markdown if arguments.markdown else to_latex)(table.columns()))
    else:
        _console().print(table)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)

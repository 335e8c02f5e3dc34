"""`cnnexp compare`: runs side by side, as a table, JSON, CSV or a chart over a setting."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_outputs
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

EXAMPLE = "cnnexp compare outputs/ --sort test/accuracy"


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
        "--over", metavar="KEY", help="with --plot: the setting along the horizontal axis, such as data.fraction"
    )
    parser.add_argument("--plot", metavar="FILE.png", help="draw the score over a setting, a line for each kind of run")
    parser.add_argument("--metric", metavar="NAME", help="with --plot: what is drawn [the test score]")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a list with one object for each run")
    form.add_argument("--csv", action="store_true", help="print one line for each run, for a spreadsheet")
    # argparse takes the word after `--sort` for an option when it begins with a dash, unless it looks like a negative
    # number. So `-test/accuracy` shall look like one; `--sort=-KEY` works without this.
    parser._negative_number_matcher = re.compile(r"-[A-Za-z_]")


def run(arguments: argparse.Namespace) -> int:
    """Print the runs in the form that was asked for.

    Raises:
        InputError: a path that does not exist, no run found, or a key to sort by that no run has.
    """
    from cnnexp.report.comparison import sort_records
    from cnnexp.report.export import to_csv, to_json
    from cnnexp.runs.read import read_record

    _check_plot(arguments)
    outputs = outputs_folder(arguments.outputs)
    folders = _folders(arguments.runs, outputs)
    records = sort_records([read_record(folder) for folder in folders], arguments.sort)
    if arguments.plot:
        _plot(records, arguments)
    elif arguments.json:
        print(to_json(records))
    elif arguments.csv:
        sys.stdout.write(to_csv(records))
    else:
        _print_table(records, outputs)
    return 0


def _check_plot(arguments: argparse.Namespace) -> None:
    if arguments.plot is None:
        given = [name for name in ("over", "metric") if getattr(arguments, name) is not None]
        if given:
            raise InputError(f"--{given[0]}: says what --plot FILE.png draws, which is missing")
    elif arguments.over is None:
        raise InputError("--plot: say over which setting, for example --over data.fraction")
    elif Path(arguments.plot).suffix.lower() != ".png":
        raise InputError(f"--plot {arguments.plot}: the chart is a PNG; name it so: chart.png")


def _plot(records: list[Record], arguments: argparse.Namespace) -> None:
    from cnnexp.report.over import draw_over, lines_over

    metric, lines = lines_over(records, arguments.over, arguments.metric)
    print(draw_over(lines, arguments.over, metric, Path(arguments.plot)))


def _folders(given: list[str], outputs: Path) -> list[Path]:
    """The folders of the runs that were named, or of all runs, each once."""
    from cnnexp.runs.find import find_runs

    places = [_place(text, outputs) for text in given] if given else [outputs]
    found = find_runs([place for place in places if place.is_dir()])
    if not found:
        where = ", ".join(str(place) for place in places)
        raise InputError(f"no runs in {where}; make one with: cnnexp train model=lenet5 data=mnist5k")
    return list({folder.resolve(): folder for folder in found}.values())


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


def _print_table(records: list[Record], outputs: Path) -> None:
    from rich.console import Console

    from cnnexp.report.table import ComparisonTable
    from cnnexp.runs.find import find_runs

    known_ids = {folder.name for folder in find_runs([outputs])} if outputs.is_dir() else set()
    Console(highlight=False).print(ComparisonTable(records, known_ids))

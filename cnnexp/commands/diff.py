"""``cnnexp diff``: two runs held against each other."""

from __future__ import annotations

import argparse

from cnnexp.commands.arguments import add_outputs
from cnnexp.paths import outputs_folder

EXAMPLE = "cnnexp diff 20261121-145124 last"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for name in ("first", "second"):
        parser.add_argument(name, metavar="RUN", help="a run's folder, its id, the beginning of its id, or last")
    add_outputs(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print what differs: settings, data, code, versions, machine, result, and the answers picture by picture.

    Raises:
        InputError: there is no such run, or its record is damaged.
    """
    from rich.console import Console

    from cnnexp.report.difference import DifferenceTable, as_values, differences
    from cnnexp.report.export import plain_json
    from cnnexp.runs.find import open_run

    outputs = outputs_folder(arguments.outputs)
    found = differences(*(open_run(text, outputs) for text in (arguments.first, arguments.second)))
    if arguments.json:
        print(plain_json(as_values(found)))
    else:
        Console(highlight=False).print(DifferenceTable(found))
    return 0

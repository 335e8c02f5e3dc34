"""``cnnexp visualize gradients``: the gradient norms that runs recorded, one run alone or several beside each other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cnnexp.commands.arguments import add_folder, add_outputs, folder_of
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.report.gradients import FILE, draw_gradients, gradient_summary, layers_of
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record, inside, read_metrics

LINE = "gradient norms of every layer, of runs that recorded them"
EXAMPLE = """cnnexp train model=lenet5 logger.gradients=true
  cnnexp visualize gradients last
  cnnexp visualize gradients RUN RUN"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders, ids, beginnings of ids, or last")
    add_outputs(parser)
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    outputs = outputs_folder(arguments.outputs)
    records = [open_run(text, outputs) for text in arguments.runs]
    rows = {name: _rows(record) for name, record in zip(_names(records), records, strict=True)}
    folder = folder_of(arguments)
    title = records[0].id if len(records) == 1 else "gradient norms of several runs"
    path = draw_gradients(rows, folder / "gradients.png", title)
    for name, of_run in rows.items():
        found = gradient_summary(of_run)
        if found:
            first, last = found["first"], found["last"]
            print(f"{name}\n  {first['layer']} {first['norm']:.3g}, {last['layer']} {last['norm']:.3g}", end="")
            print(f", all {found['total']:.3g}" if found["total"] is not None else "")
    print(path)
    return 0


def _rows(record: Record) -> list[dict[str, float | None]]:
    if not (record.folder / FILE).exists():
        raise InputError(f"{record.id} recorded no gradient norms; train it with logger.gradients=true")
    try:
        rows = read_metrics(inside(record.folder, FILE))
    except (OSError, ValueError) as error:
        raise InputError(f"{record.id}: {FILE} cannot be read ({error})") from error
    if not layers_of(rows):
        raise InputError(f"{record.id}: {FILE} holds no norms yet; they are written at the end of an epoch")
    return rows


def _names(records: Sequence[Record]) -> list[str]:
    """By the word that their owner gave them, else by net and data, else by their id, so that no two are the same."""
    for names in (
        [str(record.run.get("name") or "") for record in records],
        [f"{record.choices.get('model')} on {record.choices.get('data')}" for record in records],
    ):
        if all(names) and len(set(names)) == len(names):
            return names
    return [record.id for record in records]

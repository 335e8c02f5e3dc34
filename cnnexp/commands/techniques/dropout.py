"""``cnnexp visualize dropout``: thinned nets of a run averaged, beside the one net that stands for all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_checkpoint, add_folder, add_outputs, add_own_code, folder_of, weights_named
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run

if TYPE_CHECKING:
    from cnnexp.visualize.dropout import DropoutResult

LINE = "dropout as an average of many nets: how many the scaled net is worth"
EXAMPLE = """cnnexp train model=mlp data=mnist5k regularization.dropout=0.5
  cnnexp visualize dropout last
  cnnexp visualize dropout last --nets 500"""
MOST_NETS = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a classifier that was trained with dropout")
    add_outputs(parser)
    parser.add_argument("--nets", type=int, metavar="N", default=100, help="thinned nets that are drawn [100]")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of what is dropped [0]")
    add_checkpoint(parser)
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    if not 2 <= arguments.nets <= MOST_NETS:
        raise InputError(f"--nets {arguments.nets}: expected a number from 2 to {MOST_NETS}")
    if not 0 <= arguments.seed < 2**32:
        raise InputError(f"--seed {arguments.seed}: expected a whole number from 0 to {2**32 - 1}")
    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    if (record.config.get("task") or {}).get("name") != "classification":
        raise InputError(f"{record.id}: thinned nets are averaged for classification alone")
    folder = folder_of(arguments)

    import torch

    from cnnexp.builders.reopen import reopen_data
    from cnnexp.builders.revive import checked_config, revive
    from cnnexp.visualize.dropout import dropouts, measure
    from cnnexp.visualize.dropout_chart import dropout_image
    from cnnexp.visualize.png import write_png

    checkpoint = weights_named(record, arguments.checkpoint)
    opened = reopen_data(record, checked_config(record), arguments.trust)
    task = revive(record, opened.config, checkpoint, arguments.trust)
    if not dropouts(task.net):
        raise InputError(
            f"{record.id}: nothing in this net is dropped; train it with regularization.dropout=0.5, as in: "
            "cnnexp train model=mlp regularization.dropout=0.5"
        )
    split = opened.data.split("test")
    batch = task.prepare(split.batch(torch.arange(len(split))), train=False)
    given = task.facts.input.arguments(batch)
    result = measure(task.net, given, batch["label"], arguments.nets, arguments.seed, _counting(arguments.nets))
    choices = opened.config["choices"]
    title = f"{choices['model']} on {result.samples:,} test samples of {choices['data']}"
    path = write_png(dropout_image(result, title), folder / "dropout.png")
    _print(result, title, str(path), arguments.json)
    return 0


def _counting(nets: int) -> Callable[[int], None]:
    """Says on a terminal how many nets have answered."""

    def say(number: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if number == nets else ""
            print(f"\rthinned nets: {number} of {nets}", end=end, file=sys.stderr, flush=True)

    return say


def _print(result: DropoutResult, title: str, path: str, as_json: bool) -> None:
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps({"title": title, **asdict(result), "enough": result.enough, "picture": path}, indent=2))
        return
    print(f"{title}\n")
    print(f"{'nets averaged':<24}{'wrong':>9}{'± over':>9}{'averages':>10}{'loss':>9}")
    rows = zip(result.counts, result.error, result.spread, result.groups, result.loss, strict=True)
    for count, error, spread, groups, loss in rows:
        shown = "-" if spread is None else f"{spread:.2%}"
        print(f"{count:<24}{error:>9.2%}{shown:>9}{groups:>10}{loss:>9.4f}")
    print(f"{'all units, scaled':<24}{result.scaled_error:>9.2%}{'':>19}{result.scaled_loss:>9.4f}\n")
    enough = result.enough
    than = (
        f"as seldom as an average of {enough}" if enough else f"less often than any average, of {result.counts[-1]} too"
    )
    print(f"The scaled net errs {than} thinned nets.")
    print(path)

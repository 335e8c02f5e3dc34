"""``cnnexp bench``: cnnexp beside what others train with, on this machine."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.bench.cells import Row
    from cnnexp.bench.measure import Measured

EXAMPLE = "cnnexp bench lenet5 overhead --json bench.json"
DEFAULT_BUDGET_MIN = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these rows of the table (default: all)")
    parser.add_argument(
        "--budget",
        type=float,
        default=DEFAULT_BUDGET_MIN,
        metavar="MINUTES",
        help="for all rows together; what is not decided by then stays undecided [%(default).0f]",
    )
    parser.add_argument("--threads", type=int, default=None, metavar="N", help="of every program [one for each core]")
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="a GPU if there is one [auto]")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured there too")
    parser.add_argument(
        "--quick", action="store_true", help="one short round of each, to see that it runs; decides nothing"
    )
    parser.add_argument("--list", action="store_true", help="the rows with what they set side by side, and no more")


def run(arguments: argparse.Namespace) -> int:
    """Measure the rows one after the other and print each as it is done.

    Raises:
        InputError: a row that there is not, a number out of its range, a file that cannot be written.
    """
    from cnnexp.bench.rows import all_rows

    _check(arguments)
    device: Any = "cpu" if arguments.list else _device(arguments.device)
    rows = _wanted(all_rows(device, os.cpu_count() or 1), arguments.rows)
    if arguments.list:
        print("\n".join(f"{row.name:<18}{row.title}" for row in rows))
        return 0
    failed = _measure_all(rows, device, arguments)
    return 1 if failed else 0


def _check(arguments: argparse.Namespace) -> None:
    problems = []
    if not (math.isfinite(arguments.budget) and arguments.budget > 0):
        problems.append(f"--budget {arguments.budget:g}: expected a number of minutes above 0")
    if arguments.threads is not None and arguments.threads < 1:
        problems.append(f"--threads {arguments.threads}: expected a whole number of at least 1")
    if arguments.json is not None:
        path = Path(arguments.json)
        if path.is_dir():
            problems.append(f"--json {arguments.json}: this is a folder; name a file")
        elif not path.absolute().parent.is_dir():
            problems.append(f"--json {arguments.json}: there is no folder {path.parent}; make it first")
    if problems:
        raise InputError(*problems)


def _wanted(rows: Sequence[Row], words: Sequence[str]) -> list[Row]:
    from cnnexp.config.nearest import did_you_mean

    known = {row.name: row for row in rows}
    unknown = [word for word in words if word not in known]
    if unknown:
        raise InputError(*(f"{word}: there is no such row; {did_you_mean(word, known)}" for word in unknown))
    return [known[word] for word in dict.fromkeys(words)] or list(rows)


def _device(wanted: str) -> Any:
    import torch

    if wanted == "gpu" and not torch.cuda.is_available():
        raise InputError("--device gpu: torch sees no GPU here; --device cpu times the processor")
    return "gpu" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _measure_all(rows: Sequence[Row], device: Any, arguments: argparse.Namespace) -> bool:
    """Measure, print and write; whether a program failed."""
    import time

    from rich.console import Console

    from cnnexp.bench import report
    from cnnexp.bench.cells import on_machine
    from cnnexp.bench.measure import in_own_process, measure
    from cnnexp.builders.hardware import device_name
    from cnnexp.statistics.medians import LOOKS

    threads = arguments.threads or os.cpu_count() or 1
    facts = report.environment(device, device_name({"accelerator": device}), threads)
    console, status = Console(highlight=False), Console(stderr=True)
    console.print(report.heading(facts))
    end = time.monotonic() + 60 * arguments.budget
    done: list[Measured] = []
    for place, row in enumerate(rows):
        fitted = on_machine(row, device, threads, arguments.quick)
        now = time.monotonic()
        until = now + max(0.0, end - now) / (len(rows) - place)
        with status.status(f"{row.name}, {place + 1} of {len(rows)}"):
            done.append(measure(fitted, until, in_own_process, () if arguments.quick else LOOKS))
        console.print(report.table_of(done[-1]))
        if arguments.json is not None:
            _write(Path(arguments.json), report.as_values(facts, done))
    return any(found.failures for found in done)


def _write(path: Path, values: dict[str, Any]) -> None:
    import json

    from cnnexp.runs.atomic import write_text

    write_text(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")

"""What was measured as a table of 80 columns, and as plain values for JSON."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from cnnexp.bench.cells import Rate, Row
from cnnexp.bench.measure import Comparison, Measured
from cnnexp.report.plain_text import printable
from cnnexp.statistics.medians import Interval, median, median_interval, spread

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

PACKAGES = ("cnnexp", "torch", "torchvision", "pytorch-lightning", "torchmetrics", "timm", "numpy", "pillow")
_STYLES = {"reached": "green", "missed": "red", "undecided": "yellow"}


def environment(device: str, name: str, threads: int) -> dict[str, Any]:
    """The machine, the versions and the date that figures belong to."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": device,
        "name": name,
        "cores": os.cpu_count(),
        "threads": threads,
        "preload": os.environ.get("LD_PRELOAD", ""),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def heading(facts: Mapping[str, Any]) -> RenderableType:
    """The environment in a few lines."""
    from rich.text import Text

    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    machine = f"{facts['name']}, {facts['cores']} cores, {facts['threads']} threads; {facts['date']}"
    return Text(f"{printable(machine)}\nPython {facts['python']}, {printable(versions)}", style="dim")


def table_of(found: Measured) -> RenderableType:
    """A row: its verdict, what each program did, and each comparison with its interval."""
    from rich.console import Group
    from rich.text import Text

    title = Text.assemble((found.row.title, "bold"), "  ", (found.verdict, _STYLES[found.verdict]))
    notes = [Text(f"{name}: {printable(line)}", style="red") for name, line in found.failures.items()]
    if found.rounds == 0:
        notes.append(Text("not measured: the time was over", style="yellow"))
    notes += [Text(_unquiet(name), style="yellow") for name in _unlike_itself(found)]
    return Group(Text(), title, *([_programs(found), _comparisons(found)] if found.rounds else []), *notes)


def _programs(found: Measured) -> Table:
    overhead = found.row.figure == "overhead"
    table = _grid("µs a step" if overhead else "images/s", "spread", "rounds")
    for name, rates in found.rates.items():
        values = [rate.step_us if overhead else rate.images_per_second for rate in rates]
        workers = found.workers.get(name)
        label = f"{name}, {workers} workers" if workers else name
        rounds = len(found.again[name]) if name in found.again else len(rates)
        table.add_row(label, f"{median(values):,.0f}", f"{spread(values):.0%}", str(rounds))
    return table


def _comparisons(found: Measured) -> Table:
    from rich.text import Text

    overhead = found.row.figure == "overhead"
    table = _grid("median", "interval", "at most" if overhead else "at least", "")
    for one in found.comparisons:
        cells = [_shown(found.row, value) for value in (median(one.figures), one.variant.target)]
        label = f"{one.variant.name} {'over' if overhead else 'against'} {one.peer}"
        word = Text(one.verdict, style=_STYLES[one.verdict])
        table.add_row(label, cells[0], _range(found.row, one.interval), cells[1], word)
    for name, figures in found.again.items():
        interval = median_interval(figures)
        table.add_row(f"{name}, run twice", _shown(found.row, median(figures)), _range(found.row, interval), "", "")
    return table


def _unlike_itself(found: Measured) -> list[str]:
    """The variants whose two runs differ by more than chance: the machine was doing something else."""
    same = 0.0 if found.row.figure == "overhead" else 1.0
    return [name for name, figures in found.again.items() if same not in median_interval(figures)]


def _unquiet(name: str) -> str:
    return f"{name}: its two runs of a round differ by more than chance; let the machine rest and measure again"


def _shown(row: Row, value: float) -> str:
    return f"{value:,.0f} µs" if row.figure == "overhead" else f"{value:.2f}×"


def _range(row: Row, interval: Interval) -> str:
    if math.isinf(interval.low):
        return "too few rounds"
    low = f"{interval.low:,.0f}" if row.figure == "overhead" else f"{interval.low:.2f}"
    return f"{low} to {_shown(row, interval.high)}"


def _grid(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", min_width=28, max_width=36, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def as_values(facts: Mapping[str, Any], measured: Sequence[Measured]) -> dict[str, Any]:
    """Everything that was measured, in plain values."""
    return {"environment": dict(facts), "rows": [_row_values(found) for found in measured]}


def _row_values(found: Measured) -> dict[str, Any]:
    return {
        "name": found.row.name,
        "title": found.row.title,
        "verdict": found.verdict,
        "rounds": found.rounds,
        "programs": {name: [_rate_values(rate) for rate in rates] for name, rates in found.rates.items()},
        "workers": found.workers,
        "comparisons": [_comparison_values(found.row, one) for one in found.comparisons],
        "run_twice": {name: {"median": median(v), "figures": v} for name, v in found.again.items()},
        "failures": found.failures,
    }


def _rate_values(rate: Rate) -> dict[str, float]:
    return {**asdict(rate), "images_per_second": rate.images_per_second}


def _comparison_values(row: Row, one: Comparison) -> dict[str, Any]:
    bounds = [None if math.isinf(end) else end for end in (one.interval.low, one.interval.high)]
    return {
        "cnnexp": one.variant.name,
        "peer": one.peer,
        "figure": "overhead_us" if row.figure == "overhead" else "ratio",
        "median": median(one.figures),
        "interval": bounds,
        "target": one.variant.target,
        "verdict": one.verdict,
        "figures": one.figures,
    }

"""Whole nets side by side: sizes, costs, memory, speed, and what their papers scored."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import Column, Grid, total_width
from cnnexp.report.imagenet import TOP5
from cnnexp.report.layers import shape_figure
from cnnexp.report.notation import MISSING, bytes_figure, count_figure, scaled_figure
from cnnexp.report.plain_text import listed, printable, spreadsheet_cell

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

Content = Mapping[str, Any]
_LEAST_NEEDED = ("activations", "input", "step", "measured", "top-5", "images/s")
"""Columns that go first where there is no room."""


class NetTable:
    """A line for each net; what nothing is known of in any of them has no column.

    Args:
        contents: of `cnnexp.anatomy.subject.described`, with ``measured`` where a step was made.
    """

    def __init__(self, contents: Sequence[Content]) -> None:
        self.contents = list(contents)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        columns = self._columns()
        left_out = []
        for name in _LEAST_NEEDED:
            if name in columns and total_width(list(columns.values())) > options.max_width:
                left_out.append(columns.pop(name).header)
        yield Grid(list(columns.values()))
        yield Text()
        for line in self._notes(columns):
            yield Text(line, style="dim")
        if left_out:
            yield Text(f"no room for {listed(left_out, len(left_out))} (--json has all)", style="dim")

    def _columns(self) -> dict[str, Column]:
        cells = {
            "net": [printable(net_name(one)) for one in self.contents],
            "input": [shape_figure(one["input"]) for one in self.contents],
            "parameters": [count_figure(one["totals"]["parameters"]) for one in self.contents],
            "mult-adds": [scaled_figure(one["totals"]["multiply_adds"]) for one in self.contents],
            "activations": [bytes_figure(one["totals"]["activation_bytes"]) for one in self.contents],
            "step": [bytes_figure((one["training"] or {}).get("bytes")) for one in self.contents],
            "measured": [bytes_figure(one.get("measured", {}).get("bytes")) for one in self.contents],
            "images/s": [scaled_figure(one.get("measured", {}).get("images_per_second")) for one in self.contents],
            "top-5": [_error(one) for one in self.contents],
        }
        known = {name: texts for name, texts in cells.items() if set(texts) != {MISSING}}
        return {name: Column(name, tuple(texts), place, place > 0) for place, (name, texts) in enumerate(known.items())}

    def _notes(self, shown: Mapping[str, Column]) -> Iterator[str]:
        batches = {one["training"]["batch_size"] for one in self.contents if one["training"]}
        yield "mult-adds and activations: for one picture"
        if batches and "step" in shown:
            yield f"step: estimated memory of a training step of {' or '.join(map(str, sorted(batches)))} pictures"
        measured = next((one["measured"] for one in self.contents if "measured" in one), None)
        if measured and "images/s" in shown:
            threads = f"{measured['threads']} thread{'s' if measured['threads'] > 1 else ''}"
            yield f"measured: its memory, and the speed of training, on {printable(measured['device'])}, {threads}"
        sources = {one["model"]: TOP5[one["model"]] for one in self.contents if one["model"] in TOP5}
        if sources:
            yield "top-5: error on ImageNet's validation set by the net's paper, in per cent:"
        for name, source in sources.items():
            yield f"  {printable(name)}: {source.paper} {source.year}, {source.how}"


def net_name(content: Content) -> str:
    """The net, and its settings among those that were given several values: ``plain_cnn convolution=separable``."""
    settings = content.get("settings") or {}
    return " ".join([content["model"], *(f"{key.removeprefix('model.')}={value}" for key, value in settings.items())])


def to_csv(contents: Sequence[Content]) -> str:
    """One line for each net."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    keys = list(dict.fromkeys(key for one in contents for key in one.get("settings") or {}))
    columns = ["model", "input", "parameters", "trainable", "multiply_adds", "activation_bytes"]
    writer.writerow([*columns, "batch_size", "step_bytes", "measured_bytes", "images_per_second", "top5_error", *keys])
    for one in contents:
        step, measured, published = one["training"] or {}, one.get("measured", {}), TOP5.get(one["model"])
        values = [one["model"], "x".join(map(str, one["input"])), *(one["totals"][key] for key in columns[2:])]
        values += [step.get("batch_size"), step.get("bytes"), measured.get("bytes"), measured.get("images_per_second")]
        values += [published.error if published else None, *((one.get("settings") or {}).get(key) for key in keys)]
        writer.writerow([spreadsheet_cell(value) for value in values])
    return sheet.getvalue()


def with_published(content: Content) -> dict[str, Any]:
    """The content with ``imagenet``: the top-5 error of the net's paper; null where it gives none."""
    found = TOP5.get(content["model"])
    published = found and {"top5_error": found.error, "year": found.year, "paper": found.paper, "how": found.how}
    return {**content, "imagenet": published}


def _error(content: Content) -> str:
    return f"{TOP5[content['model']].error:.1f}" if content["model"] in TOP5 else MISSING

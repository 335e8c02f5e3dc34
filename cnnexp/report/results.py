"""What is printed at the end of a training: the scores, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import labelled
from cnnexp.report.notation import (
    MISSING,
    count_figure,
    counts_in_words,
    duration_figure,
    is_number,
    metric_figure,
    sample_noun,
)
from cnnexp.report.plain_text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_STAGES = ("train", "val", "test")
_MOST_CLASSES = 20
_CLASSES_IN_ONE_BLOCK = 10


def result_table(
    summary: Mapping[str, Any],
    *,
    title: str = "",
    status: str = "finished",
    duration_s: float | None = None,
    folder: Path | str | None = None,
) -> RenderableType:
    """The result of a run for the terminal: its metrics by stage, each class where they are few, and the costs.

    Args:
        summary: the content of summary.json.
        title: a line above, such as the run's id.
        status: how the run ended; said where it is not `finished`.
        duration_s: how long it took.
        folder: where the record lies.
    """
    from rich.console import Group
    from rich.text import Text

    heading: list[RenderableType] = [Text(printable(title), style="bold")] if title else []
    if summary.get("partial"):
        heading.append(Text(f"{printable(status)}, partial: scored on a few batches only", style="yellow"))
    elif status != "finished":
        heading.append(Text(printable(status), style="yellow"))
    parts = [_parts(summary, "per_kind", "kind"), _parts(summary, "per_class", "class")]
    tables = [_metrics(summary), *parts, _costs(summary, duration_s, folder)]
    blocks = [Group(*heading)] * bool(heading) + [table for table in tables if table is not None]
    apart = [part for block in blocks for part in (Text(), block)]
    return Group(*apart[1:])


def _metrics(summary: Mapping[str, Any]) -> Table | None:
    """One line for each metric, one column for each stage; the losses last."""
    from rich.text import Text

    metrics = _mapping(summary.get("metrics"))
    stages = [stage for stage in _STAGES if any(str(name).startswith(f"{stage}/") for name in metrics)]
    names = dict.fromkeys(str(name).split("/", 1)[1] for name in metrics if str(name).split("/", 1)[0] in stages)
    if not names:
        return None
    table = _table()
    table.add_column("metric")
    for stage in stages:
        table.add_column(stage, justify="right", style="bold" if stage == "test" else "")
    for name in sorted(names, key=lambda name: name.endswith("loss")):
        figures = (metric_figure(name, metrics.get(f"{stage}/{name}")) for stage in stages)
        table.add_row(Text(printable(name)), *figures)
    return table


def _parts(summary: Mapping[str, Any], key: str, heading: str) -> Table | None:
    """One line for each class, or kind of sample, in two blocks side by side where there are many; the weakest stands
    out."""
    from rich.text import Text

    per_class = {str(name): _mapping(values) for name, values in _mapping(summary.get(key)).items()}
    classes = list(dict.fromkeys(str(label) for values in per_class.values() for label in values))
    if not 0 < len(classes) <= _MOST_CLASSES:
        return None
    blocks = 2 if len(classes) > _CLASSES_IN_ONE_BLOCK and len(per_class) <= 2 else 1
    height = math.ceil(len(classes) / blocks)
    table = _table()
    for block in range(blocks):
        table.add_column(f"{'   ' if block else ''}{heading}", overflow="ellipsis", max_width=20)
        for name in per_class:
            table.add_column(Text(printable(name.removeprefix("test/"))), justify="right")
    for row in range(height):
        shown = [classes[place] for place in range(row, len(classes), height)]
        table.add_row(*(cell for block, label in enumerate(shown) for cell in _class_cells(label, per_class, block)))
    return table


def _class_cells(label: str, per_class: Mapping[str, Mapping[str, Any]], block: int) -> list[RenderableType]:
    from rich.text import Text

    cells: list[RenderableType] = [Text(("   " if block else "") + printable(label))]
    for name, values in per_class.items():
        figures = [value for value in values.values() if is_number(value) and math.isfinite(value)]
        weakest = len(figures) > 1 and min(figures) < max(figures) and values.get(label) == min(figures)
        cells.append(Text(metric_figure(name, values.get(label)), style="yellow" if weakest else ""))
    return cells


def _costs(summary: Mapping[str, Any], duration_s: float | None, folder: Path | str | None) -> RenderableType | None:
    lines = [(label, text) for label, text in _cost_lines(summary, duration_s, folder) if text != MISSING]
    return labelled(lines) if lines else None


def _cost_lines(
    summary: Mapping[str, Any], duration_s: float | None, folder: Path | str | None
) -> Sequence[tuple[str, str]]:
    epochs = count_figure(summary.get("epochs"))
    best = summary.get("best_epoch")
    steps = count_figure(summary.get("steps"))
    rate = count_figure(summary.get("images_per_second"))
    samples = "image" if (noun := sample_noun(summary)) == "picture" else noun
    return [
        ("epochs", epochs + (f", the best is {count_figure(best)}" if is_number(best) and epochs != MISSING else "")),
        ("gap", _gap(summary)),
        ("fit", printable(str(summary.get("verdict") or MISSING))),
        *_counts(summary),
        ("gradients", _gradients(summary)),
        ("steps", steps),
        ("parameters", count_figure(summary.get("parameters"))),
        ("time", duration_figure(duration_s)),
        (f"{samples}s/s", rate),
        ("frames/s", _frames(summary)),
        ("folder", MISSING if folder is None else printable(str(folder))),
    ]


def _counts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was counted in the test, a line for each title."""
    return [(printable(title), printable(said)) for title, said in counts_in_words(summary).items()]


def _frames(summary: Mapping[str, Any]) -> str:
    """``31.5 one at a time on cpu, 1 thread``."""
    rate = summary.get("frames_per_second")
    if not is_number(rate):
        return MISSING
    return f"{count_figure(rate)} one at a time on {printable(str(summary.get('frames_on')))}"


def _gap(summary: Mapping[str, Any]) -> str:
    """Validation minus training, at the last epoch."""
    given = [(str(name), value) for name, value in _mapping(summary.get("gap")).items() if is_number(value)]
    shown = ", ".join(f"{printable(name)} {value:+.3f}" for name, value in given)
    return f"validation − training: {shown}" if shown else MISSING


def _gradients(summary: Mapping[str, Any]) -> str:
    """The norms of the first and the last layer, as they were at the end."""
    found = _mapping(summary.get("gradients"))
    ends = [_mapping(found.get(end)) for end in ("first", "last")]
    if not all(is_number(end.get("norm")) for end in ends):
        return MISSING
    shown = ", ".join(f"{printable(str(end.get('layer')))} {end['norm']:.2g}" for end in ends)
    clipped = found.get("clipped")
    return f"norms: {shown}" + (f"; {clipped:.0%} of the steps clipped" if is_number(clipped) else "")


def _table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}

"""What averaging over views or over nets gained and cost, as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import labelled
from cnnexp.report.notation import count_figure, metric_figure
from cnnexp.report.plain_text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_WIDEST_MODEL = 16


def views_table(content: Mapping[str, Any]) -> RenderableType:
    """A run's metrics as it is and averaged over views, with the gain and the cost under them.

    Args:
        content: what ``cnnexp test RUN tta=… --json`` prints.
    """
    from rich.console import Group
    from rich.text import Text

    averages = content["tta"]
    table = _table()
    table.add_column("metric")
    table.add_column("as it is", justify="right")
    table.add_column(Text(averages["name"]), justify="right", style="bold")
    for name, value in content["metrics"].items():
        table.add_row(name, metric_figure(name, value), metric_figure(name, averages["metrics"].get(name)))
    before, after = (averages["ms_per_picture"][key] for key in ("as_it_is", "averaged"))
    time = f"×{averages['cost_in_time']:.1f}: {before:.3g} → {after:.3g} ms a picture, {len(averages['views'])} views"
    gain = averages["gain"]
    notes = [(f"gain in {_last(gain)}", _gain_figure(gain))]
    notes += [("changed", _changes(gain))] if "counted" in gain else [("merged by", averages["method"])]
    notes += [("cost in time", time)]
    return Group(Text(), table, Text(), labelled(notes))


def ensemble_table(content: Mapping[str, Any], names: Sequence[str]) -> RenderableType:
    """The members and their ensemble, with the gain and the cost under them.

    Args:
        content: what ``cnnexp ensemble … --json`` prints. names: short ones of the runs, in the members' order.
    """
    from rich.console import Group
    from rich.text import Text

    members, together, metric = content["members"], content["ensemble"], content["metric"]
    weighted = len({member["weight"] for member in members}) > 1
    table = _table()
    table.add_column("run", no_wrap=True, min_width=max(len(printable(name)) for name in names))
    table.add_column("model", overflow="ellipsis", no_wrap=True, max_width=_WIDEST_MODEL)
    for heading in (*(["weight"] if weighted else []), metric, "parameters", f"ms/{content['noun']}"):
        table.add_column(Text(heading), justify="right", no_wrap=True, min_width=len(heading))
    best = content["gain_over_best"]["member"]
    for member, name in zip(members, names, strict=True):
        cells = [printable(name), printable(str(member["model"]))]
        cells += [f"{member['weight']:g}"] if weighted else []
        table.add_row(*(Text(cell) for cell in [*cells, *_figures(member, metric)]))
    table.add_section()
    figures = _figures(together, metric)
    table.add_row(f"all {len(members)}", "ensemble", *([""] if weighted else []), *figures, style="bold")
    chosen = printable(next(name for member, name in zip(members, names, strict=True) if member["id"] == best))
    megabytes = together["weight_bytes"] / 1e6
    notes = [
        ("gain over the best", _gain_figure(content["gain_over_best"])),
        ("changed", _changes(content["gain_over_best"])),
        ("gain over their mean", _gain_figure(content["gain_over_mean"])),
        ("cost in time", f"×{content['cost_in_time']:.1f} that of the best, {chosen}"),
        ("cost in memory", f"×{content['cost_in_weights']:.1f} the weights of the best, {megabytes:.3g} MB"),
    ]
    return Group(table, Text(), labelled(notes))


def _figures(one: Mapping[str, Any], metric: str) -> list[str]:
    score = metric_figure(metric, one["metrics"][metric])
    return [score, count_figure(one["parameters"]), f"{one['ms_per_picture']:.3g}"]


def _gain_figure(gain: Mapping[str, Any]) -> str:
    """``+0.0060, 95 % interval +0.0010 to +0.0120``."""
    value = f"{gain['value']:+.4f}".replace("-", "−")
    if "low" not in gain:
        return value
    low, high = (f"{gain[key]:+.4f}".replace("-", "−") for key in ("low", "high"))
    return f"{value}, {gain['confidence']:.0%} interval {low} to {high}".replace("%", " %")


def _changes(gain: Mapping[str, Any]) -> str:
    return f"{gain['fixed']:,} {gain['counted']} came right, {gain['broken']:,} went wrong"


def _last(gain: Mapping[str, Any]) -> str:
    return str(gain["metric"]).rsplit("/", 1)[-1]


def _table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")

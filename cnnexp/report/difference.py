"""Two runs held against each other: what was set, what it ran with, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cnnexp.report.comparison import COSTS
from cnnexp.report.examples import Paired
from cnnexp.report.groups import compare_pictures
from cnnexp.report.groups_table import picture_lines, signed
from cnnexp.report.notation import MISSING, count_figure, duration_figure, is_number, metric_figure, setting_figure
from cnnexp.report.plain_text import printable
from cnnexp.report.samples import sample_rows
from cnnexp.report.scores import known_metrics
from cnnexp.report.settings import MISSING as UNKNOWN
from cnnexp.report.settings import canonical, is_place, settings_of, value_in
from cnnexp.runs.read import read_text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

    from cnnexp.runs.read import Record

_COMMIT = 12
SECTIONS = ("settings", "data", "code", "versions", "machine", "result")


@dataclass(frozen=True)
class Differing:
    """What differs between two runs: for each section the keys with both values, UNKNOWN where one has none.

    Attributes:
        pictures: what the test pictures say, or why they say nothing.
        unknown: why it is not known whether the samples are the same; empty where it is.
    """

    first: Record
    second: Record
    sections: Mapping[str, Mapping[str, tuple[Any, Any]]]
    pictures: Paired | str
    unknown: str = ""


def differences(first: Record, second: Record) -> Differing:
    """Everything in which two runs differ, but their folders and times of day."""
    differing = _differing_settings(settings_of(first), settings_of(second))
    of_data = {key: pair for key, pair in differing.items() if key == "data" or key.startswith("data.")}
    samples, unknown = sample_rows(first, second)
    sections = {
        "settings": {key: pair for key, pair in differing.items() if key not in of_data},
        "data": {**of_data, **samples},
        "code": _differing(_code(first), _code(second)),
        "versions": _differing(_mapping(first, "versions"), _mapping(second, "versions")),
        "machine": _differing(_machine(first), _machine(second)),
        "result": _metrics_first(_differing(_result(first), _result(second))),
    }
    return Differing(first, second, sections, compare_pictures(first, second), unknown)


def _differing_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    keys = [key for key in {**first, **second} if not is_place(key)]
    return _unequal({key: (value_in(first, key), value_in(second, key)) for key in keys})


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return _unequal({key: (first.get(key, UNKNOWN), second.get(key, UNKNOWN)) for key in {**first, **second}})


def _unequal(pairs: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return {key: pair for key, pair in pairs.items() if canonical(pair[0]) != canonical(pair[1])}


def _metrics_first(found: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return dict(sorted(found.items(), key=lambda item: "/" not in item[0]))


def _mapping(record: Record, name: str) -> dict[str, Any]:
    content = record.run.get(name)
    return {str(key): value for key, value in content.items()} if isinstance(content, Mapping) else {}


def _code(record: Record) -> dict[str, Any]:
    """The commit, and a word for the changes that were not committed."""
    git = _mapping(record, "git")
    try:
        changes = f"{len(read_text(record.folder / 'git.diff').splitlines()):,} lines"
    except (OSError, ValueError):
        changes = "none"
    found = {"commit": str(git.get("commit"))[:_COMMIT], "uncommitted changes": changes}
    return found if git else {}


def _machine(record: Record) -> dict[str, Any]:
    return {key: record.run[key] for key in ("host", "device", "platform") if record.run.get(key) is not None}


def _result(record: Record) -> dict[str, Any]:
    facts = {"status": record.status, **known_metrics(record)}
    costs = {name: record.summary[name] for name in ("best_epoch", *COSTS) if is_number(record.summary.get(name))}
    return {**facts, **costs, "duration": record.duration_s}


class DifferenceTable:
    """The sections that differ, each with both values, and a line for those that do not."""

    def __init__(self, differing: Differing) -> None:
        self.differing = differing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        first, second = self.differing.first, self.differing.second
        yield Text(f"A  {printable(first.id)}\nB  {printable(second.id)}", style="bold")
        for name in SECTIONS:
            if self.differing.sections[name]:
                yield Text()
                yield self._table(name, options.max_width)
        same = [name for name in SECTIONS if not self.differing.sections[name]]
        yield Text()
        if same:
            yield Text(f"no difference in: {', '.join(map(self._named, same))}", style="dim")
            if self.differing.unknown and "data" in same:
                yield Text(f"data: {printable(self.differing.unknown)}", style="dim")
        for line in picture_lines(self.differing.pictures, "A − B"):
            yield Text(line, style="dim")

    def _named(self, section: str) -> str:
        return "settings of data" if section == "data" and self.differing.unknown else section

    def _table(self, name: str, width: int) -> Table:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column(name, overflow="fold", max_width=width // 2)
        justify: Any = "right" if name == "result" else "left"
        for side in ("A", "B"):
            table.add_column(side, overflow="fold", justify=justify)
        if name == "result":
            table.add_column("A − B", justify="right")
        for key, pair in self.differing.sections[name].items():
            table.add_row(*(Text(cell) for cell in _cells(name, key, pair)))
        return table


def _cells(section: str, key: str, pair: tuple[Any, Any]) -> Iterator[str]:
    yield printable(key)
    if section != "result":
        yield from (MISSING if value is UNKNOWN else _shortened(setting_figure(value)) for value in pair)
        return
    figure = _figure_of(key)
    yield from (MISSING if value is UNKNOWN else figure(value) for value in pair)
    numbers = all(is_number(value) for value in pair)
    yield signed(key, pair[0] - pair[1]) if numbers and "/" in key else ""


def _figure_of(key: str) -> Callable[[Any], str]:
    if key == "duration":
        return duration_figure
    if "/" in key:
        return lambda value: metric_figure(key, value)
    return lambda value: count_figure(value) if is_number(value) else setting_figure(value)


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"


def as_values(differing: Differing) -> dict[str, Any]:
    """Everything in plain values, for JSON; a key that a run does not have is left out."""
    sections = {
        name: {
            key: {side: value for side, value in zip("ab", pair, strict=True) if value is not UNKNOWN}
            for key, pair in content.items()
        }
        for name, content in differing.sections.items()
    }
    pictures = differing.pictures
    return {
        "a": differing.first.id,
        "b": differing.second.id,
        **sections,
        **({"samples": {"not_compared": differing.unknown}} if differing.unknown else {}),
        "pictures": {"not_compared": pictures} if isinstance(pictures, str) else asdict(pictures),
    }

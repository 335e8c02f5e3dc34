"""Reading a run's folder, which may come from a stranger: it is data, and nothing in it is ever executed.

YAML is read by the safe loader, without aliases (a small file can unfold into a huge one) and without interpolations
(``${oc.env:…}`` would give a secret away); files are bounded in size; a link out of the folder is not followed.
"""

from __future__ import annotations

import csv
import errno
import gc
import json
import math
import os
import platform
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cnnexp.errors import InputError
from cnnexp.runs.lock import is_locked
from cnnexp.runs.sections import Sections

SCHEMA_VERSION = 1
STATUSES = ("running", "finished", "stopped", "interrupted", "failed")
UNREADABLE = ("damaged", "foreign")
MOST_BYTES = 64_000_000
MOST_YAML_BYTES = 1_000_000
"""YAML is slow to read: a configuration with ten thousand class names has a quarter of this."""
LONGEST_PROBLEM = 300
LARGEST = 1e300
"""Numbers beyond are no measurement, and a whole number of that size is no float."""


class _PlainLoader(yaml.SafeLoader):
    """The safe loader, without anchors."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not used in a run's configuration")
        return super().compose_node(parent, index)


@dataclass(frozen=True)
class Record:
    """What a run's folder says.

    Attributes:
        status: running, finished, stopped, interrupted, failed, crashed (it says running, but no process holds it),
            damaged (the folder cannot be read) or foreign (another program's run.json); ``problem`` says why.
        partial: it was cut short by ``max_steps``, so its scores are of a few batches.
        config: the frozen configuration, plain containers.
        run: run.json. summary: summary.json, empty before the end.
    """

    folder: Path
    id: str
    status: str
    partial: bool = False
    config: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics by name."""
        metrics = self.summary.get("metrics")
        items = metrics.items() if isinstance(metrics, Mapping) else ()
        return {str(name): float(value) for name, value in items if _is_number(value)}

    @property
    def choices(self) -> dict[str, Any]:
        """Each group's option."""
        choices = self.config.get("choices") or self.run.get("choices")
        return dict(choices) if isinstance(choices, Mapping) else {}

    @property
    def tags(self) -> list[str]:
        """Words that a person put on it."""
        tags = self.run.get("tags")
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    @property
    def created(self) -> str:
        return str(self.run.get("created") or "")

    @property
    def duration_s(self) -> float | None:
        value = self.run.get("duration_s")
        return float(value) if value is not None and _is_number(value) else None

    @property
    def error(self) -> str | None:
        value = self.run.get("error") or self.problem
        return None if value is None else str(value)

    def curves(self) -> list[dict[str, float | None]]:
        """The rows of metrics.csv; a cell that is empty or no number is None, a torn last line is left out."""
        try:
            return read_metrics(self.folder / "metrics.csv")
        except (OSError, ValueError, csv.Error):
            return []


def read_record(folder: Path, sections: Sections | None = None) -> Record:
    """Read a run's folder. Never raises for its content: a damaged one says so in ``status`` and ``problem``.

    Args:
        sections: shared with other records, which makes many of them quick to read; then none of them may be changed.
    """
    try:
        run = read_json(os.path.join(folder, "run.json"))
        if "schema_version" not in run:
            return Record(folder, folder.name, "foreign", problem="run.json is of another program: no schema_version")
        config = _read_config(folder, run, sections)
        summary = _read_summary(os.path.join(folder, "summary.json"))
        status = _status(folder, run)
    except (OSError, ValueError) as error:
        return Record(folder, folder.name, "damaged", problem=_why(error))
    return Record(folder, folder.name, status, bool(run.get("partial")), config, run, summary, run.get("problem"))


def read_records(folders: Iterable[Path]) -> list[Record]:
    """The records of many runs, which share what their configurations have in common: to be read, never changed."""
    sections = Sections()
    with uncollected():
        return [read_record(folder, sections) for folder in folders]


@contextmanager
def uncollected() -> Iterator[None]:
    """For many records: none of them refers to itself, and looking for one that does would take a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _read_config(folder: Path, run: Mapping[str, Any], sections: Sections | None) -> dict[str, Any]:
    """The choices stand at the end of the one file and in the other, so a configuration that was cut off is noticed."""
    config = read_yaml(os.path.join(folder, "config.yaml"), sections)
    chosen, noted = config.get("choices"), run.get("choices")
    if isinstance(noted, Mapping) and not (isinstance(chosen, Mapping) and noted.items() <= chosen.items()):
        raise ValueError("config.yaml: its choices are not those of run.json; it was cut off, or is another run's")
    return config


def _read_summary(path: str) -> dict[str, Any]:
    try:
        return read_json(path)
    except FileNotFoundError:
        return {}


def _status(folder: Path, run: Mapping[str, Any]) -> str:
    if run.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"run.json is of version {run.get('schema_version')!r}, this cnnexp reads {SCHEMA_VERSION}")
    status = run.get("status")
    if status not in STATUSES:
        raise ValueError(f"run.json has the unknown status {status!r}")
    if status == "running" and not is_locked(folder) and run.get("host") == platform.node():
        return "crashed"
    return str(status)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{Path(str(error.filename)).name}: {error.strerror}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return " ".join(str(error).split())[:LONGEST_PROBLEM] or type(error).__name__


def read_json(path: Path | str) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        OSError: the file cannot be read. ValueError: it is no JSON object, or too large.
    """
    text = read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{os.path.basename(path)}: {_why(error)}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{os.path.basename(path)}: not a JSON object")
    return content


def read_yaml(path: Path | str, sections: Sections | None = None) -> dict[str, Any]:
    """A YAML mapping from a file, by the safe loader.

    Args:
        sections: of other files, to share parts with.

    Raises:
        OSError, ValueError: as for ``read_json``.
    """
    name = os.path.basename(path)
    try:
        text = read_text(path, MOST_YAML_BYTES)
        if sections is not None and (shared := sections.read(text)):
            return shared
        content = yaml.load(text, Loader=_PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{name}: {_why(error).removeprefix(f'{name}: ')}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{name}: not a YAML mapping")
    return content


def read_metrics(path: Path) -> list[dict[str, float | None]]:
    """The rows of a metrics file, in order."""
    lines = read_text(path).splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    rows = csv.DictReader(lines)
    return [{str(key): _number(value) for key, value in row.items() if key is not None} for row in rows]


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file as text, in order; a row that is too short or too long is no row.

    Raises:
        OSError, ValueError, csv.Error: as for ``read_json``.
    """
    header, *rows = list(csv.reader(read_text(path).splitlines(keepends=True))) or [[]]
    return [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]


def read_text(path: Path | str, most_bytes: int = MOST_BYTES) -> str:
    """The text of an ordinary file; one look at what was opened, so that nobody can exchange it in between.

    Raises:
        OSError: it cannot be read. ValueError: it is a link or no file, is too large, or no UTF-8.
    """
    return read_bytes(path, most_bytes).decode("utf-8")


def read_bytes(path: Path | str, most_bytes: int = MOST_BYTES) -> bytes:
    """The content of an ordinary file, as ``read_text`` opens it.

    Raises:
        OSError: it cannot be read. ValueError: it is a link or no file, or is too large.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ValueError(f"{os.path.basename(path)}: a link, which a run's record never holds") from error
        raise
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError(f"{os.path.basename(path)}: not an ordinary file")
        if facts.st_size > most_bytes:
            raise ValueError(f"{os.path.basename(path)}: larger than {most_bytes:,} bytes")
        return _all_of(handle, facts.st_size)
    finally:
        os.close(handle)


def _all_of(handle: int, size: int) -> bytes:
    """So many bytes, or what there is."""
    content = os.read(handle, size)
    while len(content) < size and (more := os.read(handle, size - len(content))):
        content += more
    return content


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return abs(value) < LARGEST and math.isfinite(value)


def inside(folder: Path, relative: str) -> Path:
    """A path named by a run's record, which must lie in the run's folder and be an ordinary file.

    Raises:
        InputError: it points elsewhere, or is not there.
    """
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()) or path.is_symlink():
        raise InputError(f"{folder.name}: {relative} leads out of the run's folder; not read")
    if not path.is_file():
        raise InputError(f"{folder.name} has no {relative}; cnnexp compare shows which runs finished")
    return path


def refuse_links(folder: Path) -> None:
    """Before a run is written to: nothing in its folder may lead out of it, or a file elsewhere would be changed.

    Raises:
        InputError: naming the link.
    """
    home = folder.resolve()
    for place, folders, files in os.walk(home):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                link = path.relative_to(home)
                raise InputError(f"{folder.name}: {link} leads out of the run's folder; nothing is written to it")

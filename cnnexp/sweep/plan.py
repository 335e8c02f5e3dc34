"""A sweep's plan: what it is going to do, and the folder that keeps it."""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cnnexp.config.compose import compose_run
from cnnexp.errors import InputError
from cnnexp.runs.atomic import write_json
from cnnexp.runs.data_places import anchored
from cnnexp.runs.read import read_json
from cnnexp.runs.write import disk_error, now, writable_folder
from cnnexp.sweep.settings import Settings
from cnnexp.sweep.space import Choice, Space
from cnnexp.sweep.storage import without_password

FILE = "sweep.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Plan:
    """A checked sweep.

    Attributes:
        command: as typed. space: all of it. monitor, mode: of the task that all trials have. hardware, choices: those
            of the first point. directory: in which the command was given, where relative places begin.
        tried: configurations of a new sweep that together have every value.
    """

    command: tuple[str, ...]
    space: Space
    settings: Settings
    config_dirs: tuple[str, ...]
    trusted: tuple[str, ...]
    monitor: str
    mode: str
    outputs: str
    hardware: Mapping[str, Any]
    choices: Mapping[str, Any]
    directory: str
    tried: tuple[Mapping[str, Any], ...] = ()

    @property
    def candidates(self) -> Space:
        """The space of the search: without the key whose values are averaged."""
        return self.space.without(self.settings.average)

    @property
    def trials(self) -> int:
        """How many candidates are trained."""
        count = self.settings.trials if self.settings.trials is not None else self.candidates.count
        assert count is not None
        return count

    @property
    def parts(self) -> tuple[str | None, ...]:
        """The values that are averaged over, or one None."""
        one = self.space.dimension(self.settings.average or "")
        return one.texts if isinstance(one, Choice) else (None,)

    def words(self, point: Mapping[str, str], part: str | None = None) -> list[str]:
        """The command line of a trial's run, after ``cnnexp train``."""
        average = {self.settings.average or "": part} if part is not None else {}
        return self.space.words({**point, **average})

    def config(self, point: Mapping[str, str], part: str | None) -> dict[str, Any]:
        """The composed configuration of a trial's run, whose data is in the same place wherever the sweep goes on.

        Raises:
            InputError: it cannot make a run.
        """
        return anchored(compose_run(self.words(point, part), self.config_dirs), Path(self.directory))

    @property
    def fingerprint(self) -> str:
        """What must be the same for two controllers to work on one study."""
        settings = self.settings
        content = {
            # every machine may have its own place for the runs
            "words": sorted(word for word in self.space.fixed if not word.startswith("outputs=")),
            **{one.key: list(one.ends) for one in self.space.dimensions},
            "log": sorted(one.key for one in self.space.dimensions if getattr(one, "log", False)),
            "search": [settings.method, settings.pruner, settings.average, settings.seed],
        }
        return json.dumps(content, sort_keys=True)

    @property
    def study(self) -> str:
        """The study's name in a shared storage: the same for the same command."""
        digest = hashlib.sha256(self.fingerprint.encode()).hexdigest()[:8]
        return self.settings.study or f"sweep-{self._subject}-{digest}"

    @property
    def _subject(self) -> str:
        """The net and the data set, or how many there are of them."""
        words = []
        for group in ("model", "data"):
            one = self.space.dimension(group)
            words.append(str(self.choices[group]) if one is None else f"{len(one.ends)}{group}s")
        return "-".join(words)

    def new_id(self) -> str:
        """The name of a new folder for this sweep, or always the same one where the storage is shared."""
        if self.settings.storage is not None:
            return self.study
        return f"{datetime.now().strftime('%Y%m%d-%H%M%S')}-sweep-{self._subject}-{secrets.token_hex(2)}"


def new_folder(plan: Plan) -> Path:
    """Make the sweep's folder with the plan in it; where the storage is shared it may be there already.

    Raises:
        InputError: it cannot be written, its disk is full, or it holds another sweep of this name.
    """
    outputs = writable_folder(Path(plan.outputs))
    folder = outputs / plan.new_id()
    if (folder / FILE).is_file():
        there = read_plan(folder)
        if there.fingerprint != plan.fingerprint:
            raise InputError(f"{folder}: there is another sweep in it; give this one another name, sweep.study=NAME")
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=plan.settings.storage is not None)
        (folder / "trials").mkdir(exist_ok=True)
        write_json(folder / FILE, _record(plan, folder.name))
    except OSError as error:
        raise disk_error(error, outputs) from error
    return folder


def _record(plan: Plan, name: str) -> dict[str, Any]:
    storage = plan.settings.storage
    settings = {**asdict(plan.settings), "storage": None if storage is None else without_password(storage)}
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "sweep",
        "id": name,
        "created": now(),
        "host": platform.node(),
        "command": list(plan.command),
        "space": plan.space.described(),
        "settings": settings,
        "config_dirs": list(plan.config_dirs),
        "trusted": list(plan.trusted),
        "monitor": plan.monitor,
        "mode": plan.mode,
        "outputs": plan.outputs,
        "hardware": dict(plan.hardware),
        "choices": dict(plan.choices),
        "directory": plan.directory,
    }


def read_plan(folder: Path) -> Plan:
    """The plan of a sweep that was begun.

    Raises:
        InputError: there is none in the folder, or it is damaged.
    """
    try:
        record = read_json(folder / FILE)
        if record["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"it is of version {record['schema_version']}, this cnnexp reads {SCHEMA_VERSION}")
        return Plan(
            command=tuple(record["command"]),
            space=Space.from_described(record["space"]),
            settings=Settings(**record["settings"]),
            config_dirs=tuple(record["config_dirs"]),
            trusted=tuple(record["trusted"]),
            monitor=record["monitor"],
            mode=record["mode"],
            outputs=record["outputs"],
            hardware=record["hardware"],
            choices=record["choices"],
            directory=record.get("directory", str(Path.cwd())),  # sweeps of before did not say
        )
    except OSError as error:
        raise InputError(f"{folder}: not a sweep's folder (it has no {FILE}); give that of a sweep") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / FILE}: damaged ({error}); begin the sweep again") from error

"""What a sweep is going to do: read from the command line, checked before its first trial, kept in its folder."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import platform
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cnnexp.config.check import check
from cnnexp.config.compose import compose_run
from cnnexp.config.nearest import any_of
from cnnexp.config.options import GROUPS, config_folders
from cnnexp.config.overrides import check_keys, read_words
from cnnexp.errors import InputError
from cnnexp.runs.atomic import write_json
from cnnexp.runs.read import read_json
from cnnexp.runs.write import disk_error, now, writable_folder
from cnnexp.sweep.settings import Settings, is_setting, read_settings
from cnnexp.sweep.space import Choice, Dimension, Interval, Space, read_space
from cnnexp.sweep.storage import checked_storage, without_password

FILE = "sweep.json"
SCHEMA_VERSION = 1
MOST_COMPOSED = 16
MOST_TRIALS = 100_000
MOST_SHOWN = 12


@dataclass(frozen=True)
class Plan:
    """A checked sweep.

    Attributes:
        command: as typed. space: all of it. monitor, mode: of the task that all trials have. hardware, choices: those
            of the first point. tried: configurations of a new sweep that together have every value.
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
        """The composed configuration of a trial's run.

        Raises:
            InputError: it cannot make a run.
        """
        return compose_run(self.words(point, part), self.config_dirs)

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


def make_plan(words: Sequence[str], config_dirs: Sequence[str], trusted: Sequence[str], command: Sequence[str]) -> Plan:
    """Read and check a command line; nothing is written.

    Raises:
        InputError: a line for each mistake: a word that cannot be read, a key, option or value that cannot be, at any
            point that was tried; nothing that varies; trials whose scores cannot be compared.
    """
    folders = config_folders(config_dirs)
    space = read_space([word for word in words if not is_setting(word)], folders)
    settings = _settings([word for word in words if is_setting(word)], space, folders)
    settings = replace(settings, storage=checked_storage(settings.storage))
    problems = [*_averaged(space, settings), *_counted(space, settings)]
    try:
        configs = _try_out(space, config_dirs, folders)
    except InputError as error:
        raise InputError(*problems, *error.lines) from error
    if problems:
        raise InputError(*problems)
    monitor, mode = _one_monitor(configs)
    first = configs[0]
    return Plan(
        command=tuple(without_password(word) for word in command),
        space=space,
        settings=settings,
        config_dirs=tuple(str(Path(folder).resolve()) for folder in config_dirs),
        trusted=tuple(trusted),
        monitor=monitor,
        mode=mode,
        outputs=str(first["outputs"]),
        hardware=first["hardware"],
        choices=first["choices"],
        tried=tuple(configs),
    )


def _settings(words: Sequence[str], space: Space, folders: Sequence[Path]) -> Settings:
    """What was asked for; a space of listed values is a grid where nothing else was."""
    chosen = any(word.split("=", 1)[0] in ("sweep", "sweep.trials", "sweep.method") for word in words)
    is_listed = all(isinstance(one, Choice) for one in space.dimensions)
    return read_settings(["sweep=grid", *words] if is_listed and not chosen else words, folders)


def _averaged(space: Space, settings: Settings) -> list[str]:
    key = settings.average
    if key is None:
        return []
    if not isinstance(space.dimension(key), Choice):
        return [f"sweep.average={key}: sweep it too, for example '{key}=range(0,3)'"]
    if not space.without(key).dimensions:
        return [f"sweep.average={key}: nothing else varies, so there is nothing to compare; sweep another key as well"]
    if settings.pruner == "asha":
        return ["sweep.pruner=asha: its rungs are epochs, which means over several runs do not have; take median"]
    return []


def _counted(space: Space, settings: Settings) -> list[str]:
    count = space.without(settings.average).count
    if settings.method == "grid":
        if count is None:
            keys = [one.key for one in space.dimensions if not isinstance(one, Choice)]
            return [f"sweep=grid: {any_of(keys)} has no end of values; list them, or take sweep=random or sweep=tpe"]
        if settings.trials not in (None, count):
            return [f"sweep.trials={settings.trials}: the grid has {count} points and runs each once; leave it out"]
        if count > MOST_TRIALS:
            return [f"sweep=grid: {count:,} points are more than anybody can train; take sweep=random or sweep=tpe"]
        return []
    if settings.trials is None:
        return [f"sweep.trials=null: sweep={settings.method} draws for ever; give a number"]
    if count is not None and settings.trials > count:
        return [f"sweep.trials={settings.trials}: the space has {count} points; sweep=grid runs each of them once"]
    return []


def _try_out(space: Space, config_dirs: Sequence[str], folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Configurations that together have every value of every dimension once; all of them could make a run.

    Groups are composed in every combination where those are few. Composing takes its time, so that the values of a
    key are put into the first of these configurations.

    Raises:
        InputError: a line for each mistake.
    """
    configs: list[dict[str, Any]] = []
    problems: dict[str, None] = {}
    first = {one.key: one.ends[0] for one in space.dimensions}
    for point in _combinations([one for one in space.dimensions if one.key in GROUPS]):
        try:
            configs.append(compose_run(space.words({**first, **point}), config_dirs))
        except InputError as error:
            problems.update(dict.fromkeys(error.lines))
    for one in space.dimensions if configs else ():
        for text in one.ends[1:] if one.key not in GROUPS else ():
            try:
                configs.append(_with_value(configs[0], one.word(text), folders))
            except InputError as error:
                problems.update(dict.fromkeys(error.lines))
    if problems:
        lines = [_with_hint(line, space) for line in problems]
        more = [f"… and {len(lines) - MOST_SHOWN} more"] if len(lines) > MOST_SHOWN else []
        raise InputError(*lines[:MOST_SHOWN], *more)
    return configs


def _with_hint(line: str, space: Space) -> str:
    """The one mistake that only a sweep can make: any number between two bounds, for a key that takes whole ones."""
    for one in space.dimensions:
        if isinstance(one, Interval) and "a whole number" in line and line.startswith(f"{one.key}="):
            return f"{line}; write int(interval({one.low:g},{one.high:g}))"
    return line


def _combinations(dimensions: Sequence[Dimension]) -> Iterator[dict[str, str]]:
    """All combinations where they are few, else each value once beside the first ones of the others."""
    if math.prod(len(one.ends) for one in dimensions) <= MOST_COMPOSED:
        yield from Space((), tuple(dimensions)).points()
        return
    yield {}
    for one in dimensions:
        for text in one.ends[1:]:
            yield {one.key: text}


def _with_value(config: Mapping[str, Any], text: str, folders: Sequence[Path]) -> dict[str, Any]:
    """The configuration with another value of a key that it has, checked."""
    (word,) = read_words([text], folders)
    problems = check_keys([word], config)
    if problems:
        raise InputError(*problems)
    changed = copy.deepcopy(dict(config))
    *path, last = word.key.split(".")
    node = changed
    for part in path:
        node = node[part]
    node[last] = word.value
    check(changed, folders)
    return changed


def _one_monitor(configs: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    found = {(config["task"]["monitor"], config["task"]["mode"]) for config in configs}
    if len(found) > 1:
        names = ", ".join(sorted(str(monitor) for monitor, _ in found))
        raise InputError(f"these trials are judged by different metrics ({names}), which cannot be compared")
    ((monitor, mode),) = found
    if monitor is None:
        raise InputError("task.monitor=null: a sweep needs a metric to judge its trials by, such as val/accuracy")
    return str(monitor), str(mode)


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
        )
    except OSError as error:
        raise InputError(f"{folder}: not a sweep's folder (it has no {FILE}); give that of a sweep") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / FILE}: damaged ({error}); begin the sweep again") from error


def resumed(plan: Plan, words: Sequence[str]) -> Plan:
    """The plan with what may change when it is gone on with: ``sweep.workers``, more ``sweep.trials``, and so on.

    Raises:
        InputError: a word that would make it another sweep.
    """
    may_change = ("workers", "trials", "retries", "executor", "storage", "lost_after_s", "slurm")
    for word in words:
        key = word.split("=", 1)[0].removeprefix("sweep.")
        if not is_setting(word) or key.split(".")[0] not in may_change:
            allowed = ", ".join(f"sweep.{one}" for one in may_change)
            raise InputError(f"{word}: a sweep goes on as it was begun; only {allowed} may be given")
    kept = [f"sweep={plan.settings.method}"]
    given = read_settings([*kept, *words], config_folders(plan.config_dirs))
    keys = {word.split("=", 1)[0].removeprefix("sweep.").split(".")[0] for word in words}
    settings = replace(plan.settings, **{key: getattr(given, key) for key in keys})
    settings = replace(settings, storage=checked_storage(settings.storage))
    problems = _counted(plan.space, settings)
    if settings.trials is not None and plan.settings.trials is not None and settings.trials < plan.settings.trials:
        problems.append(f"sweep.trials={settings.trials}: {plan.settings.trials} are entered already; give more")
    if problems:
        raise InputError(*problems)
    return replace(plan, settings=settings)

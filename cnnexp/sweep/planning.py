"""A command line → a sweep's plan, checked before the first trial."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnexp.config.check import check
from cnnexp.config.compose import compose_run
from cnnexp.config.nearest import any_of
from cnnexp.config.options import GROUPS, config_folders
from cnnexp.config.overrides import check_keys, read_words
from cnnexp.errors import InputError
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.settings import Settings, is_setting, read_settings
from cnnexp.sweep.space import Choice, Dimension, Interval, Space, read_space
from cnnexp.sweep.storage import checked_storage, without_password

MOST_COMPOSED = 16
MOST_TRIALS = 100_000
MOST_SHOWN = 12


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
        directory=str(Path.cwd()),
        tried=tuple(configs),
    )


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

"""How a sweep searches: the ``sweep`` group's options and keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnexp.config.compose import compose_option
from cnnexp.config.nearest import did_you_mean
from cnnexp.config.options import SWEEP, option_files
from cnnexp.config.overrides import Word, read_words
from cnnexp.config.rules import Group, Number, Text, problems_of
from cnnexp.errors import InputError

DEFAULT = "random"
SCHEMA = Group(
    {
        "method": Text(("grid", "random", "tpe")),
        "trials": Number(1, whole=True, nullable=True),
        "workers": Number(1, whole=True),
        "average": Text(nullable=True),
        "seed": Number(0, 2**31, whole=True),
        "startup_trials": Number(0, whole=True),
        "pruner": Text(("none", "median", "asha")),
        "grace_epochs": Number(1, whole=True),
        "reduction": Number(2, whole=True),
        "storage": Text(nullable=True),
        "study": Text(nullable=True),
        "retries": Number(0, whole=True),
        "lost_after_s": Number(90),
        "executor": Text(("fork", "fresh", "slurm", "local")),
        "slurm": Group({}, open=True),
    }
)
READ_BY = {
    "grace_epochs": ("pruner", ("median", "asha")),
    "reduction": ("pruner", ("asha",)),
    "slurm": ("executor", ("slurm", "local")),
}
"""Keys that only some values of another key make use of."""


@dataclass(frozen=True)
class Settings:
    """The group's keys; ``conf/sweep/random.yaml`` says what each is for."""

    method: str
    trials: int | None
    workers: int
    average: str | None
    seed: int
    startup_trials: int
    pruner: str
    grace_epochs: int
    reduction: int
    storage: str | None
    study: str | None
    retries: int
    lost_after_s: float
    executor: str
    slurm: Mapping[str, Any]


def is_setting(text: str) -> bool:
    """Whether a word of the command line is for the sweep and not for its trials."""
    key = text.split("=", 1)[0]
    return key == SWEEP or key.startswith(f"{SWEEP}.")


def read_settings(texts: Sequence[str], folders: Sequence[Path]) -> Settings:
    """Compose the group from ``sweep=OPTION`` and ``sweep.KEY=VALUE`` words.

    Raises:
        InputError: a line for each option or key that there is not, or value that it cannot have.
    """
    words = read_words(texts, folders)
    option = next((word for word in reversed(words) if word.key == SWEEP), None)
    known = option_files(SWEEP, folders)
    name = DEFAULT if option is None else option.value
    if name not in known:
        raise InputError(f"{SWEEP}={name}: there is no such search; {did_you_mean(str(name), known)}")
    keys = [word for word in words if word.key != SWEEP]
    unknown = [_unknown(word) for word in keys if not _is_known(word.key)]
    if unknown:
        raise InputError(*unknown)
    content = compose_option(SWEEP, str(name), keys, folders)
    problems = problems_of(content, SCHEMA, f"{SWEEP}.") or _unread(keys, content)
    if problems:
        raise InputError(*problems)
    return Settings(**content)


def _is_known(key: str) -> bool:
    name, _, rest = key.removeprefix(f"{SWEEP}.").partition(".")
    return name in SCHEMA.keys and (not rest or isinstance(SCHEMA.keys[name], Group))


def _unknown(word: Word) -> str:
    return f"{word.key}: there is no such key; {did_you_mean(word.key.removeprefix('sweep.'), SCHEMA.keys, 'sweep.')}"


def _unread(words: Sequence[Word], content: Mapping[str, Any]) -> list[str]:
    found = []
    for word in words:
        other, values = READ_BY.get(word.key.split(".")[1], ("", ()))
        if other and content[other] not in values:
            found.append(f"{word.text}: nothing reads it with sweep.{other}={content[other]}")
    return found

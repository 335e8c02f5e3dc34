"""What sets runs apart: the settings in which they differ, and their order by a metric or a setting."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.report.notation import is_number
from cnnexp.report.scores import higher_is_better, known_metrics, score_of

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

FIRST_KEYS = ("name", "model", "data")
# Where a run puts its things and what it is called elsewhere: different in every run, and no experiment.
_PLACES = frozenset({"outputs", "root", "path", "folder", "dir", "save_dir", "cache", "mirror", "id", "_target_"})
_DEEPEST_LEVEL = 16
_MISSING = object()
_SCORE_NAME = "name of the score"


def flatten(config: Mapping[Any, Any], prefix: str = "", level: int = 0) -> dict[str, Any]:
    """The leaves of a configuration by dotted key; a list is a leaf."""
    leaves: dict[str, Any] = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and level < _DEEPEST_LEVEL:
            leaves.update(flatten(value, f"{name}.", level + 1))
        else:
            leaves[name] = value
    return leaves


def settings_of(record: Record) -> dict[str, Any]:
    """The chosen option of each group and every leaf of the configuration, by key: ``model``, ``optimizer.lr``."""
    leaves = flatten({key: value for key, value in record.config.items() if key != "choices"})
    return {**leaves, **{str(group): option for group, option in record.choices.items()}}


def differing_keys(records: Sequence[Record]) -> list[str]:
    """The keys of the settings in which the runs differ, the most telling first.

    Runs without a readable configuration are left out. A key that differs only because another net or data set was
    chosen (``data.mean``) says nothing new and is left out too, unless someone set it on a command line.

    Returns:
        name, model, data; what was set on a command line; other chosen options; the rest.
    """
    readable = [record for record in records if record.config]
    settings = [settings_of(record) for record in readable]
    overridden = _overridden_keys(readable)
    groups = {str(group) for record in readable for group in record.choices}
    keys = dict.fromkeys(key for one in settings for key in one)
    found = [
        key
        for key in keys
        if not _is_place(key)
        and _differs(key, settings)
        and (key in overridden or not _follows_from_a_choice(key, settings, groups))
    ]
    ranks = {key: rank for rank, key in enumerate(FIRST_KEYS)}
    return sorted(found, key=lambda key: (ranks.get(key, len(ranks)), key not in overridden, key not in groups))


def sort_records(records: Sequence[Record], key: str | None = None) -> list[Record]:
    """The runs in order: scores fall, losses, durations and settings rise, and a leading ``-`` turns that round.

    Args:
        key: a metric, a configuration key, a group, ``score``, ``duration``, ``created``, ``status`` or ``id``; the
            last part will do (``accuracy``, ``lr``). Without one the oldest comes first.

    Raises:
        InputError: none of the runs has such a key.
    """
    by_age = sorted(records, key=_age)
    if key is None:
        return by_age
    values = [_sortable_values(record) for record in by_age]
    name = _resolve_key(key.removeprefix("-"), values)
    falls = _falls(name) != key.startswith("-")
    ranked = [(_rank(one.get(name)), one, record) for one, record in zip(values, by_age, strict=True)]
    present = [each for each in ranked if each[0] is not None]
    present.sort(key=lambda each: each[0] or (), reverse=falls)
    if name == "score":  # an accuracy and a signal-to-noise ratio have no order: each kind stays together
        present.sort(key=lambda each: each[1][_SCORE_NAME])
    return [record for _, _, record in present] + [record for rank, _, record in ranked if rank is None]


def _age(record: Record) -> tuple[str, str]:
    """The digits of the time at which it was made; a damaged record has them in its id only."""
    digits = re.sub(r"\D", "", record.created or record.id)
    return digits[:14], record.id


def _overridden_keys(records: Sequence[Record]) -> set[str]:
    keys = set()
    for record in records:
        command = record.run.get("command")
        for word in command if isinstance(command, list) else []:
            key, equals, _ = str(word).partition("=")
            if equals:
                key = key.lstrip("+~")
                keys.add(f"data{key.removeprefix('dataset')}" if key.split(".")[0] == "dataset" else key)
    return keys


def _is_place(key: str) -> bool:
    return key.rsplit(".", 1)[-1] in _PLACES


def _differs(key: str, settings: Sequence[Mapping[str, Any]]) -> bool:
    return len({_canonical(one.get(key, _MISSING)) for one in settings}) > 1


def _follows_from_a_choice(key: str, settings: Sequence[Mapping[str, Any]], groups: Collection[str]) -> bool:
    """Whether the chosen option of the key's group says as much as the key.

    An optimizer's learning rate is worth a column all the same, as long as every run has one.
    """
    group = "model" if key == "task" or key.startswith("task.") else key.split(".")[0]
    if key == group or group not in groups:
        return False
    in_all = all(key in one for one in settings)
    if group not in FIRST_KEYS and in_all:
        return False
    options = {_canonical(one.get(group)) for one in settings}
    return all(not _differs(key, [one for one in settings if _canonical(one.get(group)) == each]) for each in options)


def _canonical(value: Any) -> str:
    """Equal text for equal values: 1 and 1.0 are one value, 1 and true and "1" are three."""
    if value is _MISSING:
        return "missing"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return repr(value)


def _sortable_values(record: Record) -> dict[str, Any]:
    metrics = known_metrics(record)
    name, value = score_of(record, metrics) or ("", None)
    return {
        **settings_of(record),
        **{key: record.summary.get(key) for key in ("parameters", "best_epoch", "steps", "images_per_second")},
        "id": record.id,
        "status": record.status,
        "created": record.created,
        "duration": record.duration_s,
        "score": value if value is None or higher_is_better(name) else -value,
        _SCORE_NAME: name,
        **metrics,
    }


def _resolve_key(key: str, values: Sequence[Mapping[str, Any]]) -> str:
    known = dict.fromkeys(name for one in values for name in one if name != _SCORE_NAME)
    if key in known:
        return key
    if key == "duration_s":
        return "duration"
    candidates = [f"{stage}/{key}" for stage in ("test", "val", "train")]
    candidates += [name for name in known if name.endswith(f".{key}")]
    for candidate in candidates:
        if candidate in known:
            return candidate
    short = {name.rsplit(separator, 1)[-1] for name in known for separator in "./"}
    hint = did_you_mean(key, set(known) | short)
    raise InputError(f"--sort {key}: no such metric or configuration key in these runs" + (f"; {hint}" if hint else ""))


def _falls(name: str) -> bool:
    """Whether the best comes first by falling: scores and speeds do, settings and costs do not."""
    is_score = "/" in name or name in ("score", "images_per_second")
    return is_score and higher_is_better(name)


def _rank(value: Any) -> tuple[int, float, str] | None:
    """Numbers before text; nothing for what is missing or not a number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if is_number(value):
        return (0, value, "")
    return (1, 0.0, str(value).casefold())

"""The settings of many runs by dotted key, and those in which the runs differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from cnnexp.config.earlier import BEFORE

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

FIRST_KEYS = ("name", "model", "data")
# Where a run puts its things and what it is called elsewhere; the class of a group, and what it reads: no experiment.
_PLACES = frozenset(
    {"outputs", "root", "path", "folder", "dir", "save_dir", "cache", "mirror", "id", "_target_", "input"}
)
_DEEPEST_LEVEL = 16
MISSING: Any = object()
_BEFORE = {**BEFORE, "transfer": BEFORE["choices.transfer"]}
"""The value of a key that a run does not have."""


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
    return Settings([record]).of(0)


class Settings:
    """The settings of runs; a part of their configurations that several share is flattened once.

    Args:
        records: none of them may be changed afterwards.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        self._choices = _all_choices(records)
        self._flat: dict[tuple[str, int], dict[str, Any]] = {}

    def only(self, places: Sequence[int]) -> Settings:
        """Those of some of the runs, in the order given."""
        some = Settings(())
        some.records = [self.records[place] for place in places]
        some._choices = [self._choices[place] for place in places]
        some._flat = self._flat  # the records stay alive, so that an object's id stays its own
        return some

    def of(self, place: int) -> dict[str, Any]:
        """All settings of one run."""
        leaves: dict[str, Any] = {}
        for top in self._tops(place):
            leaves.update(self._leaves(place, top))
        return {**leaves, **self._choices[place]}

    def values(self, key: str) -> list[Any]:
        """One setting of every run; MISSING where a run does not have it."""
        tops = dict.fromkeys((key.split(".")[0], key))
        return [self._value(place, key, tops) for place in range(len(self.records))]

    def keys(self) -> dict[str, None]:
        """Every key that a run has, in the order of the configurations."""
        found: dict[str, None] = {}
        for sections in self._sections(range(len(self.records))).values():
            for section in sections:
                found.update(dict.fromkeys(section))
        return {**found, **dict.fromkeys(self._groups(range(len(self.records))))}

    def differing(self) -> list[str]:
        """The keys in which the runs differ, the most telling first.

        Runs without a readable configuration are left out. A key that differs only because another net or data set was
        chosen (``data.mean``) says nothing new and is left out too, unless someone set it on a command line.

        Returns:
            name, model, data; what was set on a command line; other chosen options; the rest.
        """
        readable = [place for place, record in enumerate(self.records) if record.config]
        overridden = _overridden_keys([self.records[place] for place in readable])
        groups = self._groups(readable)
        found = [group for group in groups if len(self._options(group, readable)) > 1]
        if "task" in found and "task" not in overridden and self._net_tells_task(readable):
            found.remove("task")
        parts = self._sections(readable)
        for top, sections in parts.items():
            differing = _differing(sections)
            told = self._follow(top, readable, differing - overridden, groups)
            found += [key for key in differing if key not in groups and key not in told]
        ranks = {key: rank for rank, key in enumerate(FIRST_KEYS)}
        keys = dict.fromkeys(key for sections in parts.values() for section in sections for key in section)
        order = {key: place for place, key in enumerate(keys)}
        return sorted(
            {key for key in found if not is_place(key)},
            key=lambda key: (ranks.get(key, len(ranks)), key not in overridden, key not in groups, order.get(key, 0)),
        )

    def _follow(self, top: str, places: Sequence[int], keys: Collection[str], groups: Collection[str]) -> set[str]:
        """The keys of a part of which the chosen option of its group says as much as they do.

        An optimizer's learning rate is worth a column all the same, as long as every run has one.
        """
        group = "model" if top == "task" else top
        if group not in groups or not keys:
            return set()
        told = set(keys)
        everywhere = set(keys)
        for option in self._options(group, places).values():
            sections = self._versions(top, option)
            told -= _differing(sections)
            everywhere = {key for key in everywhere if all(key in section for section in sections)}
        return told if group in FIRST_KEYS else told - everywhere

    def _net_tells_task(self, places: Sequence[int]) -> bool:
        return all(len(self._options("task", same)) == 1 for same in self._options("model", places).values())

    def _groups(self, places: Sequence[int]) -> list[str]:
        """The groups of which a run chose an option."""
        distinct = {id(chosen): chosen for chosen in (self._choices[place] for place in places)}
        return list(dict.fromkeys(group for chosen in distinct.values() for group in chosen))

    def _options(self, group: str, places: Sequence[int]) -> dict[str, list[int]]:
        """The runs by what they chose of a group."""
        found: dict[str, list[int]] = {}
        known: dict[int, list[int]] = {}
        for place in places:
            chosen = self._choices[place]
            if id(chosen) not in known:
                known[id(chosen)] = found.setdefault(canonical(value_in(chosen, group)), [])
            known[id(chosen)].append(place)
        return found

    def _sections(self, places: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
        """Each part of the configurations in its different versions, flattened; {} for a run that lacks it."""
        configs = [(place, self.records[place].config) for place in places]
        found: dict[str, list[dict[str, Any]]] = {}
        for top, count in Counter(chain.from_iterable(config for _, config in configs)).items():
            if top != "choices":
                versions = {id(config[top]): place for place, config in configs if top in config}
                absent: list[dict[str, Any]] = [{}] if count < len(configs) else []
                found[top] = [self._leaves(place, top) for place in versions.values()] + absent
        return found

    def _versions(self, top: str, places: Sequence[int]) -> list[dict[str, Any]]:
        """One part in its different versions."""
        configs = [self.records[place].config for place in places]
        first = {id(config.get(top)): place for config, place in zip(configs, places, strict=True)}
        return [self._leaves(place, top) if top in self.records[place].config else {} for place in first.values()]

    def _tops(self, place: int) -> list[str]:
        return [key for key in self.records[place].config if key != "choices"]

    def _leaves(self, place: int, top: str) -> dict[str, Any]:
        value = self.records[place].config[top]
        known = self._flat.get((top, id(value)))
        if known is None:
            known = self._flat[top, id(value)] = flatten({top: value})
        return known

    def _value(self, place: int, key: str, tops: Collection[str]) -> Any:
        if key in self._choices[place]:
            return self._choices[place][key]
        for top in tops:
            if top in self.records[place].config:
                return value_in(self._leaves(place, top), key)
        return value_in({}, key) if self.records[place].config else MISSING


def _all_choices(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The option of each group, one object for all runs whose configurations share theirs."""
    shared: dict[int, dict[str, Any]] = {}
    found = []
    for record in records:
        own = record.config.get("choices")
        chosen = shared.get(id(own)) if own else None
        if chosen is None:
            chosen = {str(group): option for group, option in record.choices.items()}
            if own:
                shared[id(own)] = chosen
        found.append(chosen)
    return found


def differing_keys(records: Sequence[Record]) -> list[str]:
    """The keys of the settings in which the runs differ, the most telling first: see ``Settings.differing``."""
    return Settings(records).differing()


def _differing(sections: Sequence[Mapping[str, Any]]) -> set[str]:
    """The keys that have not the same value in all versions of a part."""
    if len(sections) < 2:
        return set()
    first, *others = sections
    found: set[str] = set()
    for other in others:
        found.update(key for key in first.keys() | other.keys() if key not in found and not _same(key, first, other))
    return found


def _same(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if key in one and key in other:
        here, there = one[key], other[key]
    else:
        here, there = value_in(one, key), value_in(other, key)
    return here is there or canonical(here) == canonical(there)


def _overridden_keys(records: Sequence[Record]) -> set[str]:
    commands = [command for record in records if isinstance(command := record.run.get("command"), list)]
    keys = set()
    for word in {str(word) for command in commands for word in command}:
        key, equals, _ = word.partition("=")
        if equals:
            key = key.lstrip("+~")
            keys.add(f"data{key.removeprefix('dataset')}" if key.split(".")[0] == "dataset" else key)
    return keys


def value_in(settings: Mapping[str, Any], key: str) -> Any:
    """A run's value of a key; one of a version that did not know the key has what held before it."""
    return settings.get(key, _BEFORE.get(key, MISSING))


def is_place(key: str) -> bool:
    return key.rsplit(".", 1)[-1] in _PLACES


def canonical(value: Any) -> str:
    """Equal text for equal values: 1 and 1.0 are one value, 1 and true and "1" are three."""
    if value is MISSING:
        return "missing"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return repr(value)

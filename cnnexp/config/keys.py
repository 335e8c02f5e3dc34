"""The keys of one option: what each is for, what it is set to, and what it may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnexp.config.kinds import class_of_input
from cnnexp.config.options import SWEEP, content_of, option_files, parents_of, purpose
from cnnexp.config.rules import Each, Either, Group, Rule, allowed
from cnnexp.config.schema import RUN
from cnnexp.config.signatures import Argument, arguments_of

_LINE = re.compile(r"^( *)([\w-]+|\"[^\"]*\"):(.*)$")
_NUMBER = re.compile(r"[\d.]+(e-?\d+)?")
_ALTERNATIVES = re.compile(r"^[\w.]+(?: \| [\w.]+)+(?:[;:] )?")
_HIDDEN = ("_target_", "weights_sha256", "input_sha256")
"""Not set by a person."""


OF_EVERY_DATA = {
    "input": "the kind of samples that it holds",
    "targets": "the truths that it gives",
    "classes": "their names; null where the data itself tells them",
    "mirror": "a folder or URL that holds the publisher's files; null takes them from the publisher",
    "root": "your folder",
}
"""What keys of data sets are for that neither their classes nor their files say."""


@dataclass(frozen=True)
class Key:
    """A key of an option.

    Attributes:
        name: dotted. default: as it is typed. meaning: "" where nothing is said of it. allowed: in words. choices: all
            that it may be, where these are few. own: of this option; others are keys of the whole group.
    """

    name: str
    default: str
    meaning: str
    allowed: str
    choices: tuple[str, ...] = ()
    own: bool = True

    @property
    def other(self) -> str | None:
        """A value that is not the default, where one is known."""
        return next((one for one in self.choices if one != self.default), None)


@dataclass(frozen=True)
class OptionKeys:
    """One option of a group.

    Attributes:
        purpose: the one line that its file says. brings: words for what it sets in other groups.
    """

    group: str
    name: str
    purpose: str
    brings: tuple[str, ...]
    keys: tuple[Key, ...]

    @property
    def example(self) -> str:
        """A command line that sets one of the keys."""
        chosen = f"cnnexp {'sweep' if self.group == SWEEP else 'train'} {self.group}={self.name}"
        own = [key for key in self.keys if key.own]
        for key in own:
            if key.other is not None:
                return f"{chosen} {key.name}={key.other}"
        number = next((key for key in [*own, *self.keys] if _NUMBER.fullmatch(key.default)), None)
        return f"{chosen} {key_word(number)}" if number else chosen


def key_word(key: Key) -> str:
    """A key with its value, as it is typed in a shell."""
    word = f"{key.name}={key.default}"
    return f"'{word}'" if re.search(r"[\[\]{}\s]", word) else word


def keys_of(group: str, name: str, folders: Sequence[Path]) -> OptionKeys:
    """All keys of an option, those of the options that it goes on from among them."""
    path = option_files(group, folders)[name]
    layers = [*_files(group, path, folders)]
    root = folders[-1] / "config.yaml"
    values: dict[str, Any] = {}
    comments: dict[str, str] = {}
    own: set[str] = set()
    for file in (root, *layers):
        content = content_of(file)
        inner = content.get(group) if file == root or isinstance(content.get(group), dict) else content
        flat = dict(_flat(inner)) if isinstance(inner, dict) else {}
        prefix = f"{group}." if file == root or isinstance(content.get(group), dict) else ""
        said = {key.removeprefix(prefix): text for key, text in comments_of(file).items() if key.startswith(prefix)}
        values, comments = {**values, **flat}, {**comments, **said}
        own |= set() if file == root else set(flat)
    targets = _targets(group, values)
    _name_operations(values, comments)
    keys = tuple(
        _key(group, key, value, comments, targets, key in own)
        for key, value in values.items()
        if key.rpartition(".")[2] not in _HIDDEN
    )
    return OptionKeys(
        group, name, purpose(path), tuple(_brought(group, path)), tuple(sorted(keys, key=lambda k: not k.own))
    )


def _files(group: str, path: Path, folders: Sequence[Path]) -> Iterator[Path]:
    """A file behind those that it goes on from."""
    files = option_files(group, folders)
    for parent in parents_of(group, content_of(path), files):
        if files[parent] != path:
            yield from _files(group, files[parent], folders)
    yield path


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if key == "defaults" and not prefix:
            continue
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def comments_of(path: Path) -> dict[str, str]:
    """What stands behind each key of a YAML file, or in the comment lines right above it; by dotted key."""
    found: dict[str, str] = {}
    open_keys: list[tuple[int, str]] = []
    above: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        text = line.strip()
        if text.startswith("#"):
            above = [] if text.startswith("# ---") or number < 2 else [*above, text.lstrip("# ")]
            continue
        match = _LINE.match(line)
        if match:
            indent = len(match[1])
            open_keys = [one for one in open_keys if one[0] < indent] + [(indent, match[2].strip('"'))]
            _, _, behind = match[3].partition(" # ")
            said = behind.strip() or " ".join(above)
            if said:
                found[".".join(key for _, key in open_keys)] = said
        above = []
    return found


def _targets(group: str, values: Mapping[str, Any]) -> dict[str, Argument]:
    """What the class of the group says, and for data the kind of input that it holds."""
    own = arguments_of(str(values.get("_target_") or ""))
    kind = values.get("input")
    if group != "data":
        return own
    found = {key: Argument(text, "") for key, text in OF_EVERY_DATA.items()}
    if isinstance(kind, str) and "." not in kind:
        found |= arguments_of(class_of_input(kind))
    return {**found, **{key: one for key, one in own.items() if one.meaning or key not in found}}


def _name_operations(values: Mapping[str, Any], comments: dict[str, str]) -> None:
    """What is said of a group of keys, before what is said of the first of them."""
    told: set[str] = set()
    for key in values:
        holder = key.rpartition(".")[0]
        if holder and holder not in told and comments.get(holder):
            comments[key] = "; ".join(filter(None, (comments[holder], comments.get(key))))
        told.add(holder)


def _key(
    group: str, key: str, value: Any, comments: Mapping[str, str], targets: Mapping[str, Argument], own: bool
) -> Key:
    argument = targets.get(key, Argument("", ""))
    rule = _rule(group, key)
    may_be = (allowed(rule) if rule else "") or argument.kind or _kind_of(value)
    choices = argument.choices or _choices_of(rule)
    meaning = argument.meaning or _without_choices(comments.get(key, ""), bool(choices))
    if key.endswith(".probability") and not meaning:
        meaning = "part of the samples that it meets"
    return Key(f"{group}.{key}", shown(value), meaning, may_be, choices, own)


def _without_choices(comment: str, known: bool) -> str:
    """A comment without the values that it begins with, where they are said elsewhere."""
    return _ALTERNATIVES.sub("", comment) if known else comment


def _rule(group: str, key: str) -> Rule | None:
    node: Any = {**RUN.keys, **RUN.optional}.get(group)
    for part in key.split("."):
        if isinstance(node, Each):
            node = node.of
        elif isinstance(node, Group):
            node = {**node.optional, **node.keys}.get(part)
        else:
            return None
    return None if isinstance(node, Group) else node


def _choices_of(rule: Any) -> tuple[str, ...]:
    if isinstance(rule, Either):
        return tuple(choice for one in rule.rules for choice in _choices_of(one))
    return tuple(getattr(rule, "choices", ()))


def _kind_of(value: Any) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", list: "a list", str: "a word"}
    return next((text for kind, text in kinds.items() if isinstance(value, kind)), "")


def _brought(group: str, path: Path) -> Iterator[str]:
    """The options that a file chooses in other groups, and the keys that it sets there."""
    content = content_of(path)
    for entry in content.get("defaults") or []:
        if isinstance(entry, dict):
            for other, option in entry.items():
                yield f"{str(other).removeprefix('override ').lstrip('/')}={option}"
    if not isinstance(content.get(group), dict) and group not in ("experiment",):
        return
    for key, value in _flat({name: one for name, one in content.items() if name not in (group, "defaults")}):
        yield f"{key}={shown(value)}"


def shown(value: Any) -> str:
    """A value as one types it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(shown(one) for one in value)}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}: {shown(one)}" for key, one in value.items()) + "}"
    return "null" if value is None else str(value)

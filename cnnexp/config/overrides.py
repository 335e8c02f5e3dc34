"""The words after the command: read in Hydra's grammar, checked one by one, so that every mistake is named at once."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnexp.config.elsewhere import hint_for
from cnnexp.config.grammar import as_plain_text, parse
from cnnexp.config.loss_parts import PARTS
from cnnexp.config.nearest import any_of, did_you_mean
from cnnexp.config.options import GROUPS, option_files, options_with, usual_first
from cnnexp.config.rules import Either, Text
from cnnexp.config.schema import rule_of
from cnnexp.errors import InputError

OPEN = ("model", "data", "optimizer", "scheduler", "augmentation", "sampling", "loss", "transfer")
"""Groups whose files name a class: keys beyond those of the file are bound to its signature later."""
SET_ELSEWHERE = {
    "model.in_channels": "data.channels",
    "model.num_classes": "data.classes",
    "model.image_size": "data.image_size",
    "model.dropout": "regularization.dropout",
    "model.stochastic_depth": "regularization.stochastic_depth",
}
"""Arguments that a net is given; the key that decides them."""
READ_WITH = {"regularization.sparsity_weight": ("regularization.sparsity", "0.05")}
"""Keys that nothing reads while another one is null; that one, with a usual value."""
MOST_OPTIONS = 4
"""So many options that have a key are named, of more the first ones."""


@dataclass(frozen=True)
class Word:
    """One override: ``text`` as it was typed, ``key`` without a leading plus, ``value`` as Hydra understood it."""

    text: str
    key: str
    value: Any
    added: bool


def read_words(texts: Sequence[str], folders: Sequence[Path] = ()) -> list[Word]:
    """Parse overrides, with ``dataset`` read as ``data``.

    Args:
        folders: where the options lie, to recognise one that was given without its group.

    Raises:
        InputError: a line for each word that is no ``key=value``, deletes a key, or asks for a sweep.
    """
    words: list[Word] = []
    problems: list[str] = []
    for text in texts:
        try:
            words.append(_read(text, folders))
        except InputError as error:
            problems.extend(error.lines)
    if problems:
        raise InputError(*problems)
    return words


def _read(text: str, folders: Sequence[Path]) -> Word:
    from hydra.errors import HydraException

    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InputError(
            f"{text}: holds bytes that are no UTF-8, which no record could name; rename the file or folder"
        )
    if text.startswith("~"):
        raise InputError(f"{text}: a key cannot be deleted; give it another value, null switches most things off")
    if text.startswith("="):
        raise InputError(f"{text}: there is no blank before or after the =, for example model=resnet20")
    if "=" not in text:
        raise InputError(_without_value(text, folders))
    text = spell(text)
    named, given = text.split("=", 1)
    try:
        override = parse(text)
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{text}: not understood ({reason}); as plain text it is typed so: {as_plain_text(named, given)}"
        ) from error
    if override.is_sweep_override():
        one = f" (one value with commas: {as_plain_text(named, given)})" if "," in given else ""
        raise InputError(f"{text}: several values make a sweep: cnnexp sweep {shlex.quote(text)}{one}")
    key = override.key_or_group
    if override.package is not None:
        raise InputError(f"{text}: a package (@…) cannot be given on the command line")
    return Word(text.lstrip("+"), key, override.value(), override.is_add() or override.is_force_add())


def _without_value(text: str, folders: Sequence[Path]) -> str:
    """The line for a word without ``=``: the group that has such an option, or an example."""
    groups = [group for group in GROUPS if text in option_files(group, folders)]
    if groups:
        return f"{text}: did you mean {any_of(f'{group}={text}' for group in groups)}?"
    if text in GROUPS:
        options = list(option_files(text, folders)) or ["…"]
        return f"{text}: expected {text}=OPTION, for example {text}={options[0]} (cnnexp list {text} shows all)"
    return f"{text}: expected key=value, for example model=resnet20 or optimizer.lr=0.01"


def spell(text: str) -> str:
    """``dataset=`` and ``dataset.x=`` are other words for ``data=`` and ``data.x=``."""
    plus = text[: len(text) - len(text.lstrip("+"))]
    rest = text[len(plus) :]
    for alias in ("dataset=", "dataset."):
        if rest.startswith(alias):
            rest = "data" + rest[len("dataset") :]
    return plus + rest


def check_groups(words: Sequence[Word], folders: Sequence[Path]) -> list[str]:
    """Problems of the words that choose an option of a group, or that name what nobody may set."""
    problems = []
    for word in words:
        top = word.key.split(".")[0].split("/")[0]
        if word.key == "hydra.searchpath":
            problems.append(f"{word.text}: give folders of your own YAML with --config-dir DIR")
        elif top == "hydra":
            problems.append(f"{word.text}: hydra's own settings cannot be changed here")
        elif top == "choices":
            problems.append(f"{word.text}: choices are what the groups were set to; set the group itself, model=…")
        elif word.key in GROUPS and not (word.key == "experiment" and word.value is None):
            problems.extend(_option(word, folders))
    return problems


def _option(word: Word, folders: Sequence[Path]) -> list[str]:
    known = option_files(word.key, folders)
    if isinstance(word.value, str) and word.value in known:
        return []
    hint = did_you_mean("" if word.value is None else str(word.value), known)
    all_of_them = f"cnnexp list {word.key} shows all"
    return [f"{word.text}: there is no such {word.key}; {f'{hint} ({all_of_them})' if hint else all_of_them}"]


def check_keys(words: Sequence[Word], config: Mapping[str, Any], folders: Sequence[Path] = ()) -> list[str]:
    """Problems of the words that set a value: a key that is not there, or a value of another type than the file's.

    Args:
        folders: where the options lie, to name those that have a key that the chosen one lacks.
    """
    problems = []
    for word in words:
        if word.key in GROUPS:
            continue
        problem = _key_problem(word, config, folders) or _unread(word, words, config)
        if problem:
            problems.append(problem)
    return problems


def _key_problem(word: Word, config: Mapping[str, Any], folders: Sequence[Path]) -> str | None:
    parts = word.key.split(".")
    node: Any = config
    for depth, part in enumerate(parts):
        if not isinstance(node, Mapping):
            if depth and ".".join(parts[: depth - 1]) == PARTS:
                return None  # a part that is its weight alone; which keys it may have its own file says
            return f"{word.key}: {'.'.join(parts[:depth])} is a single value, it has no key {part}"
        if part not in node:
            if word.key in SET_ELSEWHERE and not word.added:
                return f"{word.text}: the net is given this; set {SET_ELSEWHERE[word.key]}"
            if word.added and parts[0] in OPEN and depth >= 1:
                return None
            theirs = "" if len(parts) == 1 and _paths_to(part, config) else hint_for(word.key, word.value, folders)
            other = theirs or _other_options(parts, depth, config, folders)
            return _unknown(word, parts, depth, node, config, other)
        node = node[part]
    if parts[-1].startswith("_") and parts[-1].endswith("_"):
        return f"{word.key}: choose another class by another option of {parts[0]}, or in a YAML file of your own"
    if isinstance(node, Mapping) and not isinstance(word.value, Mapping):
        return f"{word.text}: {word.key} is a group of keys ({', '.join(node)}); set one of them"
    rule = rule_of(word.key)
    if isinstance(rule, Either) and isinstance(word.value, list):  # of several types; the default has one of them
        problem = rule.problem(word.value)
        return problem and f"{word.text}: {problem}"
    return _no_text(word) or type_problem(word.key, node, word.value)


def _unread(word: Word, words: Sequence[Word], config: Mapping[str, Any]) -> str | None:
    """The line for a key that nothing reads, as another one is null."""
    needed, usual = READ_WITH.get(word.key, ("", ""))
    if not needed:
        return None
    group, key = needed.split(".")
    value = {one.key: one.value for one in words}.get(needed, config[group][key])
    return (
        None
        if value is not None
        else f"{word.text}: nothing reads it while {needed} is null; give {needed}={usual} too"
    )


def _no_text(word: Word) -> str | None:
    """The line for a number or a list where a text is expected: a folder may be called 2024, or [a]."""
    rule = rule_of(word.key)
    if not isinstance(rule, Text) or rule.choices or word.value is None or isinstance(word.value, str):
        return None
    return f"{word.text}: expected a text; this one is typed so: {as_plain_text(*word.text.split('=', 1))}"


def _unknown(
    word: Word, parts: Sequence[str], depth: int, node: Mapping[str, Any], config: Mapping[str, Any], other: str
) -> str:
    prefix = ".".join(parts[:depth])
    known = [str(key) for key in node if _settable(key, depth)]
    elsewhere = _paths_to(parts[-1], config)
    near = did_you_mean(parts[depth], known, f"{prefix}." if prefix else "")
    hint = other or (f"did you mean {any_of(elsewhere)}?" if elsewhere else near)
    line = f"{word.key}: there is no such key; {hint or 'cnnexp config shows all'}"
    if parts[0] in OPEN and depth and not other and config[parts[0]].get("_target_") is not None:
        line += f" (+{word.text} hands it to the class of {parts[0]} all the same)"
    return line


def _other_options(parts: Sequence[str], depth: int, config: Mapping[str, Any], folders: Sequence[Path]) -> str:
    """A clause that names the options of the group that have the key, or at least its beginning; empty for none."""
    group, input_ = parts[0], config.get("data", {}).get("input")
    if group not in GROUPS or not depth:
        return ""
    for end in (len(parts), depth + 1):
        names = [f"{group}={name}" for name in usual_first(options_with(group, parts[1:end], folders, input_))]
        if names:
            more = f" and so on (cnnexp list {group} shows all)" if len(names) > MOST_OPTIONS else ""
            named = ", ".join(names[:MOST_OPTIONS]) + more if more else any_of(names)
            return f"did you mean {'.'.join(parts[:end])} with {named}?"
    return ""


def _settable(key: Any, depth: int) -> bool:
    return not str(key).startswith("_") and not (depth == 0 and key == "choices")


def _paths_to(name: str, node: Any, prefix: str = "") -> list[str]:
    """Dotted keys whose last part is this name: ``lr`` is optimizer.lr."""
    found = []
    for key, value in node.items():
        if key == name and not isinstance(value, Mapping):
            found.append(f"{prefix}{key}")
        if isinstance(value, Mapping) and key != "choices":
            found.extend(_paths_to(name, value, f"{prefix}{key}."))
    return found


def type_problem(key: str, default: Any, value: Any) -> str | None:
    """Why a value cannot stand where the file has this default; None where it can. ``null`` takes anything."""
    if default is None or value is None or type(value) is type(default):
        return None
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return None
    if isinstance(default, str) and not isinstance(value, str):
        return None if _stands_for_word(value) else f"{key}={_shown(value)}: expected a word such as {default}"
    if isinstance(default, str) or (value == "auto" and isinstance(default, int)):
        return None
    kinds = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    expected = next((text for kind, text in kinds.items() if isinstance(default, kind)), type(default).__name__)
    return f"{key}={_shown(value)}: expected {expected}, such as {_shown(default)}"


def _stands_for_word(value: Any) -> bool:
    """Numbers and switches may replace a word like ``auto``; the schema and the signature decide."""
    return isinstance(value, (int, float, bool))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(" ", "")

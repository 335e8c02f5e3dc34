"""A loss of several parts: the names of other losses replaced by what their files say."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.config.options import content_of, option_files
from cnnexp.errors import InputError

PARTS = "loss.parts"
WEIGHT = "weight"
"""Of a part; its other keys are its loss's own."""
EXAMPLE = "'loss.parts={pixel_cross_entropy:1,dice:{weight:1,squares:true}}'"


def with_parts(loss: Mapping[str, Any], folders: Sequence[Path]) -> dict[str, Any]:
    """The keys of a loss, each of its ``parts`` with all keys of its own file: ``{dice: 1}`` is ``{dice: {weight: 1,
    _target_: …, squares: false}}``. A loss without parts stays as it is.

    Raises:
        InputError: a line for each part that is no loss, has no weight above 0, or has a key that its file lacks; no
            part at all.
    """
    given = loss.get("parts")
    if not isinstance(given, Mapping):
        return dict(loss)
    files, parts, problems = option_files("loss", folders), {}, []
    for name, keys in given.items():
        own = dict(keys) if isinstance(keys, Mapping) else {WEIGHT: keys}
        if name not in files:
            problems.append(f"loss.parts.{name}: there is no such loss; {did_you_mean(str(name), files)}")
            continue
        part = {WEIGHT: None, **content_of(files[name]), **own}
        problems += _problems(str(name), part, content_of(files[name]))
        parts[str(name)] = part
    if not given:
        problems.append(f"loss.parts: names no loss; give {EXAMPLE}")
    if problems:
        raise InputError(*problems)
    return {**loss, "parts": parts}


def open_part(parts: Any, key: str) -> None:
    """Make keys of a part that is its weight alone, before ``loss.parts.NAME.KEY`` sets one more.

    Args:
        parts: of the loss, changed in place. key: any that a word sets.
    """
    name, _, inner = key.removeprefix(f"{PARTS}.").partition(".")
    if key.startswith(f"{PARTS}.") and inner and isinstance(parts, MutableMapping) and name in parts:
        own = parts[name]
        parts[name] = own if isinstance(own, Mapping) else {WEIGHT: own}


def _problems(name: str, part: Mapping[str, Any], file: Mapping[str, Any]) -> list[str]:
    weight, allowed = part[WEIGHT], [key for key in (WEIGHT, *file) if key != "_target_"]
    found = []
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < float("inf"):
        found.append(f"loss.parts.{name}: expected its weight, a number above 0; give {EXAMPLE}")
    if "parts" in file:
        found.append(f"loss.parts.{name}: has parts itself; name those")
    unknown = [key for key in part if key not in (*allowed, "_target_")]
    found += [f"loss.parts.{name}.{key}: there is no such key; {did_you_mean(key, allowed)}" for key in unknown]
    if part.get("_target_") != file.get("_target_"):
        found.append(f"loss.parts.{name}._target_: choose another class by another loss")
    return found

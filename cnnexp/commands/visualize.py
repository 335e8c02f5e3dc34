"""``cnnexp visualize TECHNIQUE``: each technique is a file in ``commands/techniques/``, or a module of the user's own.

Such a module has ``LINE``, what it shows, ``EXAMPLE``, ``add_arguments(parser)`` and ``run(arguments)``.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

FOLDER = Path(__file__).with_name("techniques")
PACKAGE = "cnnexp.commands.techniques"


def techniques() -> dict[str, str]:
    """Each technique of the folder with its one line, which is read without importing it."""
    return {name: str(_said(path, "LINE")) for name, path in _files().items()}


def in_reading_order() -> dict[str, str]:
    """The modules of the techniques that look into a trained net, by name, in the order of a page about one.

    Such a module has ``PLACE``, a number, and ``section(subject, arguments)`` beside what every technique has.
    """
    places = {name: _said(path, "PLACE") for name, path in _files().items()}
    there = sorted((place, name) for name, place in places.items() if place is not None)
    return {name: f"{PACKAGE}.{name.replace('-', '_')}" for _, name in there}


def _files() -> dict[str, Path]:
    return {path.stem.replace("_", "-"): path for path in sorted(FOLDER.glob("[a-z]*.py"))}


def _said(path: Path, word: str) -> str | int | None:
    """The value of a name at the top of a module; None where there is no such name."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == word for one in node.targets):
            value: str | int = ast.literal_eval(node.value)
            return value
    return None


TECHNIQUES = techniques()
_NAME_WIDTH = max(map(len, TECHNIQUES)) + 4


def _listed() -> str:
    lines = (
        textwrap.fill(line, 78, initial_indent=f"  {name:<{_NAME_WIDTH - 2}}", subsequent_indent=" " * _NAME_WIDTH)
        for name, line in TECHNIQUES.items()
    )
    return "\n".join(lines)


EXAMPLE = f"""cnnexp visualize kernels photo.jpg

techniques, each with an example by cnnexp visualize TECHNIQUE --help:
{_listed()}"""


@dataclass(frozen=True)
class Chosen:
    """A technique: its module, its one line, and the words that are left for it."""

    name: str
    module: str
    line: str
    words: list[str]


def chosen(words: Sequence[str]) -> Chosen | None:
    """The technique that the first word names; None where the words are for the command itself.

    Raises:
        InputError: there is no such technique, it is nobody's that is trusted, or an option stands before it.
    """
    if not words or {words[0]} & {"-h", "--help", "--list", "--debug"}:
        return None
    first, rest = words[0], list(words[1:])
    if first.startswith("-"):
        raise InputError(f"{first}: the technique comes first, as in: cnnexp visualize kernels photo.jpg {first}")
    if first in TECHNIQUES:
        return Chosen(first, f"{PACKAGE}.{first.replace('-', '_')}", TECHNIQUES[first], rest)
    if "." in first and "/" not in first:
        return Chosen(first, first, _of_ones_own(first, rest), rest)
    raise InputError(f"{first}: there is no such technique; {did_you_mean(first, TECHNIQUES)}")


def _of_ones_own(name: str, words: Sequence[str]) -> str:
    """The line of a technique in a package that the words trust."""
    from cnnexp.builders.target import refuse_trust

    trusted = [after for word, after in pairwise(words) if word == "--trust"]
    trusted += [word.removeprefix("--trust=") for word in words if word.startswith("--trust=")]
    refuse_trust(trusted)
    top = name.split(".")[0]
    if not any(name.startswith(f"{package}.") for package in trusted):
        raise InputError(f"{name}: a technique of a package of yours, which --trust {top} allows")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        module = import_module(name)
    except ImportError as error:
        raise InputError(f"{name}: there is no such technique ({error})") from error
    missing = [one for one in ("LINE", "EXAMPLE", "add_arguments", "run") if not hasattr(module, one)]
    if missing:
        raise InputError(f"{name}: no technique, it has no {missing[0]}")
    return str(module.LINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "cnnexp visualize TECHNIQUE … | --list"
    parser.add_argument("--list", action="store_true", help="the techniques, with a line each")


def run(arguments: argparse.Namespace) -> int:
    if not arguments.list:
        raise InputError(f"missing: TECHNIQUE; {did_you_mean('', TECHNIQUES)}")
    print(_listed())
    return 0

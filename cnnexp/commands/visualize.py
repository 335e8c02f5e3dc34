"""``cnnexp visualize TECHNIQUE``: a table of techniques, each in ``commands/techniques/NAME.py``."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

PARTS = "cnnexp.commands.techniques"
TECHNIQUES = {
    "backprop": "backpropagation with all its numbers, in a small net and a small convolution",
    "fft": "convolution by FFT against direct convolution, timed on this machine",
    "gradients": "gradient norms of every layer, of runs that recorded them",
    "kernels": "classic kernels (edges, blur, template matching, your own) on a picture",
    "shift": "what a net makes of a picture that moves: do its maps, does its answer?",
}
"""Each technique with its one line."""
_NAME_WIDTH = 12


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
    """A technique, and the words that are left for it."""

    name: str
    line: str
    words: list[str]


def chosen(words: Sequence[str]) -> Chosen | None:
    """The technique that the first word names; None where the words are for the command itself.

    Raises:
        InputError: there is no such technique, or an option stands before it.
    """
    if not words or {words[0]} & {"-h", "--help", "--list", "--debug"}:
        return None
    first = words[0]
    if first.startswith("-"):
        raise InputError(f"{first}: the technique comes first, as in: cnnexp visualize kernels photo.jpg {first}")
    if first not in TECHNIQUES:
        raise InputError(f"{first}: there is no such technique; {did_you_mean(first, TECHNIQUES)}")
    return Chosen(first, TECHNIQUES[first], list(words[1:]))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "cnnexp visualize TECHNIQUE … | --list"
    parser.add_argument("--list", action="store_true", help="the techniques, with a line each")


def run(arguments: argparse.Namespace) -> int:
    if not arguments.list:
        raise InputError(f"missing: TECHNIQUE; {did_you_mean('', TECHNIQUES)}")
    print(_listed())
    return 0

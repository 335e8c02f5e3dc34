"""Texts of ``cnnexp predict`` that are no files of their own: on the command line, or the lines of a file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.errors import InputError
from cnnexp.notice import loaded

if TYPE_CHECKING:
    from cnnexp.averaging.answering import Asking
    from cnnexp.tasks.base import Task

_FOR_FILES = ("out", "html", "before", "own_size")


def add_texts(parser: argparse.ArgumentParser) -> None:
    """``--text`` and ``--lines``."""
    parser.add_argument("--text", action="append", metavar="TEXT", help="a text in place of files; again for more")
    parser.add_argument("--lines", metavar="FILE", help="a text in each line of a file, in UTF-8")


def texts_named(arguments: argparse.Namespace, files: Sequence[str]) -> list[str]:
    """The texts that the command line holds or names; none where it is about files.

    Raises:
        InputError: there are files as well, or an option that is for these; the file of lines cannot be read.
    """
    if arguments.text is None and arguments.lines is None:
        return []
    if files:
        raise InputError(f"{files[0]}: a file beside --text or --lines; ask about files alone, or about texts")
    beside = [name for name in _FOR_FILES if getattr(arguments, name)]
    if beside:
        raise InputError(f"--{beside[0].replace('_', '-')}: is for files; leave it out beside --text and --lines")
    return [*(arguments.text or ()), *(() if arguments.lines is None else _lines(Path(arguments.lines)))]


def _lines(path: Path) -> list[str]:
    from cnnexp.data.text_files import read_names

    try:
        found = list(read_names(path))
    except FileNotFoundError as error:
        raise InputError(f"--lines {path}: there is no such file") from error
    if not found:
        raise InputError(f"--lines {path}: no line holds a text")
    return found


def answer_texts(task: Task, ask: Asking, texts: Sequence[str], *, as_json: bool) -> int:
    """Print what the net says of each text.

    Raises:
        InputError: it takes something else than texts; a text has no word.
    """
    from cnnexp.inputs.tokens import Tokens, words_of

    given = task.facts.input
    if not isinstance(given, Tokens):
        raise InputError(f"--text: the net takes {given.noun}s and no texts; name files of these")
    empty = [text for text in texts if not words_of(text, 1)]
    if empty:
        raise InputError(f"--text {empty[0]!r}: holds no word")
    rows = []
    for text in texts:
        batch = given.of_text(text)
        rows.append({"asked": text, **task.answer.as_json(ask(batch)[0], given.pictures(batch)[0])})
    loaded()
    if as_json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    for row in rows:
        print(row["asked"], *(f"  {line}" for line in task.answer.lines(row)), sep="\n")
    return 0

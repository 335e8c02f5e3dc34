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
    parser.add_argument(
        "--text", action="append", metavar="TEXT", help="a text in place of files; again for more, or for a pair"
    )
    parser.add_argument("--lines", metavar="FILE", help="a text in each line of a file, in UTF-8; pairs with a tab")


def texts_named(arguments: argparse.Namespace, files: Sequence[str]) -> list[list[str]]:
    """The texts that the command line holds, and those of each line of a file; none where it is about files.

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
    lines = [] if arguments.lines is None else _lines(Path(arguments.lines))
    return [*([arguments.text] if arguments.text else []), *([line] for line in lines)]


def _lines(path: Path) -> list[str]:
    from cnnexp.data.text_files import read_names

    try:
        found = list(read_names(path))
    except FileNotFoundError as error:
        raise InputError(f"--lines {path}: there is no such file") from error
    if not found:
        raise InputError(f"--lines {path}: no line holds a text")
    return found


def answer_texts(task: Task, ask: Asking, texts: Sequence[Sequence[str]], *, as_json: bool) -> int:
    """Print what the net says of each text, or of each pair where it takes pairs.

    Args:
        texts: groups of texts that stand together; of a net for single texts each is asked about alone.

    Raises:
        InputError: it takes something else than texts, or more of them at once; a text has no word.
    """
    given = task.facts.input
    each = given.texts_each
    if not each:
        raise InputError(f"--text: the net takes {given.noun}s and no texts; name files of these")
    asked = []
    for group in texts:
        group = group[0].split("\t") if each > 1 and len(group) == 1 else group
        if len(group) % each:
            raise InputError(f"{group[-1]!r}: stands alone, and the net takes {each} texts at once; name the other too")
        asked += [list(group[begin : begin + each]) for begin in range(0, len(group), each)]
    rows = []
    for group in asked:
        batch = given.of_texts(group)
        said = task.answer.as_json(ask(batch)[0], given.pictures(batch)[0])
        rows.append({"asked": group[0] if each == 1 else group, **said})
    loaded()
    if as_json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    for group, row in zip(asked, rows, strict=True):
        print(*group, *(f"  {line}" for line in task.answer.lines(row)), sep="\n")
    return 0

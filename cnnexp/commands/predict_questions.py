"""``cnnexp predict RUN PICTURE --question TEXT``: a text about a file, for nets that take both."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.asked import files_in
from cnnexp.errors import InputError
from cnnexp.notice import loaded

if TYPE_CHECKING:
    from cnnexp.averaging.answering import Asking
    from cnnexp.inputs.base import Input
    from cnnexp.inputs.several import Several
    from cnnexp.tasks.base import Task

_WITHOUT = ("text", "lines", "out", "html", "before", "own_size", "skip_unreadable", "frame_rate")
_MOST_NAMED = 12


def add_questions(parser: argparse.ArgumentParser) -> None:
    """``--question``."""
    parser.add_argument(
        "--question", action="append", metavar="TEXT", help="what is asked about the pictures; again for more"
    )


def questions_named(arguments: argparse.Namespace, files: Sequence[str]) -> list[str]:
    """The questions of the command line; none where it asks none.

    Raises:
        InputError: no picture is named beside one, or an option that has nothing to do with questions.
    """
    questions: list[str] = arguments.question or []
    beside = [name for name in _WITHOUT if getattr(arguments, name)] if questions else []
    if beside:
        raise InputError(f"--{beside[0].replace('_', '-')}: leave it out beside --question, whose answers are printed")
    if questions and not files:
        raise InputError(f"--question {questions[0]!r}: about which picture? name its file too")
    return questions


def refuse_unasked(given: Input, files: Sequence[str]) -> None:
    """Refuse a file alone where the net takes a question about it too.

    Raises:
        InputError: it does, and the file is none that names both.
    """
    alone = [file for file in files if Path(file).suffix.lower() not in given.suffixes]
    if getattr(given, "asked_about", None) is not None and alone:
        raise InputError(f"{alone[0]}: the net answers questions about such a file; add --question TEXT")


def answer_questions(task: Task, ask: Asking, named: Sequence[str], questions: Sequence[str], *, as_json: bool) -> int:
    """Print what the net answers to each question about each file.

    Raises:
        InputError: it takes no question; a file cannot be read; a question has no word, or none that the net knows.
    """
    given = _several(task.facts.input)
    assert given.asked_about is not None
    picture = given.parts[given.asked_about[0]]
    unknown = {question: _unknown(given, question) for question in questions}
    files = files_in(named, picture)
    rows = []
    for batch, path, question in [(given.of_question(path, text), path, text) for path in files for text in questions]:
        said = task.answer.as_json(ask(batch)[0], given.pictures(batch)[0])
        rows.append({"file": str(path), "question": question, "unknown_words": unknown[question], **said})
    loaded()
    for question, words in unknown.items():
        if words:
            line = f"{question!r}: {_no_number(words)}, which the net cannot tell apart"
            print(f"cnnexp predict: {line}", file=sys.stderr)
    if as_json:
        import json

        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row['file']}: {row['question']}", *(f"  {line}" for line in task.answer.lines(row)), sep="\n")
    return 0


def _several(given: Input) -> Several:
    from cnnexp.inputs.several import Several

    if not isinstance(given, Several) or given.asked_about is None:
        raise InputError(f"--question: the net takes {given.noun}s and no questions about them; leave it out")
    return given


def _unknown(given: Several, question: str) -> list[str]:
    """The words of a question that the net does not know.

    Raises:
        InputError: there is no word, or it knows none; or more words than it reads.
    """
    from cnnexp.inputs.words import words_of

    assert given.asked_about is not None
    about: Any = given.parts[given.asked_about[1]]
    words = words_of(question, unit=about.unit)
    if not words:
        raise InputError(f"--question {question!r}: holds no word")
    unknown: list[str] = about.unknown_words(question)
    if len(unknown) == len(set(words)):
        known = ", ".join(list(about.words or ())[:_MOST_NAMED])
        raise InputError(f"--question {question!r}: the net knows none of these words; it knows {known}, …")
    if len(words) > about.length:
        read = f"of its {len(words)} words the net reads {about.length}"
        raise InputError(f"--question {question!r}: {read}; ask shorter")
    return unknown


def _no_number(words: Sequence[str]) -> str:
    named = ", ".join(words[:_MOST_NAMED]) + (", …" if len(words) > _MOST_NAMED else "")
    return f"unknown word{'' if len(words) == 1 else 's'} {named}"

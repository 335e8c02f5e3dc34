"""Text from a record, which may be a stranger's: made harmless for a terminal and for a spreadsheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

# Controls, invisible and direction-changing characters, lone surrogates, line and paragraph separators: a terminal
# may act on them, or show a line in another order than it is written.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# A spreadsheet takes a cell that begins like this for a formula; Excel also the full-width forms.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def printable(value: Any) -> str:
    """One line of text without anything a terminal could act on: white space becomes a blank, the rest a ``?``."""
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_printable_character(character) for character in text)


def listed(words: Sequence[Any], most: int) -> str:
    """``a, b, c and 47 more``."""
    text = ", ".join(printable(word) for word in words[:most])
    return text if len(words) <= most else f"{text} and {len(words) - most} more"


def spreadsheet_cell(value: Any) -> Any:
    """A cell of a CSV file: numbers as they are, text printable, behind a ``'`` where it reads as a formula."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) else text


def _printable_character(character: str) -> str:
    if character in "\t\n\r\v\f":
        return " "
    return "?" if unicodedata.category(character) in _UNPRINTABLE else character

"""The word that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

MOST_LISTED = 24
"""So many known words fit in one line; of more, only near ones are named."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A clause naming the nearest of the known words, or all of them when they are few, or nothing.

    Case, dashes and underscores do not count: ``ResNet-20`` is resnet20 and nothing else.
    """
    words = sorted(set(known))
    same = [one for one in words if _plain(one) == _plain(word)]
    close = same or difflib.get_close_matches(word.lower(), words, n=3, cutoff=0.5)
    if close:
        return f"did you mean {any_of(close)}?"
    return f"known are {', '.join(words)}" if 0 < len(words) <= MOST_LISTED else ""


def any_of(words: Iterable[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _plain(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()

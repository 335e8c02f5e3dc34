"""The word that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

MOST_LISTED = 24
"""So many known words fit in one line; of more, only near ones are named."""
LIKE, NEARLY = 0.5, 0.15
"""Parts of two words that are the same."""


def did_you_mean(word: str, known: Iterable[str], prefix: str = "", most_listed: int = MOST_LISTED) -> str:
    """A clause naming the nearest of the known words, or all of them when they are few, or nothing.

    Case, dashes and underscores do not count: ``ResNet-20`` is resnet20 and nothing else.

    Args:
        prefix: put before each word in the clause; it plays no part in the likeness.
        most_listed: so many are few.
    """
    words = sorted(set(known))
    close = _nearest(word, words)
    if close:
        return f"did you mean {any_of(f'{prefix}{one}' for one in close)}?"
    return f"known are {', '.join(f'{prefix}{one}' for one in words)}" if 0 < len(words) <= most_listed else ""


def _nearest(word: str, words: list[str]) -> list[str]:
    """Up to three words that are alike, and nearly as much alike as the first of them."""
    same = [one for one in words if _plain(one) == _plain(word)]
    if same:
        return same
    likeness = {one: difflib.SequenceMatcher(None, word.lower(), one).ratio() for one in words}
    alike = sorted((one for one in words if likeness[one] >= LIKE), key=lambda one: -likeness[one])
    return [one for one in alike if likeness[one] >= likeness[alike[0]] - NEARLY][:3]


def any_of(words: Iterable[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def few_of(words: Iterable[str], command: str) -> str:
    """The words where they fit a line; of more, the first ones and the command that shows all."""
    known = list(words)
    if len(known) <= MOST_LISTED:
        return ", ".join(known)
    return f"{', '.join(known[: MOST_LISTED // 4])} and so on ({command} shows all)"


def _plain(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()

"""What the words of a text are, and texts as data sets store them."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Unit = Literal["word", "word_or_sign", "letter"]
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_WORD_OR_SIGN = re.compile(rf"{_WORD.pattern}|[^\w\s]")
_CHARACTERS = 16
"""Of a word and what follows it: few texts have longer ones on average."""


def words_of(text: str, count: int | None = None, unit: Unit = "word") -> list[str]:
    """The words of a text in lower case, with or without punctuation, or its letters. The one place that says what a
    word is: letters and digits, with apostrophes inside; each other sign is a word of its own, or none.

    Args:
        count: how many are wanted at most; of a long text the rest is not looked at.
    """
    text = unicodedata.normalize("NFC", text)
    if unit == "letter":
        return [letter for letter in text if not letter.isspace()][:count]
    text, pattern = text.lower(), _WORD if unit == "word" else _WORD_OR_SIGN
    if count is not None and len(text) > (end := _CHARACTERS * count):
        found = pattern.findall(text[:end])
        if len(found) > count:  # one more than wanted, as the last may be cut through
            return found[:count]
    return pattern.findall(text)[:count]


def bytes_of(text: str) -> Tensor:
    """A text as a data set stores it, uint8 (bytes,): for ``ragged`` of a split, under ``text``."""
    return torch.from_numpy(np.frombuffer(text.encode("utf-8", "replace"), np.uint8).copy())


def texts_of(stored: Tensor) -> list[str]:
    """Stored texts, uint8 (B, longest), as words of Python."""
    return [row.tobytes().rstrip(b"\0").decode("utf-8", "replace") for row in stored.cpu().numpy()]

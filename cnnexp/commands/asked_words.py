"""Words that a person asks a net's vectors about: which lie near one, and which answers an analogy."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

FIRST = 2
"""The number of the first word."""
_ANALOGY = re.compile(r"[^\s+-]+(?:[+-][^\s+-]+)+")
_PART = re.compile(r"([+-]?)([^+-]+)")


@dataclass(frozen=True)
class Vocabulary:
    """The words of a net and their vectors, (V, width), rows of numbers that stand for no word among them."""

    words: Sequence[str]
    vectors: Tensor

    def number(self, word: str, option: str) -> int:
        """The number of a word.

        Raises:
            InputError: it has none.
        """
        known = word if word in self.words else word.lower()
        if known not in self.words:
            instead = did_you_mean(known, self.words) or f"it knows {len(self.words):,} others"
            raise InputError(f"{option}: {word} is no word of this run; {instead}")
        return FIRST + self.words.index(known)

    def near(self, word: str, count: int) -> list[tuple[str, float]]:
        """The words nearest to one, with the cosine."""
        return self.analogous([(1, word)], count, f"--near {word}")

    def analogous(self, parts: Sequence[tuple[int, str]], count: int, option: str) -> list[tuple[str, float]]:
        """The words nearest to a sum of words, each with its sign."""
        from cnnexp.visualize.words import analogous_words

        numbers = [(sign, self.number(word, option)) for sign, word in parts]
        added, taken = ([number for sign, number in numbers if sign == wanted] for wanted in (1, -1))
        found = analogous_words(self.vectors, added, taken, FIRST, count)
        return [(self.words[number - FIRST], cosine) for number, cosine in found]


@dataclass(frozen=True)
class Answer:
    """What was asked, in words, and the words that lie there, with the cosine."""

    kind: str
    asked: str
    told: str
    found: Sequence[tuple[str, float]]

    @property
    def lines(self) -> list[str]:
        return ["", self.told, *(f"  {word:<20}{cosine:.3f}" for word, cosine in self.found)]

    @property
    def plain(self) -> list[dict[str, Any]]:
        return [{"word": word, "cosine": cosine} for word, cosine in self.found]


def add_questions(parser: argparse.ArgumentParser) -> None:
    """``--near``, ``--analogy``, ``--neighbours`` and ``--save``."""
    parser.add_argument("--near", action="append", metavar="WORD", help="words near this one too; again for more")
    parser.add_argument(
        "--analogy", action="append", metavar="A-B+C", help="what is to C as A is to B, king-man+woman; again for more"
    )
    parser.add_argument("--neighbours", type=int, metavar="N", default=8, help="of each such word [8]")
    parser.add_argument("--save", metavar="FILE", help="the vectors as text of word2vec, for model.vectors=FILE")


def answers(vocabulary: Vocabulary, near: Sequence[str], analogies: Sequence[str], count: int) -> list[Answer]:
    """Of each question.

    Raises:
        InputError: a word that has no vector, or no analogy.
    """
    found = [Answer("near", word, f"near {word}", vocabulary.near(word, count)) for word in near]
    for asked in analogies:
        parts = _parts(asked)
        told = " ".join(f"{'-' if sign < 0 else '+'} {word}" for sign, word in parts).removeprefix("+ ")
        found.append(Answer("analogies", asked, told, vocabulary.analogous(parts, count, f"--analogy {asked}")))
    return found


def _parts(asked: str) -> list[tuple[int, str]]:
    """``king-man+woman`` as words with their signs.

    Raises:
        InputError: it is not words with + and - between them.
    """
    if not _ANALOGY.fullmatch(asked):
        raise InputError(f"--analogy {asked}: expected words with + and - between them, such as king-man+woman")
    return [(-1 if sign == "-" else 1, word) for sign, word in _PART.findall(asked)]


def save(vocabulary: Vocabulary, text: str) -> str:
    """Write the vectors into a file.

    Raises:
        InputError: it cannot be written.
    """
    from cnnexp.builders.word_vectors import write_vectors

    path = Path(text).expanduser()
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InputError(f"--save {text}: name a file in a folder that is there")
    try:
        write_vectors(path, vocabulary.words, vocabulary.vectors[FIRST:])
    except OSError as error:
        from cnnexp.runs.write import disk_error

        raise disk_error(error, path.absolute().parent, "--save FILE") from error
    return str(path)

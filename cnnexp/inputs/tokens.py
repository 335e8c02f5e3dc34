"""Texts: UTF-8 bytes, uint8 (B, longest) under ``text`` and 0 after the end; nets take int64 (B, L) numbers of words.

Which words have a number is learnt from the training samples of the run, so a data set cannot store the numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.augmentation.texts import TextAugmentation
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Picture, Preparation, Samples, Shape, Truth
from cnnexp.inputs.words import Unit, bytes_of, texts_of, words_of

PADDING, UNKNOWN = 0, 1
FIRST_WORD = 2
"""The number of the most frequent word."""
_UNKNOWN_SHOWN = "□"
_CHUNK = 512


@dataclass(frozen=True)
class Tokens(Input):
    """Texts of up to so many words.

    A net's number of a word is its place among the words by frequency, from 2; 0 fills up short texts, and 1 is any
    other word. A text without a word is a single unknown one, so that none is empty.

    Args:
        vocabulary_size: words that have a number, at most: the most frequent ones of the training samples.
        length: words of a text; the rest is cut off, and shorter texts are filled up.
        at_least: how often a word has to occur to have a number.
        unit: what counts as a word: ``word``; ``word_or_sign``, where ? and , are words too; or ``letter``, every sign
            but blanks and with its case, as formulas of molecules and sequences of proteins are written.
        padding: ``length`` fills up to ``length``, ``longest`` to the longest text of the batch alone.
        words: by frequency; null is learnt from the training samples.
        texts, found_in: how many training texts there are, and in how many of them each word is found; always learnt.
        occurrences: how often in these texts each number from 1 occurs, that of unknown words first; learnt with them,
            and None of a run of an earlier version.
    """

    vocabulary_size: int
    length: int
    at_least: int = 1
    padding: Literal["length", "longest"] = "length"
    unit: Unit = "word"
    words: Sequence[str] | None = None
    texts: int | None = None
    found_in: Sequence[int] | None = None
    occurrences: Sequence[int] | None = None

    name: ClassVar[str] = "tokens"
    noun: ClassVar[str] = "text"
    compared_in: ClassVar[str] = "words"
    notation: ClassVar[str] = "L"
    sides: ClassVar[tuple[int, ...]] = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)

    @property
    def shape(self) -> Shape:
        return (self.length,)

    @property
    def vocabulary(self) -> int:
        """How many numbers there are: the rows of a net's embedding."""
        return FIRST_WORD + (self.vocabulary_size if self.words is None else len(self.words))

    def told(self) -> dict[str, Any]:
        """``texts``, ``found_in`` and ``occurrences`` are None before they are learnt."""
        return {
            "vocabulary": self.vocabulary,
            "length": self.length,
            "texts": self.texts,
            "found_in": self.found_in,
            "occurrences": self.occurrences,
        }

    def of_shape(self, shape: Shape) -> Tokens:
        if len(shape) != 1 or shape[0] < 1:
            raise InputError(f"{'x'.join(map(str, shape))}: expected the number of words of a text, for example 64")
        return replace(self, length=shape[0])

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch["tokens"],)

    def example(self, count: int, device: torch.device | str = "meta") -> tuple[Tensor, ...]:
        numbers = torch.arange(count * self.length, device=device).remainder(self.vocabulary - 1) + UNKNOWN
        return (numbers.view(count, self.length),)

    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> TokenPreparation:
        return TokenPreparation(self.words or (), self.length, self.padding, self.unit, augmentation)

    def problems(self, augmentation: Any, truths: Sequence[Truth], mixes: bool) -> list[str]:
        return []

    def read(self, path: Path) -> Batch:
        return self._stored(_read_text(path))

    def compared(self, value: Tensor) -> Tensor:
        """How often each word occurs."""
        counts = torch.zeros(len(value), self.vocabulary, device=value.device)
        return counts.scatter_add(1, value, (value != PADDING).float())

    @property
    def texts_each(self) -> int:
        return 1

    def of_texts(self, texts: Sequence[str]) -> Batch:
        """
        Raises:
            InputError: it holds no word.
        """
        (text,) = texts
        if not words_of(text, 1, self.unit):
            raise InputError(f"{text!r}: holds no {self.unit.partition('_')[0]}")
        return self._stored(text)

    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that have no number, once each."""
        return [word for word in dict.fromkeys(words_of(text, unit=self.unit)) if word not in (self.words or ())]

    @staticmethod
    def _stored(text: str) -> Batch:
        return {"text": bytes_of(text)[None], "index": torch.zeros(1, dtype=torch.int64)}

    def picture(self, path: Path) -> Picture:
        return self.pictures(self.read(path))[0]

    def pictures(self, batch: Batch) -> list[Picture]:
        from cnnexp.visualize.texts import text_picture

        return [text_picture(text) for text in texts_of(batch["text"])]

    def written(self, batch: Batch) -> list[str]:
        return texts_of(batch["text"])

    @property
    def side(self) -> int:
        return self.length

    def with_side(self, side: int) -> Tokens:
        return self.of_shape((side,))

    @property
    def setting(self) -> str:
        return f"data.length={self.length}"

    @property
    def suffixes(self) -> frozenset[str]:
        return frozenset({".txt"})

    # --- the vocabulary ----------------------------------------------------------------------------------------------

    @property
    def learns(self) -> bool:
        return self.words is None or self.found_in is None

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Tokens:
        """The words of the whole training texts, beyond ``length`` too: the vocabulary does not depend on the cut.

        Raises:
            InputError: no word occurs ``at_least`` times.
        """
        counts: Counter[str] = Counter()
        found_in: Counter[str] = Counter()
        for words in _words_of_all(split, positions, self.unit):
            counts.update(words)
            found_in.update(set(words))
        known = tuple(self.words or self._frequent(counts))
        if not known:
            raise InputError(
                f"data.at_least={self.at_least}: no word of the {len(positions)} training texts occurs so often; "
                "take a smaller number"
            )
        of_known, found = (tuple(of[word] for word in known) for of in (counts, found_in))
        occurrences = (counts.total() - sum(of_known), *of_known)
        return replace(self, words=known, texts=len(positions), found_in=found, occurrences=occurrences)

    def _frequent(self, counts: Mapping[str, int]) -> list[str]:
        by_frequency = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[: self.vocabulary_size]
        return [word for word, count in by_frequency if count >= self.at_least]

    def learnt(self) -> dict[str, Any]:
        learnt = {"words": list(self.words or ()), "texts": self.texts, "found_in": list(self.found_in or ())}
        of_earlier_version = self.words is not None and self.occurrences is None
        return learnt if of_earlier_version else {**learnt, "occurrences": list(self.occurrences or ())}

    def with_learnt(self, content: Mapping[str, Any]) -> Tokens:
        words, texts, found_in = (content.get(key) for key in ("words", "texts", "found_in"))
        occurrences = content.get("occurrences")
        if not _is_vocabulary(words):
            raise InputError("input.json: expected words, a list of different ones")
        if not isinstance(texts, int) or not _are_counts(found_in, len(words or ()), texts):
            raise InputError("input.json: expected texts, a number, and found_in, for each word a number up to that")
        if occurrences is not None and not _are_counts(occurrences, len(words or ()) + 1):
            raise InputError("input.json: expected occurrences, a number for unknown words and one for each word")
        counted = replace(self, texts=texts, occurrences=None if occurrences is None else tuple(occurrences))
        return replace(counted, words=tuple(words or ()), found_in=tuple(found_in or ()))

    def remark(self, split: Samples, name: str) -> str | None:
        """How many of the words of a split have no number, so that a net cannot tell them apart."""
        known, total, strange = set(self.words or ()), 0, 0
        for words in _words_of_all(split, np.arange(len(split)), self.unit):
            total += len(words)
            strange += sum(word not in known for word in words)
        if not total:
            return None
        return f"{len(known):,} words have numbers; of the {total:,} of {name} {strange / total:.1%} are unknown"

    def adapted(self, name: str, layer: nn.Module, given: Tensor, fresh: Tensor, theirs: Input) -> Tensor | None:
        """An embedding's weight for these words."""
        if not isinstance(layer, (nn.Embedding, nn.EmbeddingBag)) or not isinstance(theirs, Tokens):
            return None
        expected = (theirs.vocabulary, *fresh.shape[1:]), self.vocabulary
        return matched_rows(self, theirs, given, fresh) if (given.shape, len(fresh)) == expected else None


class TokenPreparation(Preparation):
    """Texts → the numbers of their words. A text is taken apart once, on the CPU, and its numbers are kept."""

    def __init__(
        self,
        words: Sequence[str],
        length: int,
        padding: Literal["length", "longest"] = "length",
        unit: Unit = "word",
        augmentation: TextAugmentation | None = None,
    ) -> None:
        super().__init__()
        self.augmentation = augmentation
        self._words = tuple(words)
        self._numbers = _Numbers(zip(words, range(FIRST_WORD, FIRST_WORD + len(words)), strict=True))
        self._length, self._padding, self._unit = length, padding, unit
        self._kept: dict[bytes, NDArray[np.int64]] = {}

    @property
    def augments(self) -> bool:
        return self.augmentation is not None and self.augmentation.active

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        text = batch["text"]
        rows = [self._numbered(row.tobytes().rstrip(b"\0")) for row in text.cpu().numpy()]
        length = self._length if self._padding == "length" else max(map(len, rows))
        tokens = np.full((len(rows), length), PADDING, np.int64)
        for filled, numbers in zip(tokens, rows, strict=True):
            filled[: len(numbers)] = numbers
        made = torch.from_numpy(tokens)
        if train and self.augmentation is not None and self.augments:
            made = self.augmentation.texts(made, batch["index"], epoch)
        return {**batch, "tokens": made.to(text.device)}

    def _numbered(self, text: bytes) -> NDArray[np.int64]:
        numbers = self._kept.get(text)
        if numbers is None:
            words = words_of(text.decode("utf-8", "replace"), self._length, self._unit)
            numbers = np.array([self._numbers[word] for word in words] or [UNKNOWN], np.int64)
            self._kept[text] = numbers
        return numbers

    def stored(self, batch: Batch) -> Batch:
        return batch

    def shown(self, batch: Batch) -> list[Picture]:
        from cnnexp.visualize.texts import text_picture

        return [text_picture(text) for text in self.said(batch)]

    def lines(self, batch: Batch) -> list[str]:
        """Of each text two lines: what is stored, and each word that the net is given with its number."""
        words = ("", _UNKNOWN_SHOWN, *self._words)
        rows = [[f"{words[number]} {number}" for number in row if number] for row in batch["tokens"].tolist()]
        texts = texts_of(batch["text"])
        return [line for text, row in zip(texts, rows, strict=True) for line in (text.strip(), f"  {' · '.join(row)}")]

    def said(self, batch: Batch) -> list[str]:
        """The words that the net was given; □ is one that has no number."""
        words = ("", _UNKNOWN_SHOWN, *self._words)
        return [" ".join(words[number] for number in row if number) for row in batch["tokens"].tolist()]


def matched_rows(own: Tokens, theirs: Tokens, weight: Tensor, fresh: Tensor) -> Tensor:
    """The rows of an embedding for another vocabulary, matched by word.

    Args:
        weight: (rows of theirs, D). fresh: (rows of own, D), which words that theirs lacks keep.

    Returns:
        As ``fresh``; padding and unknown words are taken over too.
    """
    numbers = {word: number for number, word in enumerate(theirs.words or (), start=FIRST_WORD)}
    pairs = [(PADDING, PADDING), (UNKNOWN, UNKNOWN)]
    pairs += [(row, numbers[word]) for row, word in enumerate(own.words or (), FIRST_WORD) if word in numbers]
    rows, given = torch.tensor(pairs, device=weight.device).unbind(1)
    matched = fresh.detach().clone()
    matched[rows.to(fresh.device)] = weight[given].to(fresh)
    return matched


def _words_of_all(split: Samples, positions: NDArray[np.int64], unit: Unit) -> Iterator[list[str]]:
    """The words of each text, one after another."""
    for part in torch.from_numpy(positions).split(_CHUNK):
        for text in texts_of(split.batch(part)["text"]):
            yield words_of(text, unit=unit)


class _Numbers(dict[str, int]):
    """Numbers by word; any other word is the unknown one."""

    def __missing__(self, word: str) -> int:
        return UNKNOWN


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a text in UTF-8 ({error})") from error


def _is_vocabulary(words: Any) -> bool:
    return (
        isinstance(words, (list, tuple))
        and len(words) > 0
        and all(isinstance(word, str) and word for word in words)
        and len(set(words)) == len(words)
    )


def _are_counts(numbers: Any, count: int, most: float = math.inf) -> bool:
    return (
        isinstance(numbers, (list, tuple))
        and len(numbers) == count
        and all(isinstance(number, int) and 0 <= number <= most for number in numbers)
    )

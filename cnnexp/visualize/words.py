"""Which groups of words a filter over words answers most, and which words lie near each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnexp.models.word_tables import has_word_vectors, word_vectors

CHUNK = 64


@dataclass(frozen=True)
class Loudest:
    """Of filters over ``window`` words, for each text the window that each filter answers most.

    Attributes:
        values: (N, maps) what it answers, before the ReLU. places: (N, maps) of the window; its last word has the same
            number in the text, counted from 0.
    """

    window: int
    values: Tensor
    places: Tensor

    def choosiest(self, count: int) -> list[int]:
        """The filters whose best answer stands out most: its distance from their mean over the texts, in deviations."""
        spread = self.values.std(0, correction=0).clamp(min=1e-12)
        out = (self.values.amax(0) - self.values.mean(0)) / spread
        dead = self.values.amax(0) <= 0
        return out.masked_fill(dead, -1).topk(min(count, int((~dead).sum()))).indices.tolist()

    def best(self, channel: int, grams: Sequence[Sequence[str]], count: int) -> list[tuple[str, float]]:
        """The groups of words that a filter answers most, each once, with its answer.

        Args:
            grams: the words of each text.
        """
        found: dict[str, float] = {}
        for text in self.values[:, channel].argsort(descending=True, stable=True).tolist():
            end = int(self.places[text, channel])
            words = grams[text][max(0, end - self.window + 1) : end + 1]
            found.setdefault(" ".join(words), float(self.values[text, channel]))
            if len(found) == count:
                break
        return list(found.items())


@torch.no_grad()
def loudest(answers: Callable[[Tensor], list[Tensor]], tokens: Tensor, windows: Sequence[int]) -> list[Loudest]:
    """The loudest window of each text, for each group of filters.

    Args:
        answers: texts int64 (B, L) → of each group (B, maps, L + h - 1), whose first window ends with the first word.
        tokens: (N, L). windows: h of each group.
    """
    parts = [[answer.max(2) for answer in answers(part)] for part in tokens.split(CHUNK)]
    return [
        Loudest(window, torch.cat([part[group].values for part in parts]).cpu(),
                torch.cat([part[group].indices for part in parts]).cpu())
        for group, window in enumerate(windows)
    ]  # fmt: skip


def vectors_of(net: nn.Module) -> Tensor | None:
    """The vectors of a net's words, a row for each number; None where it has none."""
    return word_vectors(net) if has_word_vectors(net) else None


def nearest_words(weight: Tensor, number: int, first: int, count: int) -> list[tuple[int, float]]:
    """The numbers of the words whose vectors have the smallest angle with one, and its cosine.

    Args:
        weight: (V, D). number: of the word. first: the number of the first word; rows before it are none.
    """
    return analogous_words(weight, [number], [], first, count)


@torch.no_grad()
def analogous_words(
    weight: Tensor, added: Sequence[int], taken: Sequence[int], first: int, count: int
) -> list[tuple[int, float]]:
    """The words nearest to a sum of directions less others, those of the question left out, with the cosine.

    Of a* : a = ? : b, asked as a* - a + b, it is 3CosAdd: Mikolov, Yih and Zweig 2013, "Linguistic regularities in
    continuous space word representations", section 4; called so by Levy and Goldberg 2014.

    Args:
        weight: (V, D). added, taken: numbers of words. first: the number of the first word; rows before it are none.
    """
    directions = nn.functional.normalize(weight.double())
    asked = directions[list(added)].sum(0) - directions[list(taken)].sum(0)
    cosines = directions @ nn.functional.normalize(asked, dim=0)
    cosines[:first] = cosines[[*added, *taken]] = -2
    best = cosines.topk(min(count, int((cosines > -2).sum())))
    return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))

"""The next word of a text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.next_word import NextWord
from cnnexp.data.base import SplitName
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.losses.term import Term
from cnnexp.models.word_numbers import PADDING
from cnnexp.statistics.kneser_ney import KneserNeyBigram
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.means import LossMeans
from cnnexp.tasks.word_map import map_of_words

PERPLEXITY = "perplexity"
_AT_ONCE = 64


class LanguageModel(Task):
    """Cross entropy of each word given those before it, a mean over all words of a batch, in nats.

    ``perplexity`` is exp of that mean over a whole split: of a word that is drawn from so many alike one would know as
    little. Words without a number are one word, in the net as in the bigrams beside it. The end of a text is not
    foretold.

    A net answers ``contexts(x)`` of texts int64 (B, L), the words before each place and before one more behind the end,
    and ``logits`` of such contexts; its classes are the numbers of words from 1.
    """

    hands: ClassVar[str | None] = "label"

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = NextWord(("□", *parts.facts.input.learnt().get("words", ())))

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        return int(facts.input.told().get("vocabulary", 1)) - 1

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        net: Any = self.net
        (text,) = self.facts.input.arguments(batch)
        there = text != PADDING
        logits, words = net.logits(net.contexts(text)[:, :-1][there]), text[there] - 1
        term = self.loss(logits, {"label": words}, stage == "train")
        count = torch.as_tensor(term.count, device=text.device)  # processes have texts of different lengths
        nats = _of_each_text(logits.detach(), words, there) if stage == "test" else None
        return StepOutput([Term(term.name, term.mean, count)], nats)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return {} if stage == "train" else {PERPLEXITY: LossMeans((PERPLEXITY,))}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.terms)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        return Readings({name: float(np.exp(metric.compute()["loss"])) for name, metric in metrics.items()})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        """Of each text its words and the mean of their losses."""
        words, nats = output.predictions.cpu().numpy()
        return {"index": batch["index"].cpu().numpy(), "words": words.astype(np.int64), "nats": nats / words}

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[NDArray[np.float32]]:
        """The probability of each word to follow each text, (K,)."""
        net: Any = self.net
        (text,) = self.facts.input.arguments(batch)
        ends = (text != PADDING).sum(1)
        contexts = net.contexts(text)[torch.arange(len(text), device=text.device), ends]
        return list(net.logits(contexts).float().softmax(1).cpu().numpy())

    def reference(self, data: Data) -> dict[str, float]:
        """The perplexity of an interpolated Kneser-Ney bigram of the same training texts, words and test."""
        bigrams = KneserNeyBigram(self._texts(data, "train"), self.num_outputs(self.facts, None))
        found = bigrams.perplexity(self._texts(data, "test"))
        return {"bigram_perplexity": found} if math.isfinite(found) else {}

    def _texts(self, data: Data, name: SplitName) -> Iterator[NDArray[np.int64]]:
        """The classes of the words of each text."""
        split = data.split(name)
        positions = data.train_positions() if name == "train" else np.arange(len(split))
        for part in torch.from_numpy(positions).split(_AT_ONCE):
            (texts,) = self.facts.input.arguments(self.preparation(split.batch(part), False, 0))
            yield from (text[text != PADDING] - 1 for text in texts.numpy())

    def gallery(self, data: Data, predictions: Columns) -> dict[str, Any]:
        return map_of_words(self.net, self.facts)


def _of_each_text(logits: Tensor, words: Tensor, there: Tensor) -> Tensor:
    """How many words each text has, and the sum of their losses: float64 (2, B)."""
    of_each = functional.cross_entropy(logits, words, reduction="none").double()
    sums = of_each.new_zeros(len(there)).index_add_(0, there.nonzero()[:, 0], of_each)
    return torch.stack([there.sum(1).double(), sums])

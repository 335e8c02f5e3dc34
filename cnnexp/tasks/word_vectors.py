"""Vectors of words, learnt from texts by nets that bring their own loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.near_words import NearWords
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.models.word_numbers import FIRST_WORD
from cnnexp.models.word_tables import word_vectors
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.finders import taken, terms, with_draws
from cnnexp.tasks.word_map import map_of_words

_AT_ONCE = 64


class WordVectors(Task):
    """A net says ``loss_terms``, and answers ``losses(x)`` of texts int64 (B, L) with a (mean, count) for each.

    What it ``takes`` it is handed by name, as nets that find objects are (``finders.py``): skip-gram and CBOW draw from
    a key of each text, in training of (seed, epoch, index), in validation and test of (seed, index). One that has to
    have counted in all training texts has a ``count(texts)``, which is handed batches of them.
    """

    answer: NearWords

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = NearWords(("", "□", *parts.facts.input.learnt().get("words", ())))
        self._seen = False

    @property
    def term_names(self) -> tuple[str, ...]:
        return tuple(self.net.loss_terms)  # type: ignore[arg-type]

    def see(self, data: Data) -> None:
        """Refuse texts in which no two words stand together; let the net count in them, if it has to.

        Raises:
            InputError: there is nothing to learn.
        """
        if self._seen or not hasattr(self.net, "losses"):
            return
        if not any(int((text >= FIRST_WORD).sum(1).max()) > 1 for text in self._texts(data)):
            raise InputError(
                f"data={self.facts.name}: no training text has two words that have a number, so no word stands beside "
                "another; take longer texts, or a smaller data.at_least"
            )
        count: Any = getattr(self.net, "count", None)
        if count is not None:
            count(self._texts(data))
        self._seen = True

    def _texts(self, data: Data) -> Iterator[Tensor]:
        """All training texts that take part, as the net takes them."""
        split = data.split("train")
        for part in torch.from_numpy(data.train_positions()).split(_AT_ONCE):
            (text,) = self.facts.input.arguments(self.preparation(split.batch(part), False, 0))
            yield text

    def prepare(self, batch: Batch, train: bool, epoch: int = 0) -> Batch:
        return with_draws(self.net, super().prepare(batch, train, epoch), self.parts.seed, train, epoch)

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        net: Any = self.net
        (text,) = self.facts.input.arguments(batch)
        return StepOutput(terms(net.losses(text, **{key: batch[key] for key in taken(net)})), text)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return {}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        return None

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        return Readings({})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        """How many words with a number a text has."""
        words = (output.predictions >= FIRST_WORD).sum(1)
        return {"index": batch["index"].cpu().numpy(), "words": words.cpu().numpy()}

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[Any]:
        """The words whose vectors lie nearest to the mean of those of each text, with the cosine."""
        (text,) = self.facts.input.arguments(batch)
        return self.answer.nearest(word_vectors(self.net), text)

    def gallery(self, data: Data, predictions: Columns) -> dict[str, Any]:
        return map_of_words(self.net, self.facts)

"""The answer to a question, one of those that the data has; and of what kind a question is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.base import Batch, Samples
from cnnexp.answers.label import Label
from cnnexp.errors import InputError
from cnnexp.inputs.words import texts_of, words_of

OTHER = "other"
"""The kind of questions that begin as few others do."""
OPENING = 2
"""Words that a question begins with and that say its kind, as in Antol et al. 2015, "VQA", figure 3."""
MOST_KINDS = 12
RAREST = 0.01
"""A kind has at least this part of the training questions."""
_AT_ONCE = 512


class Reply(Label):
    """Truth: ``label`` int64 (B,). Answer: probabilities of the answers, float (K,).

    The kinds of questions are the two words that most training questions begin with, and ``OTHER``.

    Args:
        names: of the answers. kinds: in order of how often they are met; none before they are known.
    """

    learns: ClassVar[bool] = True

    def __init__(self, names: Sequence[str] = (), kinds: Sequence[str] = ()) -> None:
        super().__init__(names)
        self.kinds = tuple(kinds)

    def learn(self, split: Samples, positions: NDArray[Any]) -> Reply:
        counts: Counter[str] = Counter()
        for part in torch.from_numpy(positions).split(_AT_ONCE):
            counts.update(_opening(text) for text in questions_of(split.batch(part)))
        frequent = sorted((-count, kind) for kind, count in counts.items() if count >= RAREST * counts.total())
        return Reply(self.names, [*(kind for _, kind in frequent[:MOST_KINDS]), OTHER])

    def learnt(self) -> dict[str, Any]:
        return {"kinds": list(self.kinds)} if self.kinds else {}

    def with_learnt(self, content: Mapping[str, Any]) -> Reply:
        kinds = content.get("kinds")
        known = isinstance(kinds, (list, tuple)) and all(isinstance(kind, str) for kind in kinds)
        if not known or len(set(kinds or ())) != len(kinds or ()) or not kinds or kinds[-1] != OTHER:
            raise InputError(f"input.json: expected kinds, different words that questions begin with, and {OTHER} last")
        return Reply(self.names, kinds)

    def kinds_of(self, batch: Batch) -> Tensor:
        """The place of each question's kind in ``kinds``, int64 (B,) on the batch's device."""
        places = {kind: place for place, kind in enumerate(self.kinds)}
        found = [places.get(_opening(text), len(self.kinds) - 1) for text in questions_of(batch)]
        return torch.tensor(found, device=batch["label"].device)


def questions_of(batch: Batch) -> list[str]:
    """The questions of a batch, stored or prepared: the text among its inputs."""
    (key,) = (key for key in batch if key.endswith(".text"))
    return texts_of(batch[key])


def _opening(text: str) -> str:
    return " ".join(words_of(text, OPENING))

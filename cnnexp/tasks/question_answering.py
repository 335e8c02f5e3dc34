"""Questions about pictures, each with one of the answers that the data has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.reply import Reply, questions_of
from cnnexp.data.base import SplitName
from cnnexp.tasks.base import Readings, Stage, StepOutput
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.means import Sums

if TYPE_CHECKING:
    from cnnexp.data.loading import Data

SHUFFLED, GUESS = "shuffled_accuracy", "guess_accuracy"
_AT_ONCE = 512


@dataclass(frozen=True)
class AskedOutput(StepOutput):
    """With the kind of each question int64 (B,), and what the net says of it beside another picture, (B, K); None where
    a batch is a single question."""

    kinds: Tensor | None = None
    of_others: Tensor | None = None


class QuestionAnswering(Classification):
    """Logits (B, K) of answers: what ``Classification`` has, and in the test also

    - the accuracy of each kind of question;
    - ``shuffled_accuracy``: where each question is asked about the picture of the next one in its batch, whose order is
      a fixed random one. What is left of the accuracy then, the net owes to the questions alone;
    - ``guess_accuracy``: of the commonest answer to the same question in training, without any net.
    """

    answer: Reply
    takes_features: ClassVar[bool] = False

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        output = super().step(batch, stage)
        if stage != "test":
            return output
        kinds, others = self.answer.kinds_of(batch), self._of_other_pictures(batch)
        return AskedOutput(output.terms, output.predictions, output.targets, kinds, others)

    def _of_other_pictures(self, batch: Batch) -> Tensor | None:
        picture, *question = self.facts.input.arguments(batch)
        return self.net(picture.roll(1, 0), *question) if len(picture) > 1 else None

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        own = {"kinds": KindHits(len(self.answer.kinds))} if stage == "test" else {}
        return {**super().build_metrics(stage), **own}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        super().update_metrics(metrics, output)
        if isinstance(output, AskedOutput) and output.kinds is not None:
            said, shuffled = (None if one is None else one.argmax(1) for one in (output.predictions, output.of_others))
            metrics["kinds"].update(output.kinds, output.targets, said, shuffled)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        found = super().read_metrics(metrics, stage)
        if stage != "test":
            return found
        asked, right, again, still_right = metrics["kinds"].compute().tolist()
        met = {kind: place for place, kind in enumerate(self.answer.kinds) if asked[place]}
        accuracy = {kind: right[place] / asked[place] for kind, place in met.items()}
        shuffled = {kind: still_right[place] / again[place] for kind, place in met.items() if again[place]}
        overall = {SHUFFLED: sum(still_right) / sum(again)} if sum(again) else {}
        counts = {"questions": {kind: asked[place] for kind, place in met.items()}}
        kinds = {"accuracy": accuracy, SHUFFLED: shuffled}
        return Readings({**found.values, **overall}, found.vectors, found.tables, counts, kinds=kinds)

    def reference(self, data: Data) -> dict[str, float]:
        """The commonest answer to a question among the training ones; to one that is not there the commonest of all."""
        answers: dict[str, Counter[int]] = defaultdict(Counter)
        everything: Counter[int] = Counter()
        for text, label in _asked(data, "train", data.train_positions()):
            answers[text][label] += 1
            everything[label] += 1
        asked = _asked(data, "test", np.arange(len(data.split("test"))))
        right = [label == _commonest(answers.get(text, everything)) for text, label in asked]
        return {GUESS: sum(right) / len(right)}

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        return {**super().rows(batch, output), "question": np.array(questions_of(batch))}


class KindHits(Sums):
    """For each kind how many questions were asked, and how many answers are right; then both beside other pictures.

    Args:
        kinds: how many there are.
    """

    def __init__(self, kinds: int) -> None:
        super().__init__(4 * kinds, torch.int64)

    @torch.no_grad()
    def update(self, kinds: Tensor, targets: Tensor, said: Tensor, shuffled: Tensor | None) -> None:
        """Count a batch, int64 (B,) each."""
        sums = self._on(targets.device).view(4, -1)
        for place, answers in ((0, said), (2, shuffled)):
            if answers is not None:
                sums[place].index_add_(0, kinds, torch.ones_like(kinds))
                sums[place + 1].index_add_(0, kinds, (answers == targets).long())

    def compute(self) -> Tensor:
        """Counts, int64 (4, kinds)."""
        return self.total().view(4, -1)


def _asked(data: Data, split: SplitName, positions: np.ndarray) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for part in torch.from_numpy(positions).split(_AT_ONCE):
        batch = data.split(split).batch(part)
        found += zip(questions_of(batch), batch["label"].tolist(), strict=True)
    return found


def _commonest(counts: Counter[int]) -> int:
    return min(counts, key=lambda label: (-counts[label], label))

"""Objects by a net that gives each pixel a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns, Samples
from cnnexp.answers.instances import Instances, unpadded
from cnnexp.augmentation.motion import VOID
from cnnexp.data.facts import Facts
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.cutting import Cut, Cutting, mask_to_learn
from cnnexp.tasks.outlined import answers_of, judged_answers, metrics_of_masks, read_masks, rows_of_masks


class PixelsCounted(Instances):
    """Objects whose classes are counted as the loss has them: pixels of the background, the classes, the border."""

    def __init__(self, names: Sequence[str], border: int) -> None:
        super().__init__(names)
        self.border = border

    def counts(self, split: Samples, positions: NDArray[np.int64]) -> list[int]:
        counts = torch.zeros(VOID + 1, dtype=torch.int64)
        for part in torch.from_numpy(positions).split(256):
            mask = mask_to_learn(split.batch(part), len(self.names), self.border)
            counts += torch.bincount(mask.flatten(), minlength=VOID + 1)
        return counts[: len(self.names) + 2].tolist()


class Components(Task):
    """A net of pixels learns the classes of objects, and the border between two that touch (in place of the weights of
    Ronneberger et al. 2015, equation 2); its mask is cut into objects. Judged as nets that find objects are.

    Args:
        cut, border, smallest, apart: as ``Cutting`` has them.
    """

    hands: ClassVar[str | None] = "mask"
    takes_terms: ClassVar[bool] = True
    on_frames: ClassVar[bool] = True
    first_named: ClassVar[int] = 1
    """Which of its net's outputs the first class is; the background comes before it."""
    answer: Instances

    def __init__(self, parts: Parts, *, cut: Cut, border: int, smallest: int, apart: int) -> None:
        super().__init__(parts)
        answer = parts.facts.targets[parts.target or "instances"]
        assert isinstance(answer, Instances)
        self.answer, self.cutting = PixelsCounted(answer.names, border), Cutting(cut, border, smallest, apart)

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        """The background, the classes, and the border."""
        return len(facts.names(target)) + 2

    def counts(self, batch: Batch) -> Mapping[str, int | Tensor]:
        return super().counts(self._to_learn(batch))

    def _to_learn(self, batch: Batch) -> Batch:
        return {"mask": mask_to_learn(batch, len(self.answer.names), self.cutting.border)}

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        assert self.loss is not None
        logits = self.outputs(batch)
        terms = self.loss.terms(logits, self._to_learn(batch), stage == "train")
        return StepOutput(terms) if stage == "train" else StepOutput(terms, self._cut(logits), unpadded(batch))

    def judge(self, answer: Any, batch: Batch, stage: Stage) -> StepOutput:
        return judged_answers(answer, self.facts.input.arguments(batch)[0], batch)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return metrics_of_masks(stage, len(self.answer.names))

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.predictions, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        return read_masks(metrics, stage, len(self.answer.names))

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        return rows_of_masks(batch, output.predictions)

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[dict[str, np.ndarray]]:
        """For each picture boxes (n, 4) as parts of its width and height, scores (n,), labels (n,), masks (n, H, W)."""
        return answers_of(self._cut(self.outputs(batch)), self.facts.input.arguments(batch)[0])

    def _cut(self, logits: Tensor) -> list[dict[str, Tensor]]:
        probabilities = logits.detach().float().softmax(1).cpu().numpy()
        return [
            {name: one.to(logits.device) for name, one in self.cutting(picture).items()} for picture in probabilities
        ]

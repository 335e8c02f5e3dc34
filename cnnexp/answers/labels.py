"""None, one or several classes for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from cnnexp.answers.base import Answer, Batch, Picture

if TYPE_CHECKING:
    from PIL import Image

THERE_FROM = 0.5
"""The probability from which a class counts as being there."""
NOTHING = "nothing"


class Labels(Answer):
    """Truth: ``labels`` uint8 (B, K) of 0 and 1, the classes of a sample's boxes, or its one label. Answer: a
    probability for each class, float (K,)."""

    keys: ClassVar[tuple[str, ...]] = ("labels",)

    def shown(self, batch: Batch) -> Tensor:
        """Which classes are in which sample, floats 0 or 1 of (B, K)."""
        classes = len(self.names)
        if "labels" in batch:
            return batch["labels"].float()
        if "classes" not in batch:
            return one_hot(batch["label"], classes).float()
        there = batch["classes"].new_zeros(len(batch["classes"]), classes + 1)
        # what fills up the rows of boxes, NO_CLASS = -1, falls into a column of its own, the last
        return there.scatter(1, batch["classes"] % (classes + 1), 1)[:, :classes].float()

    def words(self, there: NDArray[np.bool_]) -> str:
        """The classes that are there, or that there is none."""
        return " + ".join(self.names[i] for i in np.flatnonzero(there)) or NOTHING

    def as_json(self, answer: NDArray[Any], picture: Picture) -> dict[str, Any]:
        order = np.argsort(-answer, kind="stable")
        named = [{"label": self.names[i], "probability": round(float(answer[i]), 6)} for i in order]
        return {"labels": [one for one in named if one["probability"] >= THERE_FROM], "all": named}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        there = [one["label"] for one in row["labels"]]
        return [
            f"{one['label']:<24}{one['probability']:.4f}{'' if one['label'] in there else '  not there'}"
            for one in row["all"]
        ]

    def image(self, picture: Picture, answer: NDArray[Any], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.grid import grid_image

        there = answer >= THERE_FROM
        true = there if truth is None else self.shown(truth)[0].bool().numpy()
        return grid_image([picture], [self._caption(there, true)], marked=[] if (there == true).all() else [0])

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        from cnnexp.visualize.grid import grid_image

        found = np.stack(answers) >= THERE_FROM
        shown = self.shown(batch).bool().cpu().numpy()
        captions = [self._caption(*pair) for pair in zip(found, shown, strict=True)]
        wrong = np.flatnonzero((found != shown).any(1)).tolist()
        return {"predictions": grid_image(pictures, captions, columns=10, marked=wrong)}

    def _caption(self, there: NDArray[np.bool_], true: NDArray[np.bool_]) -> str:
        found = self.words(there)
        return found if (there == true).all() else f"{found} not {self.words(true)}"

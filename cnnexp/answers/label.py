"""One class for each sample, or for each part of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.base import Answer, Batch, Picture, Samples, counted

if TYPE_CHECKING:
    from PIL import Image

SHOWN = 5
"""The best classes are told, so many of them."""
_SHEET_PX = 1000


class Label(Answer):
    """Truth: ``label`` int64 (B,), or (B, T) for T parts. Answer: probabilities of classes, float (K,) or (K, T)."""

    keys: ClassVar[tuple[str, ...]] = ("label",)

    def mixed(self, batch: Batch, partner: Tensor) -> Batch | None:
        return {"mixed_label": batch["label"].index_select(0, partner)}

    def renumbered(self, batch: Batch, numbers: Tensor) -> Batch:
        return {"label": numbers[batch["label"].long()]}

    def counts(self, split: Samples, positions: NDArray[np.int64]) -> list[int]:
        labels, chosen = split.labels_for_strata(), torch.from_numpy(positions)
        if labels is None:
            labels = torch.cat([split.batch(part)["label"] for part in chosen.split(256)])
            return counted(labels, len(self.names))
        return counted(labels[chosen], len(self.names))

    def marks(self, batch: Batch, place: int) -> dict[str, Any]:
        if "mix" not in batch:
            return {"caption": self._words(batch["label"][place].reshape(-1).tolist())}
        own, other = (f"{share:.2f}" for share in (float(batch["mix"][place]), 1 - float(batch["mix"][place])))
        first, second = (self.names[int(batch[key][place])] for key in ("label", "mixed_label"))
        return {"caption": "" if own == "1.00" else f"{own} {first} + {other} {second}"}

    def of_probabilities(self, probabilities: NDArray[np.float32]) -> list[Any]:
        return list(probabilities)

    def as_json(self, answer: NDArray[Any], picture: Picture) -> dict[str, Any]:
        if answer.ndim > 1:
            best, sure = answer.argmax(0), answer.max(0)
            return {
                "parts": [
                    {"label": self.names[one], "probability": round(float(p), 6)}
                    for one, p in zip(best, sure, strict=True)
                ]
            }
        best = np.argsort(-answer)[:SHOWN]
        top = [{"label": self.names[i], "probability": round(float(answer[i]), 6)} for i in best]
        return {**top[0], "top": top}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        if "parts" in row:
            return [f"{place:<6}{one['label']:<23} {one['probability']:.4f}" for place, one in enumerate(row["parts"])]
        return [f"{one['label']:<23} {one['probability']:.4f}" for one in row["top"]]

    def image(self, picture: Picture, answer: NDArray[Any], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.grid import grid_image

        best = answer.argmax(0).reshape(-1).tolist()
        true = best if truth is None else truth["label"].reshape(-1).tolist()
        sure = f" {float(answer.max()):.2f}" if answer.ndim == 1 else ""
        said = f", is {self._words(true)}" if true != best else ""
        return grid_image([picture], [f"{self._words(best)}{sure}{said}"], marked=[0] if said else [])

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        from cnnexp.visualize.grid import grid_image

        best = [one.argmax(0).reshape(-1).tolist() for one in answers]
        true = [one.reshape(-1).tolist() for one in batch["label"]]
        wrong = [place for place, (one, other) in enumerate(zip(best, true, strict=True)) if one != other]
        captions = [
            self._words(one) + (f" not {self._words(other)}" if one != other else "")
            for one, other in zip(best, true, strict=True)
        ]
        return {"predictions": grid_image(pictures, captions, columns=_columns(pictures), marked=wrong)}

    def _words(self, classes: Sequence[int]) -> str:
        """The class, or each stretch of parts of one class with its length: ``normal 11, abnormal 1``."""
        runs = [(self.names[one], len(list(members))) for one, members in groupby(classes)]
        return runs[0][0] if len(classes) == 1 else ", ".join(f"{name} {count}" for name, count in runs)

    def draw_tables(self, tables: Mapping[str, np.ndarray], folder: Path, title: str) -> None:
        from cnnexp.visualize.confusion import draw_confusion

        if "confusion" in tables:
            draw_confusion(tables["confusion"], self.names, folder / "confusion.png", title=title)


def _columns(pictures: Sequence[Picture]) -> int:
    """Pictures in a row: ten small ones, fewer wide ones."""
    return max(1, min(10, _SHEET_PX // pictures[0].shape[1]))

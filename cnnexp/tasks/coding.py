"""What tasks share whose nets put a picture into a code and make a picture of a code."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.coded import Coded
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.inputs.base import Picture
from cnnexp.tasks.base import Parts, Task

LABEL, CODE = "label", "code"
"""Columns of a test's predictions: the class, where the data has classes, and the code, (N, d)."""
QUERIES, NEAREST = 10, 8
MAP_SIDE = 20
"""Codes along each side of the map of a code of two numbers."""
_AT_ONCE = 256


class Coding(Task):
    """Pictures in [0, 1] through a code. What the codes of a test look like is drawn once it is over."""

    normalises: ClassVar[bool] = False
    answer: Coded

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = Coded()

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        return facts.input.shape[0]

    @abstractmethod
    def decoded(self, codes: Tensor) -> Tensor:
        """Pictures (B, C, H, W) in [0, 1] of codes (B, d)."""

    @abstractmethod
    def map_axes(self, codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The numbers along both sides of the map of a code of two numbers, from the test's codes (N, 2)."""

    def coded(self, batch: Batch, codes: Tensor | None) -> Columns:
        """The columns of a test batch that the gallery is drawn from."""
        if codes is None:
            return {}
        own = {LABEL: batch[LABEL].cpu().numpy()} if LABEL in batch and LABEL in self.facts.targets else {}
        return {**own, CODE: codes.float().cpu().numpy()}

    @torch.no_grad()
    def pictures_of(self, codes: NDArray[Any]) -> list[Picture]:
        """uint8 (H, W, C) of each code of (N, d)."""
        given = torch.from_numpy(np.asarray(codes, np.float32))
        dtype = next(self.net.parameters()).dtype
        return [one for part in given.split(_AT_ONCE) for one in in_bytes(self.decoded(part.to(self.device, dtype)))]

    def gallery(self, data: Data, predictions: Columns) -> dict[str, Any]:
        if CODE not in predictions:
            return {}
        codes, labels = predictions[CODE].astype(np.float64), predictions.get(LABEL)
        names = () if labels is None else self.facts.names(LABEL)
        found = {"codes": self.answer.scattered(codes, labels, names)}
        queries = _queries(labels, len(codes))
        near = nearest(codes, queries, NEAREST)
        shown = self.test_pictures(data, predictions["index"][near.ravel()])
        captions = [""] * near.size if labels is None else [names[labels[place]] for place in near.ravel()]
        found["neighbours"] = self.answer.neighbours(shown, captions, near.shape[1])
        if codes.shape[1] == 2:
            across, up = self.map_axes(codes)
            grid = np.stack(np.meshgrid(across, up), 2).reshape(-1, 2)
            found["code_map"] = self.answer.code_map(self.pictures_of(grid), across, up)
        return found

    def test_pictures(self, data: Data, places: NDArray[np.int64]) -> list[Picture]:
        """Test pictures as the net has them, uint8 (H, W, C)."""
        stored = data.split("test").batch(torch.from_numpy(places))
        return self.facts.input.pictures(self.preparation.stored(stored))


def in_bytes(pixels: Tensor) -> list[Picture]:
    """Pictures (B, C, H, W) in [0, 1] as uint8 (H, W, C)."""
    whole = pixels.float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return list(whole.permute(0, 2, 3, 1).cpu().numpy())


def nearest(codes: NDArray[np.float64], queries: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Each query with the places of its nearest codes by Euclidean distance, itself first: (Q, count + 1)."""
    distances = np.stack([np.square(codes - codes[query]).sum(1) for query in queries])
    distances[np.arange(len(queries)), queries] = -1  # itself first, whatever else has its code
    found: NDArray[np.int64] = np.argsort(distances, axis=1, kind="stable")[:, : count + 1]
    return found


def _queries(labels: NDArray[np.int64] | None, count: int) -> NDArray[np.int64]:
    """The first test picture of each class, of up to ten; else some that lie evenly."""
    if labels is not None:
        return np.sort(np.unique(labels, return_index=True)[1])[:QUERIES]
    return np.unique(np.linspace(0, count - 1, min(QUERIES, count)).round().astype(np.int64))

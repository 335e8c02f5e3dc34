"""One or several numbers for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.base import Answer, Batch, Picture, Samples
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

READ_AT_ONCE = 1024
PAIRS = "pairs"
"""The test's table of true and predicted numbers, (N, 2K)."""


class Value(Answer):
    """Truth: ``value`` float32 (B, K), in its own units. Answer: numbers in the same units, float (K,).

    The mean and the standard deviation of the training samples make numbers of all units comparable to a net; they are
    learnt with the input.

    Args:
        names: of the K numbers. mean, std: (K,), of the training samples; None before they are known.
    """

    keys: ClassVar[tuple[str, ...]] = ("value",)
    learns: ClassVar[bool] = True

    def __init__(
        self, names: Sequence[str] = (), mean: Sequence[float] | None = None, std: Sequence[float] | None = None
    ) -> None:
        super().__init__(names)
        self.mean = tuple(mean) if mean is not None else None
        self.std = tuple(std) if std is not None else None

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Value:
        """With the mean and the standard deviation (of N, not N - 1) of these samples.

        Raises:
            InputError: a number is not finite, or all are equal, so that there is nothing to learn.
        """
        chosen = torch.from_numpy(positions).split(READ_AT_ONCE)
        values = torch.cat([split.batch(part)["value"] for part in chosen]).double()
        if values.shape[1] != len(self.names):
            raise InputError(f"data.classes names {len(self.names)} numbers, each sample has {values.shape[1]}")
        for name, column in zip(self.names, values.T, strict=True):
            wrong = int((~column.isfinite()).sum())
            if wrong:
                raise InputError(f"{name}: {wrong} of {len(column)} training samples have no finite number")
            if float(column.std(correction=0)) == 0:
                raise InputError(f"{name}: is {float(column[0]):g} in all training samples; there is nothing to learn")
        return Value(self.names, values.mean(0).tolist(), values.std(0, correction=0).tolist())

    def learnt(self) -> dict[str, Any]:
        return {} if self.mean is None or self.std is None else {"mean": list(self.mean), "std": list(self.std)}

    def with_learnt(self, content: Mapping[str, Any]) -> Value:
        mean, std = ([float(one) for one in content.get(key, ())] for key in ("mean", "std"))
        if not len(mean) == len(std) == len(self.names) or not all(np.isfinite([*mean, *std])) or min(std) <= 0:
            raise InputError(f"no mean and standard deviation for each of {', '.join(self.names)}")
        return Value(self.names, mean, std)

    def standardised(self, value: Tensor) -> Tensor:
        """(B, K) in their own units → without units, of mean 0 and standard deviation 1 over the training samples."""
        mean, std = self._scale(value)
        return (value - mean) / std

    def in_units(self, standardised: Tensor) -> Tensor:
        """The other way round."""
        mean, std = self._scale(standardised)
        return standardised * std + mean

    def _scale(self, like: Tensor) -> tuple[Tensor, Tensor]:
        count = len(self.names)
        mean, std = self.mean or (0.0,) * count, self.std or (1.0,) * count
        return like.new_tensor(mean), like.new_tensor(std)

    def marks(self, batch: Batch, place: int) -> dict[str, Any]:
        return {"caption": self._words(batch["value"][place].tolist())}

    def as_json(self, answer: NDArray[Any], picture: Picture) -> dict[str, Any]:
        return {"values": {name: float(f"{one:.6g}") for name, one in zip(self.names, answer.tolist(), strict=True)}}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        return [f"{name:<24}{_figure(one)}" for name, one in row["values"].items()]

    def image(self, picture: Picture, answer: NDArray[Any], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.grid import grid_image

        true = None if truth is None else truth["value"][0].tolist()
        return grid_image([picture], [self._caption(answer.tolist(), true)])

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        from cnnexp.visualize.grid import grid_image

        truths = batch["value"].cpu().tolist()
        captions = [self._caption(one.tolist(), true) for one, true in zip(answers, truths, strict=True)]
        return {"predictions": grid_image(pictures, captions, columns=8)}

    def draw_tables(self, tables: Mapping[str, np.ndarray], folder: Path, title: str) -> None:
        if PAIRS in tables:
            from cnnexp.visualize.predicted import draw_predicted

            draw_predicted(tables[PAIRS], self.names, folder / "predicted.png", title=title)

    def _caption(self, said: Sequence[float], true: Sequence[float] | None) -> str:
        return self._words(said) if true is None else f"{self._words(said)}, is {self._words(true)}"

    def _words(self, values: Sequence[float]) -> str:
        return " ".join(_figure(one) for one in values)


def _figure(value: float) -> str:
    return f"{value:.4g}"

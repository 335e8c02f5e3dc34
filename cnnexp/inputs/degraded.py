"""Pictures on their way to a net that restores them: cropped to train with, and degraded beside what is true."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor

from cnnexp.inputs.base import Batch, Picture, Preparation
from cnnexp.inputs.pictures import PicturePreparation, as_pictures

GIVEN = "given"
"""The key of what a net is given; the picture itself is what it shall answer."""


class Degradation(Protocol):
    """What is done to pictures (B, C, H, W) in [0, 1] before a net is asked to undo it."""

    def fitted(self, picture: Tensor) -> Tensor:
        """As much of pictures as can be degraded without a rest, of any type."""
        ...

    def __call__(self, picture: Tensor, index: Tensor, epoch: int | None) -> Tensor:
        """What is given in place of fitted pictures; ``epoch`` is None in evaluations."""
        ...


class DegradedPictures(Preparation):
    """Training batches have what is given under ``GIVEN``; a file that somebody asks about is given as it is.

    Args:
        pictures: what prepares them without. crop: side of the training crops.
    """

    def __init__(self, pictures: PicturePreparation, degradation: Degradation, crop: tuple[int, int]) -> None:
        super().__init__()
        self.pictures, self.degradation = pictures, degradation
        pictures.crop_training(crop)

    @property
    def augments(self) -> bool:
        return True

    def learn(self, split: object) -> None:
        """Let the augmentation see training pictures, where it has to."""
        self.pictures.learn(split)  # type: ignore[arg-type]

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        prepared = self.pictures(batch, train, epoch)
        if train:
            return self._with_given(prepared, prepared["image"], epoch)
        # what was given in place of stored pictures has their precision, and is to have the net's
        return {**prepared, GIVEN: prepared[GIVEN].to(prepared["image"])} if GIVEN in prepared else prepared

    def stored(self, batch: Batch) -> Batch:
        return self.pictures.stored(batch)

    def examined(self, batch: Batch) -> Batch:
        """A batch that was stored or prepared, with what a net is given of it in an evaluation."""
        if GIVEN in batch:
            return batch
        picture = batch["image"]
        return self._with_given(batch, picture if picture.is_floating_point() else picture.float() / 255, None, picture)

    def shown(self, batch: Batch) -> list[Picture]:
        """What is given at the left, what is asked for at the right."""
        asked = self.pictures.shown(batch)
        if GIVEN not in batch:
            return asked
        given = given_in(batch)
        return [np.concatenate([_as_large(one, other), other], 1) for one, other in zip(given, asked, strict=True)]

    def _with_given(self, batch: Batch, picture: Tensor, epoch: int | None, shown: Tensor | None = None) -> Batch:
        fitted = self.degradation.fitted(picture)
        given = self.degradation(fitted, batch["index"], epoch)
        return {**batch, "image": fitted if shown is None else self.degradation.fitted(shown), GIVEN: given}


def given_in(batch: Batch) -> list[Picture]:
    """What a net is given in a batch, uint8 (H, W, C) each."""
    return as_pictures(batch[GIVEN].float().clamp(0, 1).mul(255).round().byte())


def _as_large(picture: Picture, other: Picture) -> Picture:
    """Each pixel a square, where a picture is a whole number of times smaller than another."""
    factor = other.shape[0] // picture.shape[0]
    return picture.repeat(factor, 0).repeat(factor, 1)

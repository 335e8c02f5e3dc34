"""What every form of answer knows, of the truth in a batch and of what a net says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.motion import Motion

if TYPE_CHECKING:
    from PIL import Image

Batch = dict[str, Tensor]
Columns = dict[str, np.ndarray]
Picture = NDArray[np.uint8]
"""(H, W, C), as ``Input.pictures`` shows a sample."""


class Samples(Protocol):
    """What truth is counted in: a split of a data set."""

    def batch(self, positions: Tensor) -> Batch: ...

    def labels_for_strata(self) -> Tensor | None: ...


class Answer(ABC):
    """One form of answer. It is used for both sides: the truth that a data set gives, and what nets say.

    Args:
        names: of the classes that the numbers 0, 1, ... stand for; none for answers without classes.
    """

    keys: ClassVar[tuple[str, ...]] = ()
    """The tensors of a batch that hold the truth."""
    fills: ClassVar[Mapping[str, float]] = {}
    """For keys of which samples have different numbers: what shorter ones are filled up with in a batch."""
    dense: ClassVar[bool] = False
    """Whether there is an answer for each pixel."""
    merges: ClassVar[bool] = False
    """Whether answers are ``boxes`` (n, 4) as parts of the picture, ``scores`` and ``labels``, and nothing else but
    ``masks``, so that those to several views of a picture can be made one."""
    follows_warps: ClassVar[bool] = True
    """Whether the truth can follow where neighbouring pixels part ways."""

    open_set: ClassVar[bool] = False
    """Whether a net is asked about other classes than it was trained on, so that any data's will do."""

    whole: ClassVar[bool] = False
    """Whether it is about a file at its own size, whatever size nets were trained at."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = tuple(names)

    # --- the truth ---------------------------------------------------------------------------------------------------

    def follow(self, batch: Batch, motion: Motion) -> Batch:
        """The truth of a batch after its pictures were moved; a form that lies not in the picture stays as it is."""
        return {}

    def mixed(self, batch: Batch, partner: Tensor) -> Batch | None:
        """What a loss has to know of samples that were blended with partners (B,); None where that makes no truth."""
        return None

    def renumbered(self, batch: Batch, numbers: Tensor) -> Batch:
        """The truth of a batch, or of one sample of it, with other numbers for its classes; void and padding stay.

        Args:
            numbers: int64 (K,), the new number of each class.

        Raises:
            NotImplementedError: classes of this form are not numbered.
        """
        raise NotImplementedError

    def counts(self, split: Samples, positions: NDArray[np.int64]) -> list[int]:
        """How often each class occurs in the samples at these positions: what a loss is balanced by.

        Raises:
            NotImplementedError: classes of this form are not counted.
        """
        raise NotImplementedError

    def refuse(self, split: Samples, name: str) -> None:  # noqa: B027 - most forms take any truth
        """Look over the truth of a split before it is learnt or tested.

        Args:
            name: of the data set, for the error.

        Raises:
            InputError: some samples have a truth that is none of this form.
        """

    def marks(self, batch: Batch, place: int) -> dict[str, Any]:
        """The truth of a sample as ``visualize.sheet.Cell`` takes it: caption, mask, boxes, classes."""
        return {}

    # --- what is learnt from the training samples of a run -----------------------------------------------------------

    learns: ClassVar[bool] = False
    """Whether it has to see the training samples, as an input may have to."""

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Answer:
        """The same form of answer with what these training samples tell.

        Raises:
            InputError: nothing can be learnt of them.
        """
        return self

    def learnt(self) -> dict[str, Any]:
        """What was learnt, as JSON has it."""
        return {}

    def with_learnt(self, content: Mapping[str, Any]) -> Answer:
        """The same form of answer with what an earlier process learnt.

        Raises:
            InputError: it is not what this form learns.
        """
        return self

    # --- what a net says ---------------------------------------------------------------------------------------------

    @abstractmethod
    def as_json(self, answer: Any, picture: Picture) -> dict[str, Any]:
        """One answer as plain values; ``picture`` is the one asked about."""

    @abstractmethod
    def lines(self, row: Mapping[str, Any]) -> list[str]:
        """What ``as_json`` gave in words for a terminal."""

    @abstractmethod
    def image(self, picture: Picture, answer: Any, truth: Batch | None = None) -> Image.Image:
        """One answer drawn on its picture, beside the truth (a batch of one sample) where that is known."""

    def of_probabilities(self, probabilities: NDArray[np.float32]) -> list[Any]:
        """Answers from probabilities of classes, (B, K, ...), which were made elsewhere.

        Raises:
            NotImplementedError: answers of this form are not made of such.
        """
        raise NotImplementedError

    def frame(self, picture: Picture, answer: Any) -> Image.Image:
        """One answer drawn on a frame of a film: at the frame's own size, where the form can do with that."""
        return self.image(picture, answer)

    def saved(self, answer: Any, path: Path, source: Path) -> bytes | None:
        """One answer as the content of a file; None where its form is only drawn and told.

        Args:
            path: whose suffix says the format. source: the file that was asked about.

        Raises:
            InputError: it cannot be written in this format.
        """
        return None

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        """Pictures of a few test samples with their truth, by file name without suffix."""
        from cnnexp.visualize.canvas import above

        truths = ({name: value[i : i + 1].cpu() for name, value in batch.items()} for i in range(len(pictures)))
        images = [self.image(*one) for one in zip(pictures, answers, truths, strict=True)]
        return {"predictions": above(images)}

    def worth_showing(self, predictions: Columns, count: int) -> list[int] | None:
        """Places in the test split of samples to draw, from the test's predictions; None for some that lie evenly."""
        return None

    def draw_tables(self, tables: Mapping[str, np.ndarray], folder: Path, title: str) -> None:
        """Pictures of a test's larger results, such as a confusion matrix."""
        return None


def counted(values: Tensor, classes: int) -> list[int]:
    """How often each class number below ``classes`` occurs."""
    return torch.bincount(values.flatten(), minlength=classes)[:classes].tolist()

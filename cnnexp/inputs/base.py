"""What every kind of input knows of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.errors import InputError

Batch = dict[str, Tensor]
Shape = tuple[int, ...]
Picture = NDArray[np.uint8]
"""(H, W, C)."""


class Truth(Protocol):
    """What of an ``Answer`` a preparation has to do with: the truth goes where its sample goes."""

    keys: ClassVar[tuple[str, ...]]

    def follow(self, batch: Batch, motion: Any) -> Batch: ...

    def mixed(self, batch: Batch, partner: Tensor) -> Batch | None: ...


class Samples(Protocol):
    """What an input learns from: a split of a data set."""

    def __len__(self) -> int: ...

    def batch(self, positions: Tensor) -> Batch: ...


class Preparation(nn.Module, ABC):
    """Stored batches → what a net takes. Its buffers move with the net, and are no part of its checkpoint."""

    @abstractmethod
    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        """A batch on its way into the net: augmented in training with the draws of an epoch, counted from 0."""

    @abstractmethod
    def stored(self, batch: Batch) -> Batch:
        """The batch as an evaluation takes it (cut to size, say), in the numbers that it was stored in."""

    @abstractmethod
    def shown(self, batch: Batch) -> list[Picture]:
        """A prepared batch as pictures for a person, of the size that the net is given."""

    def drawn(self, batch: Batch) -> list[Picture]:
        """The same as large as a person likes it, where nothing is laid over it."""
        return self.shown(batch)

    def lines(self, batch: Batch) -> list[str]:
        """A prepared batch in words, where a terminal can show it beside the pictures."""
        return []

    @property
    def augments(self) -> bool:
        """Whether training samples are others in every epoch."""
        return False

    def keep_clean(self) -> None:
        """For a task that is to restore samples: training batches have them undisturbed too, under ``clean``.

        Moved, coloured and scaled alike, but without noise and holes; the key is there only where there are such.

        Raises:
            InputError: an augmentation of such samples cannot be told apart into what disturbs and what does not.
        """
        if self.augments:
            raise InputError(
                "augmentation: of such samples nothing tells what disturbs them, so that a net would learn to "
                "reproduce noise; take augmentation=none"
            )


class Input(ABC):
    """One kind of input. What a data set's YAML says of its samples is bound to the constructor's arguments."""

    name: ClassVar[str]
    """The word of ``data.input``, and of the augmentations that are for it."""
    noun: ClassVar[str] = "sample"
    compared_in: ClassVar[str] = "pixels"
    """What ``compared`` are, in a word."""
    """What one of them is called."""
    notation: ClassVar[str]
    """How a size is written, such as CxHxW."""
    sides: ClassVar[tuple[int, ...]]
    """Where one looks for a size that a net takes, ascending."""
    becomes: ClassVar[tuple[str, Mapping[str, str], str] | None] = None
    """The kind of input whose nets take it, where that is another one: a key of ``data``, the kinds for some of its
    values, and that for all others; written out, as it is read from the source. None: nets of its own kind."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Of one prepared sample."""

    @abstractmethod
    def told(self) -> dict[str, Any]:
        """What a net is told where it asks for it: arguments by name, such as ``in_channels``."""

    @property
    def demands(self) -> frozenset[str]:
        """Of what nets are told, the names that a net has to ask for: without, it would answer something else."""
        return frozenset()

    def parts_problem(self, answers: int) -> str | None:
        """Why a net with so many answers for a sample does not fit the truth, as a setting and what it should be; None
        where it does, or where a sample has one answer."""
        return None

    @abstractmethod
    def of_shape(self, shape: Shape) -> Input:
        """The same kind of input at another shape.

        Raises:
            InputError: the shape has another number of axes, or is none of this kind.
        """

    @abstractmethod
    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        """What a net is called with, from a prepared batch."""

    def replaced(self, batch: Batch, value: Tensor) -> Batch:
        """Other values for an input of a single tensor, as a batch without any truth."""
        (own,) = (key for key, given in batch.items() if given is self.arguments(batch)[0])
        return {own: value, "index": batch["index"]}

    @abstractmethod
    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> Preparation:
        """What prepares batches of it.

        Args:
            augmentation: of this kind of input; None for none. truths: of the data set, which may have to follow.
            centred: whether a mean is subtracted; without, the numbers lie in [0, 1]. channels_last: memory format.
        """

    @abstractmethod
    def read(self, path: Path) -> Batch:
        """A file as a batch of one, as the data set would store it.

        Raises:
            InputError: it cannot be read.
        """

    def read_whole(self, path: Path) -> Batch:
        """The same at the file's own size, where the data set would store it at another."""
        return self.read(path)

    @abstractmethod
    def picture(self, path: Path) -> Picture:
        """What a file holds, as a picture on which an answer can be drawn."""

    @abstractmethod
    def pictures(self, batch: Batch) -> list[Picture]:
        """Stored samples as pictures."""

    @property
    def pictured(self) -> bool:
        """Whether nets take it as a picture: rows and columns, as a preparation shows them."""
        return False

    def blank(self, batch: Batch) -> Batch:
        """Stored samples as if there was nothing in them: black, or silence."""
        return self.replaced(batch, torch.zeros_like(self.arguments(batch)[0]))

    def heard(self, batch: Batch) -> list[bytes]:
        """Stored samples as wav files for a browser; none where they make no sound."""
        return []

    def moving(self, batch: Batch) -> list[bytes]:
        """Stored samples as WebP files that move, for a browser; none where they stand still."""
        return []

    def compared(self, value: Tensor) -> Tensor:
        """What nets take, (B, …), as numbers in which samples lie near one another or far, float (B, D)."""
        return value.flatten(1).float()

    @property
    def texts_each(self) -> int:
        """Of how many texts a sample is made; 0 where it holds something else."""
        return 0

    def of_texts(self, texts: Sequence[str]) -> Batch:
        """So many texts as a batch of one."""
        raise NotImplementedError(f"{self.name} is made of no texts")

    def written(self, batch: Batch) -> list[str]:
        """Stored samples as they are read; none where they are no texts."""
        return []

    @property
    @abstractmethod
    def side(self) -> int:
        """The shortest of the axes that a net may find too short."""

    @abstractmethod
    def with_side(self, side: int) -> Input:
        """The same kind of input with all those axes so long."""

    @property
    @abstractmethod
    def setting(self) -> str:
        """The words of a command line that set those axes, such as data.image_size=[32,32]."""

    @property
    def suffixes(self) -> frozenset[str]:
        """Of the files that ``read`` takes."""
        return frozenset()

    def is_sample(self, folder: Path) -> bool:
        """Whether a folder without such files is a sample itself."""
        return False

    def example(self, count: int, device: torch.device | str = "meta") -> tuple[Tensor, ...]:
        """Arguments for a net, of this shape and with any numbers: for dry runs."""
        return (torch.empty(count, *self.shape, device=device),)

    def problems(self, augmentation: Any, truths: Sequence[Truth], mixes: bool) -> list[str]:
        """A line for each setting of an augmentation that makes no sense for such samples and truths."""
        return []

    def prepared_by(self) -> str:
        """What is done to samples before a net, for the end of a line that tells of weights from elsewhere."""
        return ""

    def described(self) -> str:
        """The shape in its notation."""
        return "x".join(map(str, self.shape))

    # --- what is learnt from the training samples of a run -----------------------------------------------------------

    @property
    def learns(self) -> bool:
        """Whether it has to see the training samples before the net is made."""
        return False

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Input:
        """The input with what these training samples tell."""
        return self

    def learnt(self) -> dict[str, Any]:
        """What was learnt, as JSON has it: the content of a run's input.json."""
        return {}

    def with_learnt(self, content: Mapping[str, Any]) -> Input:
        """The input with what an earlier process learnt.

        Raises:
            InputError: it is not what this kind of input learns.
        """
        return self

    def remark(self, split: Samples, name: str) -> str | None:
        """What is worth a line of a split that the input did not learn from, before a training.

        Args:
            name: of the split, in words.
        """
        return None

    def adapted(self, name: str, layer: nn.Module, given: Tensor, fresh: Tensor, theirs: Input) -> Tensor | None:
        """A tensor of a net for an input that learnt something else, for a net for this one; None for: as it is.

        Args:
            name, layer: of the tensor, and the module that holds it. given: its weights. fresh: those of the new net,
                whose shape the result has. theirs: the input that ``given`` was trained with.
        """
        return None


def count_of(batch: Batch) -> int:
    """Samples in a batch."""
    return len(batch["index"])

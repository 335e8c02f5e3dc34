"""Pictures made of the same noise after each epoch, as they change."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

MOST_FRAMES = 64
"""Kept in a checkpoint, beside the last: of more epochs those 1, 3, 5, …, then 1, 5, 9, …, and so on."""


class Film(nn.Module):
    """Takes one frame in each epoch, and keeps them in checkpoints.

    Attributes:
        waits: something was learnt since the last frame that this process took. A validation after the training takes
            none.
    """

    def __init__(self) -> None:
        super().__init__()
        self._frames: list[Tensor] = []
        self._numbers: list[int] = []
        self._epochs = 0
        self.waits = True

    def take(self, pictures: NDArray[np.uint8]) -> None:
        """The first frame of an epoch, uint8 (N, H, W, C) of the same shape as the others."""
        self._epochs += 1
        apart = 1 << ((self._epochs - 1) // MOST_FRAMES).bit_length()
        kept = [place for place, number in enumerate(self._numbers) if (number - 1) % apart == 0]
        taken = torch.from_numpy(np.ascontiguousarray(pictures))
        self._frames = [*(self._frames[place] for place in kept), taken]
        self._numbers = [*(self._numbers[place] for place in kept), self._epochs]
        self.waits = False

    def frames(self, most: int) -> list[tuple[int, NDArray[np.uint8]]]:
        """Some of the frames with the numbers of their epochs, from 1, the first and the last among them."""
        places = np.linspace(0, len(self._frames) - 1, min(most, len(self._frames))).round().astype(int)
        return [(self._numbers[place], self._frames[place].numpy()) for place in places]

    def reset(self) -> None:
        """The frames stay when an epoch ends."""

    def get_extra_state(self) -> dict[str, Tensor]:
        frames = torch.stack(self._frames) if self._frames else torch.empty(0, dtype=torch.uint8)
        return {"frames": frames, "numbers": torch.tensor([*self._numbers, self._epochs])}

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        self._frames = list(state["frames"])
        *self._numbers, self._epochs = state["numbers"].tolist()

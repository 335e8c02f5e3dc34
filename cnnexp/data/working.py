"""What a loader's worker does: a whole batch, or the error that kept it from one, handed over as it is."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from cnnexp.data.base import FileSplit


@dataclass(frozen=True)
class Failed:
    """Stands for a batch that could not be read. The error's note says where it arose, for ``--debug``.

    torch would raise the error anew with the worker's traceback as its message, and an error of another type where the
    type's constructor takes no message.
    """

    error: Exception


class Guarded(Dataset[dict[str, Tensor]]):
    """A split on disk of which torch's workers ask whole batches, and get a ``Failed`` where an error was raised."""

    def __init__(self, split: FileSplit) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        return self.split[position]

    def __getitems__(self, positions: Sequence[int]) -> dict[str, Tensor] | Failed:
        try:
            return self.split.batch(positions)
        except Exception as error:
            return Failed(_portable(error))


def as_it_is(batch: Any) -> Any:
    """A batch is whole already: nothing is left to collate."""
    return batch


def _portable(error: Exception) -> Exception:
    """The error as another process can have it, with a note of where it arose."""
    where = "".join(traceback.format_exception(error))
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:  # whatever a library's exception does not like about being copied
        copy = RuntimeError(f"{type(error).__name__}: {error}")
    copy.add_note(f"In a loader's worker:\n{where}")
    return copy

"""What a technique is given to look at: a picture's file, or a matrix of numbers as typed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_SIDE_PX = 400
"""A larger picture is made smaller first: windows of a few pixels would not be seen to do anything."""
MOST_NUMBERS = 10_000
_EXAMPLE = "expected a matrix of numbers, such as [[0,-1,0],[-1,4,-1],[0,-1,0]]"


@dataclass(frozen=True)
class Given:
    """Something to look at.

    Attributes:
        values: (C, H, W); of a picture 0 to 255, of a matrix as they were typed.
        name: the file, or ``the matrix``. typed: whether it was a matrix.
        shrunk_from: height and width of the file's picture, where it was made smaller.
    """

    values: NDArray[np.float64]
    name: str
    typed: bool
    shrunk_from: tuple[int, int] | None = None

    @property
    def notes(self) -> list[str]:
        """A line where something was done to the picture."""
        if self.shrunk_from is None:
            return []
        (height, width), (_, low, wide) = self.shrunk_from, self.values.shape
        return [f"{self.name}: {height}×{width} is shrunk to {low}×{wide} first"]


def is_typed(text: str) -> bool:
    """Whether the word is numbers, and no file."""
    return text.lstrip().startswith("[")


def given(text: str, grey: bool = False) -> Given:
    """The matrix as typed, or the picture of that name, at most `LONGEST_SIDE_PX` long.

    Args:
        grey: one channel of a picture in place of three.

    Raises:
        InputError: it is neither.
    """
    if is_typed(text):
        return Given(matrix(text, "")[None], "the matrix", typed=True)

    from cnnexp.inputs.picture_files import read_picture

    path, channels = Path(text), 1 if grey else 3
    pixels, (height, width) = read_picture(path, None, channels)
    shrunk = None
    if max(height, width) > LONGEST_SIDE_PX:
        scale = LONGEST_SIDE_PX / max(height, width)
        shrunk = (height, width)
        pixels, _ = read_picture(path, (max(1, round(height * scale)), max(1, round(width * scale))), channels)
    return Given(pixels.double().numpy(), path.name, typed=False, shrunk_from=shrunk)


def matrix(text: str, what: str) -> NDArray[np.float64]:
    """A matrix of numbers as typed, (h, w).

    Args:
        what: names it in the errors, with a space behind it.

    Raises:
        InputError: it is none.
    """
    import numpy as np

    rows = _parsed(text, what, _EXAMPLE)
    if not rows or not all(isinstance(row, list) and row for row in rows):
        raise InputError(f"{what}{text[:60]}: {_EXAMPLE}")
    if len({len(row) for row in rows}) > 1:
        lengths = ", ".join(str(len(row)) for row in rows[:6])
        raise InputError(f"{what}{text[:60]}: its rows have {lengths} numbers; {_EXAMPLE}")
    if not all(_is_number(value) for row in rows for value in row):
        raise InputError(f"{what}{text[:60]}: {_EXAMPLE}")
    if len(rows) * len(rows[0]) > MOST_NUMBERS:
        raise InputError(f"{what}{text[:60]}…: {len(rows)}×{len(rows[0])} are more than {MOST_NUMBERS:,} numbers")
    return np.array(rows, float)


def is_vector(text: str) -> bool:
    """Whether the word is one row of numbers, such as [1,2,3]."""
    return is_typed(text) and not text.lstrip()[1:].lstrip().startswith("[")


def vector(text: str, most: int) -> NDArray[np.float64]:
    """A row of numbers as typed, (n,).

    Args:
        most: numbers that are taken.

    Raises:
        InputError: it is none, or longer.
    """
    import numpy as np

    example = "expected a row of numbers, such as [0.1,1,0.2,0.1]"
    values = _parsed(text, "", example)
    if not values or not all(map(_is_number, values)):
        raise InputError(f"{text[:60]}: {example}")
    if len(values) > most:
        raise InputError(f"{text[:60]}…: {len(values)} numbers; take at most {most}")
    return np.array(values, float)


def refuse_steps(stride: int, padding: int) -> None:
    """Refuse ``--stride`` and ``--padding`` that no picture of this size can have.

    Raises:
        InputError: a line for each.
    """
    problems = []
    if not 1 <= stride <= LONGEST_SIDE_PX:
        problems.append(f"--stride {stride}: expected a number from 1 to {LONGEST_SIDE_PX}")
    if not 0 <= padding <= LONGEST_SIDE_PX:
        problems.append(f"--padding {padding}: expected a number from 0 to {LONGEST_SIDE_PX}")
    if problems:
        raise InputError(*problems)


def _parsed(text: str, what: str, example: str) -> list[Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{what}{text[:60]}: {example}") from None
    if not isinstance(values, list):
        raise InputError(f"{what}{text[:60]}: {example}")
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)

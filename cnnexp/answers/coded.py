"""A picture that came through a code, and what is drawn of the codes of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cnnexp.answers.base import Picture
from cnnexp.answers.picture import PictureAnswer

if TYPE_CHECKING:
    from PIL import Image


class Coded(PictureAnswer):
    """As for a reconstruction; codes are float64 (N, d), a row for each picture."""

    def scattered(self, codes: NDArray[Any], labels: NDArray[Any] | None, names: Sequence[str]) -> Image.Image:
        """Codes in the plane, coloured by class (N,) where there are classes."""
        from cnnexp.visualize.codes import codes_image

        return codes_image(codes, labels, names)

    def neighbours(self, pictures: Sequence[Picture], captions: Sequence[str], columns: int) -> Image.Image:
        """A row for each query: itself, and those of the nearest codes; those of another class are marked."""
        from cnnexp.visualize.grid import grid_image

        if not any(captions):
            return grid_image(pictures, columns=columns)
        queries = [captions[place - place % columns] for place in range(len(captions))]
        others = [place for place, query in enumerate(queries) if captions[place] != query]
        return grid_image(pictures, captions, columns=columns, marked=others)

    def code_map(self, pictures: Sequence[Picture], across: NDArray[Any], up: NDArray[Any]) -> Image.Image:
        """Pictures of the codes (across[i], up[j]), row by row in ``up``."""
        from cnnexp.visualize.codes import map_image

        return map_image(pictures, across, up)

    def interpolation(self, rows: Sequence[Sequence[Picture]]) -> Image.Image:
        """In each row a picture, what lies between, and another picture; the two are marked."""
        from cnnexp.visualize.grid import grid_image

        columns = len(rows[0])
        ends = [place for place in range(len(rows) * columns) if place % columns in (0, columns - 1)]
        return grid_image([one for row in rows for one in row], columns=columns, marked=ends)

    def sheet(self, pictures: Sequence[Picture]) -> Image.Image:
        """Pictures that were made up."""
        from cnnexp.visualize.grid import grid_image

        return grid_image(pictures, columns=10)

"""The word that follows a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from cnnexp.answers.base import Batch, Picture
from cnnexp.answers.label import Label

if TYPE_CHECKING:
    from PIL import Image


class NextWord(Label):
    """Answer: the probability of each word to be the next one, float (K,). What follows a text is not known.

    Args:
        names: of the words, unknown ones first.
    """

    keys: ClassVar[tuple[str, ...]] = ()

    def image(self, picture: Picture, answer: NDArray[Any], truth: Batch | None = None) -> Image.Image:
        return super().image(picture, answer)

    def sheets(self, pictures: Sequence[Picture], answers: Sequence[Any], batch: Batch) -> dict[str, Image.Image]:
        return {}

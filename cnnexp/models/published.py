"""What a library says of the weights that it publishes for one of its nets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Published:
    """Weights with a name, and the pictures that they were trained on.

    Attributes:
        source: the library, the net and the weights in words.
        mean, std: of each channel, pixels in [0, 1]: how pictures are to be normalised.
        resize_px: the shorter side of a picture is brought to so many pixels; then the middle is cut out,
        crop_px: a square of this side.
        interpolation: bilinear or bicubic, of that change of size.
        classes: names of the outputs; their numbers where nobody says names.
        further: gives for each output the names that it goes by as well; none where there are none.
        load: the state dict, downloaded through the library where it is not there yet.
    """

    source: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize_px: int
    crop_px: int
    interpolation: str
    classes: tuple[str, ...]
    load: Callable[[], dict[str, Tensor]]
    further: Callable[[], tuple[tuple[str, ...], ...]] = tuple

    @property
    def named(self) -> bool:
        """Whether the outputs have names."""
        return self.classes != tuple(map(str, range(len(self.classes))))

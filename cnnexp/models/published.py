"""What a library says of the weights that it publishes for one of its nets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
            None at all are a backbone's alone, behind which all is fresh.
        further: gives for each output the names that it goes by as well; none where there are none.
        load: the state dict, downloaded through the library where it is not there yet.
        task, target: what they were trained for.
        answers: name of a tensor with rows for the classes; None is the last one. Weights of a backbone alone lack it.
        in_rows: the number of classes that so many rows answer for.
        trained: arguments of the net that belong to them, where the configuration leaves these null.
        sized: the same, for a net that brings whole pictures to size; ``resize_px`` and ``crop_px`` say nothing then.
        clip: for a net that takes clips, how many frames, and height and width that each is brought to; ``crop_px`` is
            cut out of the middle, and ``resize_px`` says nothing.
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
    task: str = "classification"
    target: str = "label"
    answers: str | None = None
    in_rows: Callable[[int], int] = int
    trained: Mapping[str, Any] = field(default_factory=dict)
    sized: Mapping[str, Any] | None = None
    clip: tuple[int, tuple[int, int]] | None = None

    @property
    def named(self) -> bool:
        """Whether the outputs have names."""
        return self.classes != tuple(map(str, range(len(self.classes))))

    def whole(self, state: Mapping[str, Tensor]) -> bool:
        """Whether a file's tensors are those of the whole net, and not of a backbone alone."""
        return self.answers is None or self.answers in state

    def count(self, state: Mapping[str, Tensor]) -> int:
        """The number of classes that the whole net's tensors have answers for."""
        return self.in_rows(len(list(state.values())[-1] if self.answers is None else state[self.answers]))

    def arguments(self, model: Mapping[str, Any], alone: bool = False) -> dict[str, Any]:
        """A configuration's part for the net, with what belongs to the weights where it says nothing.

        Args:
            alone: pictures of any size are to be asked about, and no data set says theirs.
        """
        theirs = {**self.trained, **((self.sized or {}) if alone else {})}
        return {**model, **{key: value for key, value in theirs.items() if model.get(key) is None}}

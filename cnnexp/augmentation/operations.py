"""The operations of the vocabulary by the names of their keys, and what every operation is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

from cnnexp.augmentation import colour, elastic, geometry, holes, mixing, noise
from cnnexp.augmentation.lanes import Numbers

_MODULES = (geometry, elastic, colour, noise, holes, mixing)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@runtime_checkable
class Finishing(Protocol):
    """An operation on finished pictures, after geometry, colour, noise and holes."""

    lanes: ClassVar[int]

    @property
    def active(self) -> bool: ...

    def finish(self, image: Tensor, u: Numbers, white: Tensor) -> Tensor:
        """Normalised pictures (B, C, H, W), for numbers (B, lanes).

        Args:
            white: (1, C, 1, 1), the distance from black to white in each normalised channel.
        """
        ...


KINDS = (geometry.Moving, colour.Colouring, holes.Hole, Finishing)
"""What an operation of the user's own is one of; the engine has a place for each."""


def _named() -> Mapping[str, type]:
    own = [
        value
        for module in _MODULES
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "lanes")
    ]
    return MappingProxyType({_WORDS.sub("_", one.__name__).lower(): one for one in own})


VOCABULARY = _named()
"""Class of each operation by its key: ``random_resized_crop`` is ``RandomResizedCrop``."""

"""Where a tensor holds the axes of the picture, and what its positions see there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from cnnexp.anatomy.axis import PIXELS, Axis, repeated


@dataclass(frozen=True)
class Place:
    """Where a tensor holds one axis of the picture.

    Args:
        axis: what its positions see. count: how many they are.
        dim: of the tensor; None where no dimension is the picture's any more.
        inner: numbers along `dim` between two positions: more than 1 where a view has put dimensions together.
    """

    axis: Axis
    count: int
    dim: int | None
    inner: int = 1

    def gone(self) -> Place:
        """What something sees that reads all positions."""
        return self if self.dim is None else Place(self.axis.of_all(self.count), 1, None)


Seen = tuple[Place, ...]
"""An entry for each axis of the picture; none for what has nothing of it, such as weights."""


def of_picture(picture: Tensor) -> Seen:
    """The places of a batch (B, C, ...) of pictures: every dimension from the third on.

    Whole numbers stand for something each, as the words of a text do, and have no channels: (B, L).
    """
    first = 2 if picture.is_floating_point() else 1
    return tuple(Place(PIXELS, picture.shape[dim], dim) for dim in range(first, picture.ndim))


def joined(arguments: Sequence[Any], seen: Sequence[Seen], output: Tensor) -> Seen:
    """Element by element, with shapes broadcast from the right."""
    given = [(one, tensor.ndim) for one, tensor in zip(seen, tensors_of(arguments), strict=False) if one]
    if any(ndim > output.ndim for _, ndim in given):  # no rule, and dimensions have been taken together
        return hull([place for one, _ in given for place in one], len(given[0][0]))
    aligned = [_shifted(one, output.ndim - ndim) for one, ndim in given]
    return tuple(_join([one[axis] for one in aligned], output) for axis in range(len(aligned[0])))


def _join(places: Sequence[Place], output: Tensor) -> Place:
    places = [place.gone() if _spread(place, output) else place for place in places]
    alike = {(place.dim, place.inner, place.count) for place in places if place.dim is not None}
    if len(alike) != 1 or not _fits(next(place for place in places if place.dim is not None), output):
        return hull(places, 1)[0]
    whole, *rest = sorted(places, key=lambda place: place.dim is None)
    for place in rest:
        whole = replace(whole, axis=whole.axis.joined(place.axis, whole.count))
    return whole


def _spread(place: Place, output: Tensor) -> bool:
    """Whether the one position of an input stands at all positions of the output."""
    return place.dim is not None and place.count == 1 < output.shape[place.dim]


def _fits(place: Place, output: Tensor) -> bool:
    return place.dim is not None and output.shape[place.dim] == place.count * place.inner


def hull(places: Sequence[Place], axes: int) -> Seen:
    """What something sees that reads all of several tensors, their places one after another."""
    hulls = []
    for number in range(axes):
        mine = [place.gone() for place in places[number::axes]]
        first = min(place.axis.firsts[0] for place in mine)
        last = max(place.axis.lasts[0] for place in mine)
        hulls.append(Place(Axis((first,), (last,), 0), 1, None))
    return tuple(hulls)


def moved(seen: Seen, to: Callable[[int], int | None]) -> Seen:
    """The same with the dimensions exchanged; `to` answers None for one that is no more."""
    places = []
    for place in seen:
        dim = None if place.dim is None else to(place.dim)
        places.append(place.gone() if dim is None else replace(place, dim=dim))
    return tuple(places)


def _shifted(seen: Seen, by: int) -> Seen:
    return moved(seen, lambda dim: dim + by)


def _settled(place: Place, tensor: Tensor) -> Place:
    """The place with a dimension of its own, as an operation along that dimension needs it."""
    if place.dim is None:
        return place
    if place.count * place.inner != tensor.shape[place.dim]:
        return place.gone()
    return place if place.inner == 1 else Place(repeated(place.axis, place.inner), tensor.shape[place.dim], place.dim)


def along(seen: Seen, tensor: Tensor, output: Tensor, change: Callable[[Axis, int, int], Axis | None]) -> Seen:
    """Change the axes by `change(axis, dim, positions)`, which answers None for a dimension that is left as it is."""
    changed = []
    for place in seen:
        place = _settled(place, tensor)
        if place.dim is not None:
            axis = change(place.axis, place.dim, place.count)
            place = place if axis is None else Place(axis, output.shape[place.dim], place.dim)
        changed.append(place)
    return tuple(changed)


def tensors_of(arguments: Sequence[Any]) -> list[Tensor]:
    """The tensors among an operation's arguments, those in lists too, in their order."""
    listed = (given if isinstance(given, (list, tuple)) else [given] for given in arguments)
    return [one for given in listed for one in given if isinstance(one, Tensor)]

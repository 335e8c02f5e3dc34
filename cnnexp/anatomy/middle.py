"""What the unit in the middle of each layer sees of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cnnexp.anatomy.subject import Subject, or_refused
from cnnexp.anatomy.trace import Trace, traced


@dataclass(frozen=True)
class MiddleField:
    """A layer's unit in the middle and its receptive field, exact, along each axis of the picture.

    Attributes:
        name, type: of the layer. units: that it has; 1 where they are no places of the picture any more.
        unit: the one in the middle, counted from 0. size: pixels of its field, those beyond the picture too.
        first, last: pixel that it sees, within the picture. calls: how often the layer is used; its last use counts.
    """

    name: str
    type: str
    units: tuple[int, ...]
    unit: tuple[int, ...]
    size: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    calls: int = 1

    @property
    def seen(self) -> tuple[int, ...]:
        """Pixels within the picture along each axis."""
        return tuple(last - first + 1 for first, last in zip(self.first, self.last, strict=True))


def middle_fields(subject: Subject) -> list[MiddleField]:
    """Of every layer without parts, in the order in which the net comes to them.

    Raises:
        InputError: the net cannot take a sample of this size.
    """
    return or_refused(subject, lambda: _found(subject))


def pixels(subject: Subject) -> tuple[int, ...]:
    """The picture's sizes, of a net whose first argument is one: height and width, or a length."""
    first = subject.example(1, "meta")[0]
    return tuple(first.shape[2 if first.is_floating_point() else 1 :])


def _found(subject: Subject) -> list[MiddleField]:
    with torch.device("meta"):
        trace = traced(subject.net, *subject.example(1, "meta"))
    sizes = pixels(subject)
    modules = dict(subject.net.named_modules())
    leaves = (name for name in trace.modules if name and not any(True for _ in modules[name].children()))
    return [_of_layer(name, type(modules[name]).__name__, trace, sizes) for name in leaves if trace.modules[name].seen]


def _of_layer(name: str, kind: str, trace: Trace, sizes: tuple[int, ...]) -> MiddleField:
    places = trace.modules[name].seen
    unit = tuple(place.count // 2 for place in places)
    spans = [place.axis.within(at, side) for place, at, side in zip(places, unit, sizes, strict=True)]
    whole = [(place.axis.first(at), place.axis.last(at)) for place, at in zip(places, unit, strict=True)]
    return MiddleField(
        name,
        kind,
        tuple(place.count for place in places),
        unit,
        tuple(last - first + 1 for first, last in whole),
        tuple(first for first, _ in spans),
        tuple(last for _, last in spans),
        trace.modules[name].calls,
    )

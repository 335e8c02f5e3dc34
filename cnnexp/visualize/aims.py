"""What pictures are ascended for: classes, channels of a layer, or one neuron of each of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.visualize.maps import layers_with_maps
from cnnexp.visualize.until import RECTIFIERS, Reach, before_last_rectifier, shapes_of, until


@dataclass(frozen=True)
class Aims:
    """What pictures are to be changed for, one for each of them.

    Attributes:
        reach: prepared pictures → (B, K, …). numbers: of its channels, A. names: of these. what: they are, in words.
        place: row and column on the map; without, a channel's mean over all of its map.
        note: a line on where the scores are taken, if it is not where one would think.
        classes: whether the numbers are those of classes.
    """

    reach: Reach
    numbers: Sequence[int]
    names: Sequence[str]
    what: str
    place: tuple[int, ...] = ()
    note: str | None = None
    classes: bool = False

    def own(self, x: Tensor) -> Tensor:
        """The score (A,) of A pictures, each for its own channel."""
        answers = self.reach(x)
        return self._of(answers[torch.arange(len(x), device=x.device), self._channels(x)])

    @torch.no_grad()
    def each(self, x: Tensor) -> Tensor:
        """The scores (B, A) of any pictures for all channels."""
        chosen = self.reach(x)[:, self._channels(x)]
        return self._of(chosen.flatten(0, 1)).view(len(x), -1)

    def _channels(self, x: Tensor) -> Tensor:
        return torch.tensor(self.numbers, device=x.device)

    def _of(self, maps: Tensor) -> Tensor:
        """Maps (B, …) → (B,)."""
        for position in self.place or ():
            maps = maps.select(1, position)
        return maps.reshape(len(maps), -1).mean(1)


def classes(net: nn.Module, names: Sequence[str], numbers: Sequence[int], x: Tensor) -> Aims:
    """Classes of a net that answers (B, K) or (B, K, H, W), of which a class's score is the mean.

    Args:
        names: of all classes. numbers: of those that are ascended. x: a prepared picture, (1, C, H, W).
    """
    layer = before_last_rectifier(net, x)
    if layer is not None and shapes_of(net, x)[layer][0] != len(names):
        layer = None
    note = None if layer is None else f"The net ends in a rectifier: the scores are those before it, of {layer}."
    what = f"{len(numbers)} class{'' if len(numbers) == 1 else 'es'}"
    reach = net if layer is None else until(net, layer)
    return Aims(reach, numbers, [names[number] for number in numbers], what, note=note, classes=True)


def channels(
    net: nn.Module, layer: str, shape: tuple[int, ...], numbers: Sequence[int], place: tuple[int, ...] = ()
) -> Aims:
    """Channels of a layer whose answer to a picture has this shape.

    Raises:
        InputError: there is no such channel, or no such place on its map.
    """
    wrong = [number for number in numbers if number >= shape[0]]
    if wrong:
        raise InputError(f"--channel {wrong[0]}: {layer} has channels 0 to {shape[0] - 1}")
    unit = ",".join(map(str, place))
    if place and len(shape) != 3:
        raise InputError(f"--unit {unit}: {layer} has no maps, its channels are neurons; leave it out")
    if place and not (place[0] < shape[1] and place[1] < shape[2]):
        raise InputError(f"--unit {unit}: maps of {layer} go from 0,0 to {shape[1] - 1},{shape[2] - 1}")
    at = f" at {unit}" if place else ""
    rectifies = isinstance(net.get_submodule(layer), RECTIFIERS)
    note = f"{layer} is a rectifier: the scores are those before it." if rectifies else None
    names = [f"channel {number}{at}" for number in numbers]
    what = f"{len(numbers)} channel{'' if len(numbers) == 1 else 's'} of {layer}{at}"
    return Aims(until(net, layer, before_rectifier=True), numbers, names, what, place, note)


def usual_layer(net: nn.Module, x: Tensor) -> tuple[str, tuple[int, ...]] | None:
    """The code of a net that makes one; else the middle one of the layers whose maps are the smallest. With its shape.

    Args:
        x: a prepared picture, (1, C, H, W).
    """
    shapes = shapes_of(net, x)
    numbers = getattr(net, "bottleneck", None)
    if "encoder" in shapes and isinstance(numbers, int):
        # of a variational one the variances, which come behind the means, are left out
        return "encoder", (numbers, *shapes["encoder"][1:])
    layers = layers_with_maps(net, x)
    largest = max((layer.stride for layer in layers), default=None)
    deepest = [layer.name for layer in layers if layer.stride == largest]
    return (name := deepest[len(deepest) // 2], shapes[name]) if deepest else None


def evenly(of: int, most: int) -> list[int]:
    """At most so many of the numbers below ``of``, evenly from the first to the last."""
    if of <= most:
        return list(range(of))
    return [round(place * (of - 1) / max(1, most - 1)) for place in range(most)]


@torch.no_grad()
def best_of(aims: Aims, photos: Tensor, at_once: int = 16) -> tuple[Tensor, Tensor]:
    """For each aim the highest score (A,) among prepared pictures (N, C, H, W), and the number (A,) of that picture."""
    scores = torch.cat([aims.each(photos[start : start + at_once]) for start in range(0, len(photos), at_once)])
    highest = scores.max(0)
    return highest.values, highest.indices

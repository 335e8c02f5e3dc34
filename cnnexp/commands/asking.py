"""What of a net's answer is asked about: a class, a box that was found, the pixels of a class, or a part of a layer."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnexp.commands.looking import Samples, Subject, named_layer
from cnnexp.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from cnnexp.visualize.scores import Score

Box = tuple[float, float, float, float]
LOOKED_THROUGH = 20
"""So many pictures are tried for one with something to ask about, where none was chosen."""


@dataclass(frozen=True)
class Asked:
    """A score of one picture.

    Attributes:
        words: what it is of. number: the class's number among the net's outputs, where
            each picture has one. region: bool (H, W), where its cause should lie, and what that is; None: unknown.
            boxes: to draw. layer: that it is of.
    """

    score: Score
    words: str
    number: int | None = None
    region: NDArray[np.bool_] | None = None
    place: str = ""
    boxes: Sequence[Box] = ()
    layer: str | None = None


class NothingThere(InputError):
    """A picture in which the net sees nothing of what is asked about."""


def add_asked(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--class", dest="named", metavar="NAME", default=None, help="[what the net says]")
    parser.add_argument("--box", type=int, metavar="N", default=None, help="the N-th surest that a detector found [1]")
    parser.add_argument("--layer", metavar="NAME", default=None, help="a layer's mean in place of a class")
    parser.add_argument("--channel", type=int, metavar="N", default=None, help="of the layer, from 0")
    parser.add_argument("--unit", metavar="Y,X", default=None, help="one place on the channel's map")


def refuse_mixtures(arguments: argparse.Namespace) -> None:
    """Refuse options that contradict each other, before anything is opened.

    Raises:
        InputError: they do.
    """
    if arguments.layer is not None and (arguments.named is not None or arguments.box is not None):
        raise InputError("--layer: a layer is asked about in place of a class or a box; leave one out")
    if arguments.channel is not None and arguments.layer is None:
        raise InputError(f"--channel {arguments.channel}: of which layer? add --layer NAME")
    if arguments.unit is not None and arguments.channel is None:
        raise InputError(f"--unit {arguments.unit}: of which map? add --channel N")
    if arguments.unit is not None and _unit(arguments.unit) is None:
        raise InputError(f"--unit {arguments.unit}: expected row and column on the map, such as 3,5")
    if arguments.box is not None and arguments.box < 1:
        raise InputError(f"--box {arguments.box}: expected a number from 1, the surest")


def asked(subject: Subject, one: Samples, arguments: argparse.Namespace) -> Asked:
    """What the words ask about one sample.

    Raises:
        NothingThere: the net sees no such thing in it. InputError: a layer, channel or class that is not there.
        NotFitting: a net that says nothing of the kind.
    """
    from cnnexp.visualize.section import NotFitting

    x = one.prepared()
    if arguments.layer is not None:
        return _of_layer(subject, x, arguments)
    if subject.classes is None:
        raise NotFitting(f"{subject.name}: tells no classes apart; ask about a layer, --layer NAME --channel N")
    number = None if arguments.named is None else subject.number_of(arguments.named)
    if hasattr(subject.task.net, "detect"):
        return _of_box(subject, one, x, number, arguments.box or 1)
    if arguments.box is not None:
        raise InputError(f"--box {arguments.box}: {subject.name} finds no boxes; leave it out, or take --class")
    return _of_class(subject, one, x, number)


def _of_class(subject: Subject, one: Samples, x: Tensor, number: int | None) -> Asked:
    import torch

    from cnnexp.visualize.scores import class_score

    task, names = subject.task, subject.classes or ()
    with torch.no_grad():
        logits = task.net(x)
    if logits.ndim == 4:
        return _of_pixels(subject, one, logits[0], number)
    if number is None:
        number = (
            0
            if hasattr(task.answer, "in_units")
            else int(logits[0, : len(names)].reshape(len(names), -1).mean(1).argmax())
        )
    value = float(logits[0, number].mean())
    region, boxes = _true_boxes(subject, one, number)
    words = f"{names[number]} ({'number' if hasattr(task.answer, 'in_units') else 'logit'} {value:.2f})"
    place = "" if region is None else "the true box"
    return Asked(class_score(task.net, number), words, number, region, place, boxes)


def _of_pixels(subject: Subject, one: Samples, logits: Tensor, number: int | None) -> Asked:
    """A class of a net that gives each pixel one; (K, H, W)."""
    from cnnexp.visualize.place_scores import pixels_score

    names, first = subject.classes or (), subject.task.first_named
    said = logits.argmax(0) - first
    counts = [int((said == one).sum()) for one in range(len(names))]
    if number is None:
        objects = getattr(subject.task.answer, "objects", range(len(names)))
        number = max(objects, key=lambda one: counts[one])
    if not counts[number]:
        raise NothingThere(f"{one.names[0]}: no pixel of it is called {names[number]}; {_instead(names, counts)}")
    where = said == number
    words = f"{names[number]} ({counts[number]:,} pixels)"
    score = pixels_score(subject.task.net, first + number, where)
    return Asked(score, words, None, where.cpu().numpy(), "the pixels of it")


def _instead(names: Sequence[str], counts: Sequence[int]) -> str:
    there = [f"{name} ({count:,})" for name, count in zip(names, counts, strict=True) if count]
    return f"there is {', '.join(there[:8])}" if there else "take another --sample"


def _of_box(subject: Subject, one: Samples, x: Tensor, number: int | None, place: int) -> Asked:
    import torch

    from cnnexp.visualize.place_scores import box_score

    names: Sequence[str] = subject.classes or ()
    with torch.no_grad():
        (found,) = subject.task.net.detect(x)  # type: ignore[operator]
    order = found["scores"].argsort(descending=True, stable=True)
    if number is not None:
        order = order[found["labels"][order] == number]
    of = "" if number is None else f" of {names[number]}"
    if len(order) == 0:
        raise NothingThere(f"{one.names[0]}: no box{of} is found in it; take another --sample")
    if place > len(order):
        count = f"{len(order)} box{'' if len(order) == 1 else 'es'}"
        raise InputError(f"--box {place}: {count}{of} found in {one.names[0]}; take a number from 1 to {len(order)}")
    row = int(order[place - 1])
    box, label = found["boxes"][row].detach(), int(found["labels"][row])
    edges: Box = tuple(box.tolist())
    words = f"box {place}, {names[label]} (score {float(found['scores'][row]):.2f})"
    region = _inside([edges], (x.shape[-2], x.shape[-1]))
    return Asked(box_score(subject.task.net, x, box, label), words, None, region, "the box", [edges])


def _true_boxes(subject: Subject, one: Samples, number: int) -> tuple[NDArray[np.bool_] | None, list[Box]]:
    """Where the class truly is, of data that has boxes with it; None where that is unknown, or it is not there."""
    if "boxes" not in one.stored:
        return None, []
    truth = subject.task.prepare(one.stored, train=False)
    own = truth["boxes"][0][truth["classes"][0] == number]
    boxes: list[Box] = [tuple(box) for box in own.tolist()]
    height, width = subject.task.facts.input.shape[-2:]
    return (_inside(boxes, (height, width)) if boxes else None), boxes


def _inside(boxes: Sequence[Box], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie in one of the boxes."""
    import numpy as np

    rows, columns = np.ogrid[: size[0], : size[1]]
    found = np.zeros(size, bool)
    for x1, y1, x2, y2 in boxes:
        found |= (columns + 0.5 > x1) & (columns + 0.5 < x2) & (rows + 0.5 > y1) & (rows + 0.5 < y2)
    return found


def _of_layer(subject: Subject, x: Tensor, arguments: argparse.Namespace) -> Asked:
    import torch

    from cnnexp.visualize.scores import Tapped, layer_score

    net: Any = subject.task.net
    layer = named_layer([name for name, _ in net.named_modules() if name], arguments.layer)
    with torch.no_grad(), Tapped(net, layer) as tapped:
        net(x)
        try:
            output = tapped.output
        except ValueError as error:
            raise InputError(f"--layer {layer}: {error}; name a part of it") from error
    channel, place = arguments.channel, None if arguments.unit is None else _unit(arguments.unit)
    words = layer
    if channel is not None:
        if output.ndim < 2 or not 0 <= channel < output.shape[1]:
            most = output.shape[1] - 1 if output.ndim > 1 else 0
            raise InputError(f"--channel {channel}: {layer} has channels 0 to {most}")
        words += f", channel {channel}"
    if place is not None:
        if output.ndim != 4:
            raise InputError(f"--unit {arguments.unit}: {layer} has no maps, but a number for each channel")
        height, width = output.shape[2:]
        if not (place[0] < height and place[1] < width):
            raise InputError(
                f"--unit {arguments.unit}: the maps of {layer} are {height}×{width}; rows are 0 to {height - 1}, "
                f"columns 0 to {width - 1}"
            )
        words += f", unit {place[0]},{place[1]}"
    return Asked(layer_score(net, layer, channel, place), words, layer=layer)


def _unit(text: str) -> tuple[int, int] | None:
    parts = text.split(",")
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(part.isdecimal() for part in parts) else None

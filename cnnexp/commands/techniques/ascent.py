"""``cnnexp visualize ascent``: the picture that a class, a channel or one neuron answers most to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.commands.asked import settings_and_files
from cnnexp.commands.looking import WITHOUT_RUN, add_subject, named_layer, open_subject, show
from cnnexp.commands.watching import watched
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.commands.looking import Subject
    from cnnexp.inputs.base import Picture
    from cnnexp.visualize.aims import Aims
    from cnnexp.visualize.ascent import Climb
    from cnnexp.visualize.ascent_sheet import Ascended
    from cnnexp.visualize.section import Section

LINE = "the picture that a class, a channel or one neuron answers most to"
EXAMPLE = """cnnexp visualize ascent last
  cnnexp visualize ascent last --class 3 --steps 200
  cnnexp visualize ascent model=squeezenet1_0 model.weights=torchvision \\
    --class goldfish --class daisy
  cnnexp visualize ascent last --layer conv2 --channel 0,1,2 --compare 100
  cnnexp visualize ascent last --layer conv2 --channel 5 --unit 4,4
  cnnexp visualize ascent last --class 3 --from photo.png"""
PLACE = 60
MOST = 10
LARGE_PX = 64
"""Of pictures whose shorter side is longer, fewer are made in fewer steps by default, as each step takes longer."""
USUAL = {"small": (10, 64), "large": (4, 24)}
"""Pictures and steps."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "pictures to compare with [test samples]")
    parser.add_argument("--class", dest="classes", action="append", metavar="NAME", help="may be given several times")
    parser.add_argument("--layer", metavar="A", default=None, help="a layer of which channels are ascended")
    parser.add_argument("--channel", metavar="N,N,…", default=None, help="of the layer [some over all of them]")
    parser.add_argument("--unit", metavar="Y,X", default=None, help="one neuron of the channel's map [all of it]")
    parser.add_argument("--from", dest="start", metavar="FILE", default=None, help="a picture to begin with [noise]")
    parser.add_argument("--compare", type=int, metavar="N", default=0, help="so many pictures for the best one [0]")
    parser.add_argument("--count", type=int, metavar="N", default=None, help="pictures, up to 10 [10; large ones 4]")
    parser.add_argument("--steps", type=int, metavar="N", default=None, help="[64; of large pictures 24]")
    parser.add_argument("--rate", type=float, metavar="X", default=0.05, help="of the first step, of the range [0.05]")
    parser.add_argument("--l2", type=float, metavar="X", default=1e-4, help="the penalty's factor [0.0001]")
    parser.add_argument("--tv", type=float, metavar="X", default=0.0, help="factor of the total variation [0]")
    parser.add_argument("--blur", type=float, metavar="PX", default=0.0, help="every fourth step, in pixels [0]")
    parser.add_argument("--jitter", type=int, metavar="PX", default=None, help="[a 28th of the side]")
    parser.add_argument("--smooth", type=float, metavar="X", default=1.0, help="gradient over frequency^X [1]")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of noise and jitter [0]")


def run(arguments: argparse.Namespace) -> int:
    _refuse(arguments)
    if arguments.start is not None:
        arguments.files = [*arguments.files, arguments.start]
    return show(section(open_subject(arguments, "ascent"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """Some pictures ascended, with their scores before and behind."""
    import torch

    from cnnexp.inputs.pictures import Pictures
    from cnnexp.visualize.ascent import ascend, bounds, noise
    from cnnexp.visualize.ascent_sheet import Ascended, median_ratio, sheet, table
    from cnnexp.visualize.section import NotFitting, Section

    subject.refuse_others("ascent")
    if len(subject.task.turns) > 1:
        raise NotFitting(f"{subject.name}: makes pictures, and ascent needs a net that says something of them")
    given = None if arguments.start is None or subject.given is None else subject.given.prepared()
    shape = subject.task.facts.input.shape if given is None else tuple(given.shape[1:])
    normalisation = subject.normalisation
    low, high = bounds(normalisation, torch.empty(1, shape[0], 1, 1, device=subject.task.device))
    start = noise(shape, low, high, arguments.seed) if given is None else given.clamp(low, high)
    count, steps = USUAL["large" if min(shape[1:]) > LARGE_PX else "small"]
    aims = _aims(subject, arguments, start, arguments.count or count)
    how = _climb(arguments, arguments.steps or steps, min(shape[1:]))
    pictures = start.expand(len(aims.numbers), *shape).contiguous()
    *_, last = watched(ascend(aims.own, pictures, low, high, how), how.steps, "steps")
    # figures are those of the file, which has 8 bits
    seen = normalisation(normalisation.undone(last.pictures))
    rows = [
        Ascended(*one)
        for one in zip(aims.names, aims.each(start)[0].tolist(), _scores(aims, seen), last.dead, strict=True)
    ]
    if aims.classes:
        rows = _with_probabilities(rows, subject, aims.numbers, seen)
    rows, photos = _with_best(rows, subject, aims, arguments)
    shown = subject.task.preparation.shown({**Pictures.stored_as(seen)})
    return Section(
        f"{subject.name}: {aims.what}, {how.steps} steps from {arguments.start or 'noise'}",
        {"ascent": sheet(rows, shown, photos)},
        [*table(rows), *([] if aims.note is None else ["", aims.note])],
        {"steps": how.steps, "pictures": [row.figures() for row in rows], "median_ratio": median_ratio(rows)},
        "For each the picture that the net answers most to, found by following the gradient: what repeats in it is "
        "what the net goes by.",
        "It is one of many such pictures, and how the gradient is smoothed chose among them. That the net is sure of "
        "it does not make it a picture of the class.",
    )


def _refuse(arguments: argparse.Namespace) -> None:
    problems = []
    for name, least in (("steps", 1), ("count", 1), ("compare", 0), ("jitter", 0), ("seed", 0)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            problems.append(f"--{name} {value}: expected a whole number of at least {least}")
    if arguments.count is not None and arguments.count > MOST:
        problems.append(f"--count {arguments.count}: expected at most {MOST} pictures")
    for name in ("l2", "tv", "blur", "smooth"):
        if not 0 <= getattr(arguments, name) < float("inf"):
            problems.append(f"--{name} {getattr(arguments, name):g}: expected a number of at least 0")
    if not 0 < arguments.rate <= 1:
        problems.append(f"--rate {arguments.rate:g}: expected a part of the range of values, above 0 and up to 1")
    if arguments.classes and arguments.layer:
        problems.append("--class, --layer: a class is the net's answer, and no layer's; leave one out")
    if arguments.layer is None:
        problems += [f"--{one}: add --layer" for one in ("channel", "unit") if getattr(arguments, one) is not None]
    if len(arguments.classes or ()) > MOST:
        problems.append(f"--class: expected at most {MOST}")
    if arguments.channel is not None and not re.fullmatch(rf"\d+(,\d+){{0,{MOST - 1}}}", arguments.channel):
        problems.append(f"--channel {arguments.channel}: expected up to {MOST} numbers, such as 0,1,2")
    if arguments.unit is not None and not re.fullmatch(r"\d+,\d+", arguments.unit):
        problems.append(f"--unit {arguments.unit}: expected row and column on the map, such as 4,4")
    if arguments.start is not None and Path(arguments.start).is_dir():
        problems.append(f"--from {arguments.start}: a folder; name the one picture to begin with")
    _, files = settings_and_files([arguments.run, *arguments.files], f"cnnexp visualize ascent {WITHOUT_RUN}")
    if files and arguments.start is not None:
        problems.append(f"{files[0]}: beside --from, pictures to compare with are the test's; leave it out")
    elif files and not arguments.compare:
        problems.append(f"{files[0]}: to begin with it say --from {files[0]}, to compare with it --compare 1")
    if problems:
        raise InputError(*problems)


def _climb(arguments: argparse.Namespace, steps: int, side: int) -> Climb:
    from cnnexp.visualize.ascent import Climb

    jitter = side // 28 if arguments.jitter is None else arguments.jitter
    penalties = {"l2": arguments.l2, "total_variation": arguments.tv, "blur": arguments.blur}
    return Climb(steps, arguments.rate, **penalties, jitter=jitter, smooth=arguments.smooth, seed=arguments.seed)


def _aims(subject: Subject, arguments: argparse.Namespace, start: Tensor, count: int) -> Aims:
    """What the words ask for; without, classes, else numbers that the net answers, else channels of a layer."""
    import torch

    from cnnexp.visualize.aims import Aims, channels, classes, evenly, usual_layer
    from cnnexp.visualize.section import NotFitting
    from cnnexp.visualize.until import shapes_of

    net = subject.task.net
    place = tuple(map(int, arguments.unit.split(","))) if arguments.unit else ()
    if arguments.layer is not None:
        shapes = shapes_of(net, start)
        layer = named_layer(list(shapes), arguments.layer)
        words = arguments.channel.split(",") if arguments.channel else evenly(shapes[layer][0], count)
        return channels(net, layer, shapes[layer], [int(word) for word in words], place)
    with torch.no_grad():
        answer = net(start)
    names, scored = subject.classes or (), isinstance(answer, torch.Tensor) and answer.ndim in (2, 4)
    if names and scored and answer.shape[1] == len(names) + subject.task.unclassed:
        named = [subject.number_of(one) for one in arguments.classes or ()]
        return classes(net, names, named or evenly(len(names), count), start)
    if arguments.classes:
        subject.number_of(arguments.classes[0])
        raise InputError(f"--class: {subject.name} gives a picture no score for a class; take --layer")
    if scored and answer.ndim == 2:
        numbers = evenly(answer.shape[1], count)
        return Aims(net, numbers, [f"number {number}" for number in numbers], "what it answers")
    usual = usual_layer(net, start)
    if usual is None:
        raise NotFitting(f"{subject.name}: has no layer with maps to ascend")
    return channels(net, *usual, evenly(usual[1][0], count))


def _with_probabilities(
    rows: Sequence[Ascended], subject: Subject, numbers: Sequence[int], seen: Tensor
) -> list[Ascended]:
    """What the net makes of each: the probability of its class, or the part of its pixels that are called so."""
    import numpy as np
    import torch

    from cnnexp.inputs.pictures import Pictures

    with torch.no_grad():
        said = subject.task.predict({**Pictures.stored_as(seen)})
    found = []
    for row, number, one in zip(rows, numbers, said, strict=True):
        value = one.get("probabilities") if isinstance(one, dict) else one
        if isinstance(value, np.ndarray) and value.ndim == 1:
            row = replace(row, probability=float(value[number]))
        elif isinstance(value, np.ndarray) and value.ndim == 2:
            row = replace(row, part=float((value == number).mean()))
        found.append(row)
    return found


def _with_best(
    rows: list[Ascended], subject: Subject, aims: Aims, arguments: argparse.Namespace
) -> tuple[list[Ascended], list[Picture] | None]:
    """The best photograph for each, of as many as are asked for."""
    from cnnexp.visualize.aims import best_of

    if not arguments.compare:
        return rows, None
    photos = subject.of_split(arguments.compare) if arguments.start else subject.take(arguments.compare)
    values, places = (one.tolist() for one in best_of(aims, photos.prepared()))
    best = zip(rows, values, places, strict=True)
    rows = [replace(row, photo=photos.names[place], photo_score=value) for row, value, place in best]
    shown = photos.shown()
    return rows, [shown[place] for place in places]


def _scores(aims: Aims, seen: Tensor) -> list[float]:
    import torch

    with torch.no_grad():
        return aims.own(seen).tolist()

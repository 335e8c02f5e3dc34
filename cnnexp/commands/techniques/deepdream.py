"""``cnnexp visualize deepdream``: what a layer sees in a photograph, made more of."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.commands.asked import settings_and_files
from cnnexp.commands.film import WRITTEN, check_out
from cnnexp.commands.looking import WITHOUT_RUN, add_subject, named_layer, open_subject, show
from cnnexp.commands.watching import watched
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.commands.looking import Subject
    from cnnexp.inputs.base import Picture
    from cnnexp.visualize.deepdream import Dream
    from cnnexp.visualize.scores import Score
    from cnnexp.visualize.section import Section
    from cnnexp.visualize.until import Reach

LINE = "what a layer sees in a photograph, made more of (DeepDream)"
EXAMPLE = """cnnexp visualize deepdream last
  cnnexp visualize deepdream model=squeezenet1_0 model.weights=torchvision \\
    photo.jpg
  cnnexp visualize deepdream last photo.jpg --layer layer2 --channel 7
  cnnexp visualize deepdream last photo.jpg --film dream.mp4 --frames 100"""
PLACE = 70
MOST_OCTAVES, MOST_FRAMES = 12, 10_000
RATE = Fraction(25)
"""Frames a second."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "a picture of any size [a test sample]")
    parser.add_argument("--layer", metavar="A", default=None, help="[one at two thirds of the depth]")
    parser.add_argument("--channel", type=int, metavar="N", default=None, help="one of the layer's [all of them]")
    parser.add_argument("--steps", type=int, metavar="N", default=10, help="at each size, or for each frame [10]")
    parser.add_argument("--rate", type=float, metavar="X", default=0.01, help="of a step, of the range [0.01]")
    parser.add_argument("--octaves", type=int, metavar="N", default=None, help="sizes [down to half of the net's own]")
    parser.add_argument("--scale", type=float, metavar="X", default=1.4, help="from one size to the next [1.4]")
    parser.add_argument("--film", metavar="FILE", default=None, help="a film that moves closer, such as dream.mp4")
    parser.add_argument("--frames", type=int, metavar="N", default=100, help="of the film, at 25 a second [100]")
    parser.add_argument("--zoom", type=float, metavar="X", default=1.02, help="from frame to frame [1.02]")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of the jitter [0]")
    parser.set_defaults(photo=None)


def run(arguments: argparse.Namespace) -> int:
    _refuse(arguments)
    words, files = settings_and_files([arguments.run, *arguments.files], f"cnnexp visualize deepdream {WITHOUT_RUN}")
    if len(files) > 1:
        raise InputError(f"{files[1]}: it is one picture that is dreamt on; leave it out")
    # at its own size, so it is no sample of the net's
    arguments.files, arguments.photo = words[1:], files[0] if files else None
    if files and not Path(files[0]).is_file():
        raise InputError(f"{files[0]}: there is no such file")
    return show(section(open_subject(arguments, "deepdream"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """A picture and what became of it, beside each other; a film, where it is asked for."""
    from cnnexp.visualize.ascent import bounds
    from cnnexp.visualize.canvas import beside, enlarged, to_image, whole_factor
    from cnnexp.visualize.deepdream import dream, norm, strength
    from cnnexp.visualize.section import NotFitting, Section
    from cnnexp.visualize.until import until

    subject.refuse_others("deepdream")
    if len(subject.task.turns) > 1:
        raise NotFitting(f"{subject.name}: makes pictures, and deepdream needs a net that looks at them")
    stored, shown, name = _picture(subject, arguments.photo)
    normalisation = subject.normalisation
    photo, (low, high) = normalisation(stored), bounds(normalisation, stored)
    layer = _layer(subject, arguments)
    reach = until(subject.task.net, layer)
    how = _how(arguments, (photo.shape[2], photo.shape[3]), subject.task.facts.input.side)
    _try(reach, photo, how, layer)
    score = strength(reach, arguments.channel)
    dreamt = photo
    for now in watched(dream(score, photo, low, high, how), how.octaves * how.steps, "steps"):
        dreamt = now
    before, after = norm(score, photo), norm(score, normalisation(normalisation.undone(dreamt)))
    result = _coloured(shown, stored, normalisation.undone(dreamt))
    film = {} if arguments.film is None else _film(arguments, score, dreamt, (low, high), how, normalisation.undone)
    channel = "" if arguments.channel is None else f", channel {arguments.channel}"
    rise = after / before if before > 0 else None
    factor = whole_factor((shown.shape[1], shown.shape[0]), 200)
    both = [enlarged(to_image(one), factor) for one in (shown, result)]
    pictures = {"deepdream": to_image(result), "deepdream_beside": beside(both, [name, f"{layer}{channel}"])}
    times = "it was 0" if rise is None else f"{rise:.1f} times"
    size = f"{shown.shape[0]}×{shown.shape[1]}"
    lines = [f"{size}, {how.octaves} sizes of {how.steps} steps", f"norm {before:.3g} → {after:.3g}, {times}"]
    figures = {"layer": layer, "size": list(shown.shape[:2]), "octaves": how.octaves, "steps": how.steps}
    return Section(
        f"{subject.name}: {layer}{channel} dreams on {name}",
        pictures,
        [*lines, *film.values()],
        {**figures, "norm": before, "dreamt_norm": after, "ratio": rise, **film},
        "The picture changed so that the layer answers more of whatever it already answered: edges and texture of "
        "early layers, parts of things of late ones.",
        "It shows what the layer can answer to, and not what this picture was classified by.",
    )


def _refuse(arguments: argparse.Namespace) -> None:
    problems = []
    for name, least, most in (("steps", 0, None), ("octaves", 1, MOST_OCTAVES), ("frames", 2, MOST_FRAMES)):
        value = getattr(arguments, name)
        if value is not None and (value < least or (most is not None and value > most)):
            up_to = "" if most is None else f" to {most}"
            problems.append(f"--{name} {value}: expected a whole number from {least}{up_to}")
    if not 0 < arguments.rate <= 1:
        problems.append(f"--rate {arguments.rate:g}: expected a part of the range of values, above 0 and up to 1")
    for name in ("scale", "zoom"):
        if not 1 < getattr(arguments, name) <= 4:
            problems.append(f"--{name} {getattr(arguments, name):g}: expected a factor above 1 and up to 4")
    if arguments.seed < 0:
        problems.append(f"--seed {arguments.seed}: expected a whole number from 0")
    if arguments.film is not None:
        path = Path(arguments.film)
        if path.suffix.lower() not in WRITTEN:
            problems.append(f"--film {path}: films are written as {', '.join(WRITTEN)}")
        elif not path.absolute().parent.is_dir():
            problems.append(f"--film {path}: there is no folder {path.parent}; make it first")
    if problems:
        raise InputError(*problems)
    if arguments.film is not None:
        check_out(None)


def _picture(subject: Subject, path: str | None) -> tuple[Tensor, Picture, str]:
    """A picture as the net takes it, uint8 (1, C, H, W), as a person knows it, and its name."""
    from cnnexp.inputs.picture_files import read_picture
    from cnnexp.inputs.pictures import as_pictures

    input_ = subject.task.facts.input
    if path is None:
        samples = subject.take(1)
        (shown,) = samples.shown()
        batch = subject.task.preparation.stored(samples.stored)
        return input_.arguments(batch)[0], shown, samples.names[0]
    stored = input_.arguments(input_.read_whole(Path(path)))[0].to(subject.task.device)
    if input_.shape[0] == 1:
        (shown,) = as_pictures(read_picture(Path(path), None, 3)[0][None])
    else:
        (shown,) = as_pictures(stored)
    return stored, shown, Path(path).name


def _layer(subject: Subject, arguments: argparse.Namespace) -> str:
    """The layer that the words name, or one at two thirds of the depth: of blocks the whole, not a part."""
    import torch

    from cnnexp.visualize.maps import names_with_maps
    from cnnexp.visualize.section import NotFitting
    from cnnexp.visualize.until import shapes_of

    net = subject.task.net
    example = torch.zeros(1, *subject.task.facts.input.shape, device=subject.task.device)
    shapes = shapes_of(net, example)
    if arguments.layer is None:
        # behind a dense layer maps are those of pictures of one size
        before = set(takewhile(lambda name: len(shapes[name]) == 3, shapes))
        names = [name for name in names_with_maps(net, example) if name in before]
        if not names:
            raise NotFitting(f"{subject.name}: has no maps before its dense layers, to dream with")
        whole = [name for name in names if not any(name.startswith(f"{other}.") for other in names)]
        names = whole if len(whole) > 2 else names
        layer = names[round(2 / 3 * (len(names) - 1))]
    else:
        layer = named_layer(list(shapes), arguments.layer)
    if arguments.channel is not None and not 0 <= arguments.channel < shapes[layer][0]:
        raise InputError(f"--channel {arguments.channel}: {layer} has channels 0 to {shapes[layer][0] - 1}")
    return layer


def _how(arguments: argparse.Namespace, size: tuple[int, int], side: int) -> Dream:
    from cnnexp.visualize.deepdream import Dream

    octaves = arguments.octaves or 1
    while not arguments.octaves and octaves < MOST_OCTAVES and min(size) / arguments.scale**octaves >= side / 2:
        octaves += 1
    return Dream(arguments.steps, arguments.rate, octaves, arguments.scale, max(1, side // 14), arguments.seed)


def _try(reach: Reach, photo: Tensor, how: Dream, layer: str) -> None:
    """Ask the layer about the smallest and the largest size, before the long work.

    Raises:
        InputError: it takes no pictures of such a size.
    """
    import torch

    from cnnexp.visualize.deepdream import resized, sizes

    every = sizes(photo.shape[2], photo.shape[3], how.octaves, how.scale)
    for height, width in dict.fromkeys((every[0], every[-1])):
        try:
            with torch.no_grad():
                reach(resized(photo, (height, width)))
        except (RuntimeError, ValueError) as error:
            raise InputError(
                f"{layer}: takes no picture of {height}×{width} ({str(error).splitlines()[0][:80]}); "
                "take an earlier --layer, fewer --octaves, or a picture of the net's own size"
            ) from error


def _coloured(shown: Picture, stored: Tensor, dreamt: Tensor) -> Picture:
    """What was dreamt, uint8 (1, C, H, W), for a person; a net that sees grey changes the brightness alone."""
    import numpy as np

    from cnnexp.inputs.pictures import as_pictures

    (before,), (after,) = as_pictures(stored), as_pictures(dreamt)
    if shown.shape[2] == after.shape[2]:
        return after
    brighter = after.astype(np.int16) - before
    return (shown.astype(np.int16) + brighter).clip(0, 255).astype(np.uint8)


def _film(
    arguments: argparse.Namespace,
    score: Score,
    dreamt: Tensor,
    ends: tuple[Tensor, Tensor],
    how: Dream,
    undone: Callable[[Tensor], Tensor],
) -> dict[str, str]:
    """Write the film that moves closer, beginning with the picture that was dreamt."""
    from cnnexp.inputs.films import writing_film
    from cnnexp.inputs.pictures import as_pictures
    from cnnexp.runs.atomic import replacing
    from cnnexp.visualize.canvas import to_image
    from cnnexp.visualize.deepdream import zoom

    path = Path(arguments.film)
    frames = zoom(score, dreamt, *ends, how, arguments.frames, arguments.zoom)
    with replacing(path) as temporary, writing_film(temporary, WRITTEN[path.suffix.lower()], RATE) as writer:
        for number, frame in enumerate(watched(frames, arguments.frames, "frames")):
            writer.add(to_image(as_pictures(undone(frame))[0]), number / RATE)
    return {"film": str(path)}

"""``cnnexp visualize filters``: the weights of a layer as tiles, after training and as they began."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnexp.commands.looking import add_subject, named_layer, open_subject, show
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from cnnexp.commands.looking import Subject
    from cnnexp.visualize.filters import Filters
    from cnnexp.visualize.section import Section

LINE = "the filters of a layer, each as a picture of its weights"
EXAMPLE = """cnnexp visualize filters last
  cnnexp visualize filters last --before
  cnnexp visualize filters last --layer conv2
  cnnexp visualize filters model=squeezenet1_0 model.weights=torchvision"""
PLACE = 10
MOST_TILES = 256
"""So many filters of one tile each are drawn, the first ones."""
MATRIX_PX = 400
"""The wider the tiles, the fewer of them stand in a row of a matrix, but at least 16."""
MOST_CURVES = 32
MOST_LINES = 4
"""Of more maps that go into a filter over time no curves are drawn, but a tile."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "not needed: weights are looked at")
    parser.add_argument("--layer", metavar="NAME", default=None, help="as summary names it [the first with filters]")
    parser.add_argument("--channel", type=int, metavar="N", default=None, help="one filter alone, over all its maps")
    parser.add_argument("--before", action="store_true", help="beside it as the run began, on the same scale")


def run(arguments: argparse.Namespace) -> int:
    return show(section(open_subject(arguments, "filters"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """A layer's filters on one scale, with their norms."""
    from cnnexp.visualize.filters import figures_of
    from cnnexp.visualize.section import Section

    filters = _chosen(subject, arguments.layer)
    if arguments.channel is not None and not 0 <= arguments.channel < len(filters.weights):
        most = len(filters.weights) - 1
        raise InputError(f"--channel {arguments.channel}: {filters.layer} has channels 0 to {most}")
    before = _before(subject, filters.layer, arguments) if arguments.before else None
    title = f"{subject.name}: filters of {filters.layer}{_which(filters, arguments.channel)}"
    what = "its brightness" if filters.weights.shape[1] != 3 else "its colours, as far as they are not grey,"
    return Section(
        title,
        {"filters": _image(filters, before, arguments.channel, title)},
        _lines(subject, filters, before),
        dict(figures_of(filters, before)),
        f"Each tile is what a filter of {filters.layer} is to find: the weight of each pixel is {what} "
        "on one scale for all. Smooth stripes, blobs and edges have been learnt; noise has not.",
        "Weights alone do not tell how often a filter answers, nor what later layers make of it; behind the first "
        "layer a tile lies over maps, not over a picture.",
    )


def _chosen(subject: Subject, name: str | None) -> Filters:
    from cnnexp.commands.followed import followed
    from cnnexp.visualize.filters import filters_of
    from cnnexp.visualize.section import NotFitting

    if subject.task.facts.input.texts_each:
        raise NotFitting(f"{subject.name}: filters over vectors of words; cnnexp visualize words tells what fires them")
    called = list(followed(subject))
    found = {one.layer: one for one in filters_of(subject.task.net, called, subject.task.facts.input.shape)}
    if not found:
        raise NotFitting(f"{subject.name}: no layer has filters over the sides of a picture, or over time")
    return next(iter(found.values())) if name is None else found[named_layer(list(found), name)]


def _before(subject: Subject, layer: str, arguments: argparse.Namespace) -> Filters:
    """The same layer as the run began.

    Raises:
        InputError: it is no run, or weights that it began with are gone.
    """
    if subject.record is None:
        raise InputError(f"--before: {subject.name} is no run here, and how its weights began is not known")

    from cnnexp.builders.initial import initial_net
    from cnnexp.builders.revive import checked_config
    from cnnexp.visualize.filters import filters_of

    net = initial_net(subject.record, checked_config(subject.record), arguments.trust)
    (found,) = filters_of(net, [layer], subject.task.facts.input.shape)
    return found


def _image(filters: Filters, before: Filters | None, channel: int | None, title: str) -> Image:
    from cnnexp.visualize.filter_sheet import before_and_after, curves_image, legend, titled

    scale = max(one.largest for one in (filters, before) if one is not None) or 1.0
    if filters.weights.ndim == 3 and filters.weights.shape[1] <= MOST_LINES:
        rows = list(range(len(filters.weights)))[:MOST_CURVES] if channel is None else [channel]
        return titled([curves_image(filters, scale, rows, before)], title)
    sheet = _tiles(filters, filters, scale, channel)
    if before is not None:
        sheet = before_and_after(_tiles(before, filters, scale, channel), sheet)
    return titled([sheet, legend(scale, filters)], title)


def _which(filters: Filters, channel: int | None) -> str:
    """Which of the filters are drawn, where it is not all of them, for a title."""
    from cnnexp.visualize.filter_sheet import plain

    count = len(filters.weights)
    if channel is not None:
        return f", channel {channel}"
    if filters.weights.ndim == 3:
        most = MOST_CURVES if filters.weights.shape[1] <= MOST_LINES else MOST_TILES
        return f", the first {most} of {count}" if count > most else ""
    if plain(filters):
        return f", the first {MOST_TILES} of {count}" if count > MOST_TILES else ""
    rows, columns = min(count, _side(filters)), min(filters.weights.shape[1], _side(filters))
    if (rows, columns) == filters.weights.shape[:2]:
        return " over its maps"
    return f", {rows} of {count} over {columns} of {filters.weights.shape[1]} maps"


def _side(filters: Filters) -> int:
    """Most rows and columns of a matrix of tiles, the strongest."""
    return max(16, MATRIX_PX // (2 + 4 * max(filters.weights.shape[2:])))


def _tiles(filters: Filters, chosen_by: Filters, scale: float, channel: int | None) -> Image:
    """The tiles of some filters, which are chosen by the weights after training."""
    from cnnexp.visualize.filter_sheet import plain, tiles_image
    from cnnexp.visualize.filters import Filters

    if filters.weights.ndim == 3:  # a tile of its maps over time
        over_time = Filters(filters.layer, filters.weights[:, None])
        rows = list(range(len(over_time.weights)))[:MOST_TILES] if channel is None else [channel]
        return tiles_image(over_time, scale, rows)
    if plain(filters):
        rows = list(range(len(filters.weights)))[:MOST_TILES] if channel is None else [channel]
        return tiles_image(filters, scale, rows)
    if channel is not None:
        one = Filters(filters.layer, filters.weights[channel][:, None])
        return tiles_image(one, scale, list(range(len(one.weights)))[:MOST_TILES])
    count = _side(filters)
    return tiles_image(filters, scale, chosen_by.strongest(count), chosen_by.strongest_inputs(count))


def _lines(subject: Subject, filters: Filters, before: Filters | None) -> list[str]:
    import numpy as np

    from cnnexp.visualize.filters import FAINT

    count, inputs, *sides = filters.weights.shape
    norms = filters.norms
    strongest = ", ".join(f"{place} ({norms[place]:.2f})" for place in filters.strongest(5))
    lines = [
        _row("layer", f"{filters.layer}: {count} filters of {'×'.join(map(str, (inputs, *sides)))}"),
        _row("weights", f"{filters.weights.min():.3f} to {filters.weights.max():.3f}"),
        _row("largest norms", strongest),
        _row("faint", f"{int((norms < FAINT * norms.max()).sum())}, of a norm below a tenth of the largest"),
    ]
    if before is not None:
        every = filters.moved(before)
        moved = every[~np.isnan(every)]
        lines.append(_row("began with", f"{before.weights.min():.3f} to {before.weights.max():.3f}"))
        if len(moved):
            middle = f"median {np.median(moved):.2f}"
            lines.append(_row("moved by", f"{moved.min():.2f} to {moved.max():.2f} of their norm, {middle}"))
        if len(moved) < len(every):
            lines.append(_row("began at 0", f"{len(every) - len(moved)} filters"))
        lines += _other_release(subject)
    return lines


def _other_release(subject: Subject) -> Sequence[str]:
    """A line where the run drew its first weights in another release of torch than this one."""
    import torch

    assert subject.record is not None
    versions = subject.record.run.get("versions")
    theirs = versions.get("torch") if isinstance(versions, dict) else None
    here = str(torch.__version__).split("+")[0]
    if theirs is None or str(theirs).split("+")[0] == here:
        return []
    return [_row("made anew", f"by torch {here}; the run had {theirs}, which may have drawn others")]


def _row(name: str, text: str) -> str:
    return f"{name:<16}{text}"

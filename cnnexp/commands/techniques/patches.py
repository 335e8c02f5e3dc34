"""``cnnexp visualize patches``: the parts of many pictures that a channel answers most, a row a channel."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.commands.looking import add_subject, named_layer, open_subject, show
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.anatomy.trace import Call
    from cnnexp.commands.looking import Samples, Subject
    from cnnexp.visualize.patches import Box, Peaks
    from cnnexp.visualize.section import Section

LINE = "the patches of many pictures that wake a channel most, layer by layer"
EXAMPLE = """cnnexp visualize patches last
  cnnexp visualize patches last --samples 2000 --split train
  cnnexp visualize patches last --layers conv2 --channel 3 --patches 16
  cnnexp visualize patches model=squeezenet1_0 model.weights=torchvision folder"""
PLACE = 40
USUAL_LAYERS = 4
USUAL_SAMPLES, FEWEST_SAMPLES = 200, 50
MULTIPLY_ADDS = 10**11
"""Of a search without --samples, where that leaves enough pictures."""
MOST = {"samples": 20_000, "channels": 32, "patches": 24}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser)
    parser.add_argument(
        "--samples", type=int, metavar="N", default=None, help="pictures that are searched [200, fewer of large nets]"
    )
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="that they are of [test]")
    parser.add_argument("--layers", metavar="A,B,…", default=None, help="as summary names them [four over the depth]")
    parser.add_argument("--channels", type=int, metavar="N", default=4, help="of each layer, the choosiest [4]")
    parser.add_argument("--channel", type=int, metavar="N", default=None, help="one alone, from 0")
    parser.add_argument("--patches", type=int, metavar="N", default=8, help="of each channel, of as many pictures [8]")


def run(arguments: argparse.Namespace) -> int:
    given = {name: getattr(arguments, name) for name in MOST if getattr(arguments, name) is not None}
    wrong = [name for name, value in given.items() if not 1 <= value <= MOST[name]]
    if wrong:
        raise InputError(*(f"--{name} {given[name]}: expected a number from 1 to {MOST[name]}" for name in wrong))
    return show(section(open_subject(arguments, "patches"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """Pictures searched for what wakes some channels of some layers most."""
    from cnnexp.commands.followed import followed
    from cnnexp.visualize.patch_sheet import patches_image
    from cnnexp.visualize.patches import peaks
    from cnnexp.visualize.section import Section

    subject.refuse_others("patches of pictures")
    calls = followed(subject, subject.take(1, arguments.split).prepared(0, 1))
    samples = subject.take(arguments.samples or _affordable(calls), arguments.split)
    layers = _layers(subject, samples, calls, arguments.layers)
    try:
        found = peaks(subject.task.net, samples.prepared, len(samples), layers)
    except ValueError as error:
        raise InputError(f"--layers: {error}") from error
    rows = [row for one in found for row in _rows(subject, samples, one, calls[one.layer], arguments)]
    title = f"{subject.with_count(samples)}: what wakes a channel most"
    return Section(
        title,
        {"patches": patches_image(_drawn(samples, rows), title)},
        _lines(rows),
        {"layers": _figures(rows)},
        "Each row is a channel: the parts of pictures that it answers most, one of a picture, as much of each as the "
        "channel sees. Shallow channels find an edge or a colour, deeper ones parts and things of the pictures.",
        "The channels are those that stand out most on these pictures, and the nearest things among these are no proof "
        "of what a channel is for. It need not use all that it sees: mostly the middle counts.",
    )


def _affordable(calls: Mapping[str, Call]) -> int:
    """So many pictures that the search takes some seconds on a processor."""
    costs = sum(call.multiply_adds for call in calls.values())
    return min(USUAL_SAMPLES, max(FEWEST_SAMPLES, MULTIPLY_ADDS // max(1, costs)))


def _layers(subject: Subject, samples: Samples, calls: Mapping[str, Call], text: str | None) -> list[str]:
    """The layers that are named, or some over the depth, whose units each see a part of the picture.

    Raises:
        InputError: one has no maps. NotFitting: none has.
    """
    from cnnexp.visualize.maps import layers_with_maps, spread
    from cnnexp.visualize.section import NotFitting

    known = [name for name, call in calls.items() if _sees(call)]
    if text is not None:
        return [named_layer(known, name, "--layers") for name in text.split(",")]
    usual = [one for one in layers_with_maps(subject.task.net, samples.prepared(0, 1)) if one.name in known]
    if not usual:
        raise NotFitting(f"{subject.name}: no layer makes maps of a picture")
    return [layer.name for layer in spread(usual, USUAL_LAYERS)]


def _sees(call: Call) -> bool:
    """Whether a layer makes maps whose rows and columns are those of the picture, or read all of it."""
    return (
        call.shape is not None
        and len(call.shape) == 3
        and len(call.seen) == 2
        and all(place.dim is None or place.dim == axis + 2 for axis, place in enumerate(call.seen))
    )


def _field(call: Call, place: tuple[int, int]) -> Box:
    """What the unit at a row and column sees, as ``cnnexp summary`` has it."""
    spans = []
    for seen, at in zip(call.seen, place, strict=True):
        position = 0 if seen.dim is None else at // seen.inner
        spans.append((seen.axis.first(position), seen.axis.last(position)))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def _rows(
    subject: Subject, samples: Samples, one: Peaks, call: Call, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """What is to be said of each channel of a layer that is shown."""
    count = one.values.shape[1]
    if arguments.channel is not None and not 0 <= arguments.channel < count:
        raise InputError(f"--channel {arguments.channel}: {one.layer} has channels 0 to {count - 1}")
    channels = (
        [arguments.channel] if arguments.channel is not None else one.choosy(arguments.channels, arguments.patches)
    )
    rows = []
    for channel in channels:
        pictures = one.strongest(channel, arguments.patches)
        rows.append(
            {
                "layer": one.layer,
                "channels": count,
                "channel": channel,
                "pictures": pictures,
                "values": [float(one.values[picture, channel]) for picture in pictures],
                "boxes": [_field(call, one.place(picture, channel)) for picture in pictures],
                **_most_frequent(subject, samples, pictures),
            }
        )
    return rows


def _most_frequent(subject: Subject, samples: Samples, pictures: Sequence[int]) -> dict[str, Any]:
    """The class that most of the pictures are of, where it is known."""
    labels, names = samples.labels, subject.classes
    if labels is None or names is None:
        return {}
    of = labels[pictures].bincount(minlength=len(names)).cpu()
    return {"class": names[int(of.argmax())], "of_class": int(of.max())}


def _drawn(samples: Samples, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    from cnnexp.visualize.patch_sheet import PatchRow
    from cnnexp.visualize.patches import cut

    shown, drawn = samples.shown(), []
    for place, row in enumerate(rows):
        is_first = place == 0 or rows[place - 1]["layer"] != row["layer"]
        told = [row["layer"], f"sees {_size(row)}"] if is_first else []
        told.append(f"channel {row['channel']}")
        if "class" in row:
            told.append(f"{row['of_class']} of {len(row['pictures'])} show {row['class']}")
        patches = [cut(shown[picture], box) for picture, box in zip(row["pictures"], row["boxes"], strict=True)]
        drawn.append(PatchRow(told, patches))
    return drawn


def _size(row: Mapping[str, Any]) -> str:
    top, left, bottom, right = row["boxes"][0]
    return f"{bottom - top + 1}×{right - left + 1}"


def _lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [f"{'layer':<20}{'sees':>9}{'channel':>8}{'answers':>22}   mostly of"]
    for row in rows:
        name = row["layer"] if len(row["layer"]) <= 20 else f"…{row['layer'][-19:]}"
        answers = f"{row['values'][0]:.3g} to {row['values'][-1]:.3g}"
        of = f"{row['class'][:14]} {row['of_class']}/{len(row['pictures'])}" if "class" in row else "-"
        lines.append(f"{name:<20}{_size(row):>9}{row['channel']:>8}{answers:>22}   {of}")
    return lines


def _figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    layers: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        layers.setdefault(row["layer"], []).append({key: value for key, value in row.items() if key != "layer"})
    return layers

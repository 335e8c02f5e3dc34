"""``cnnexp visualize receptive-field``: units in a row with their connections counted, or what a net's layers see."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_folder, add_overrides, folder_of
from cnnexp.commands.asked import names_data, suitable_data
from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.anatomy.middle import MiddleField
    from cnnexp.visualize.receptive_field import Counted, Layer

LINE = "receptive fields of a row, with connections counted, or of a net's layers"
EXAMPLE = """cnnexp visualize receptive-field
  cnnexp visualize receptive-field --depth 2 --width 5
  cnnexp visualize receptive-field --depth 3 --kernel 2 --dilation 1,2,4
  cnnexp visualize receptive-field model=lenet5
  cnnexp visualize receptive-field model=unet --layers down.3.3,merge.1.0"""
OF_ROW = {"depth": 3, "kernel": 3, "stride": 1, "dilation": 1, "width": None}
MOST_DEPTH, MOST_TAPS, MOST_WIDTH = 8, 16, 64
MOST_DRAWN = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser)
    parser.add_argument("--depth", type=int, metavar="N", default=None, help="layers of the row [3]")
    for name, what in (("kernel", "units that each unit sees"), ("stride", ""), ("dilation", "")):
        text = f"{what}{', ' if what else ''}a number, or one for each layer [{OF_ROW[name]}]"
        parser.add_argument(f"--{name}", metavar="N,N", default=None, help=text)
    parser.add_argument("--width", type=int, metavar="N", default=None, help="inputs of the row [as many as needed]")
    parser.add_argument("--input", metavar="CxHxW", default=None, help="size of a sample of model=…, in place of data")
    parser.add_argument("--layers", metavar="A,B,…", default=None, help="of model=… [eight that see more than others]")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.overrides:
        return _of_net(arguments)
    _refuse_options(arguments, ("input", "layers"), "is for a net; name one, such as model=lenet5")
    layers = _row_layers(arguments)
    width = arguments.width
    if width is not None and not 1 <= width <= MOST_WIDTH:
        raise InputError(f"--width {width}: expected a number from 1 to {MOST_WIDTH}")
    folder = folder_of(arguments)

    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.receptive_chart import row_image
    from cnnexp.visualize.receptive_field import count, field, wide_enough

    width = width or wide_enough(layers, MOST_WIDTH)
    if width is None:
        raise InputError(
            f"--depth {len(layers)}: the last layer sees {field(layers)} inputs, and at most {MOST_WIDTH - 2} "
            f"are drawn; take fewer layers or smaller kernels, or give --width up to {MOST_WIDTH}"
        )
    counted = count(layers, width)
    title = _title(layers, width)
    path = write_png(row_image(counted, title), folder / "receptive_field.png")
    if arguments.json:
        _dump({"title": title, "layers": [_as_plain(one) for one in counted], "picture": str(path)})
        return 0
    _print_row(counted, title)
    print(path)
    return 0


def _refuse_options(arguments: argparse.Namespace, names: Sequence[str], why: str) -> None:
    given = [name for name in names if getattr(arguments, name) is not None]
    if given:
        raise InputError(*(f"--{name}: {why}" for name in given))


def _row_layers(arguments: argparse.Namespace) -> list[Layer]:
    from cnnexp.visualize.receptive_field import Layer

    depth = arguments.depth if arguments.depth is not None else OF_ROW["depth"]
    if depth is None or not 1 <= depth <= MOST_DEPTH:
        raise InputError(f"--depth {depth}: expected a number from 1 to {MOST_DEPTH}")
    each = [_each(name, getattr(arguments, name), depth) for name in ("kernel", "stride", "dilation")]
    return [Layer(*settings) for settings in zip(*each, strict=True)]


def _each(name: str, text: str | None, depth: int) -> list[int]:
    """A number for each layer."""
    words = str(OF_ROW[name] if text is None else text).split(",")
    if not all(word.strip().isdecimal() and 1 <= int(word) <= MOST_TAPS for word in words):
        raise InputError(f"--{name} {text}: expected a number from 1 to {MOST_TAPS}, or one for each layer as in 1,2,4")
    if len(words) not in (1, depth):
        raise InputError(f"--{name} {text}: {len(words)} numbers for --depth {depth}; give one, or {depth}")
    return [int(word) for word in words] * (depth if len(words) == 1 else 1)


def _title(layers: Sequence[Layer], width: int) -> str:
    said = []
    for name in ("kernel", "stride", "dilation"):
        values = [getattr(layer, name) for layer in layers]
        said.append(f"{name} {values[0] if len(set(values)) == 1 else ','.join(map(str, values))}")
    return f"{len(layers)} layer{'' if len(layers) == 1 else 's'} over {width} inputs: {', '.join(said)}"


def _as_plain(one: Counted) -> dict[str, Any]:
    names = ("inputs", "outputs", "connections", "dense", "shared")
    return {**{name: getattr(one, name) for name in names}, "middle": one.middle, "sees": one.seen.tolist()}


def _print_row(counted: Sequence[Counted], title: str) -> None:
    from cnnexp.visualize.receptive_field import reached

    print(f"{title}\n")
    print(f"{'':<5}{'units':>6}{'the middle one sees':>24}{'connections':>22}{'fully connected':>20}")
    for number, one in enumerate(counted, start=1):
        seen = f"{len(one.seen)}: {_places(one)}"
        taps = f"{one.layer.kernel}·{one.outputs}{f' − {one.beyond}' if one.beyond else ''} = {one.connections}"
        full = f"{one.inputs}·{one.outputs} = {one.dense}"
        print(f"{f'h{number}':<5}{one.outputs:>6}{seen:>24}{taps:>22}{full:>20}")
    sums = {name: sum(getattr(one, name) for one in counted) for name in ("connections", "dense", "shared")}
    print(f"{'':<35}{'in all':>12}{sums['connections']:>10,}{sums['dense']:>20,}")
    print("\nconnections: kernel · units, less those beyond the ends of the row.")
    print(f"weights: {sums['dense']:,} fully connected, {sums['connections']:,} sparse, {sums['shared']} shared.")
    units = ", ".join(f"{units} of h{number}" for number, units in enumerate(reached(counted), start=1))
    print(f"the middle input, x{counted[0].inputs // 2 + 1}, reaches {units}.")


def _places(one: Counted) -> str:
    first, last = int(one.seen[0]) + 1, int(one.seen[-1]) + 1
    gaps = len(one.seen) < last - first + 1
    return f"x{first}" if first == last else f"x{first} to x{last}{', not all' if gaps else ''}"


def _of_net(arguments: argparse.Namespace) -> int:
    _refuse_options(arguments, tuple(OF_ROW), "is for the row; leave it out beside model=…")
    size = _size(arguments.input)
    folder = folder_of(arguments)

    from cnnexp.anatomy.middle import middle_fields, pixels
    from cnnexp.anatomy.subject import find_subject
    from cnnexp.config.compose import compose_run

    words = list(arguments.overrides)
    if not names_data(words):
        words += suitable_data(words, arguments.config_dir)
    subject = find_subject(compose_run(words, arguments.config_dir), arguments.trust, size)
    fields, sides = middle_fields(subject), pixels(subject)
    chosen = _chosen(fields, arguments.layers)
    if not chosen:
        raise InputError(f"model={subject.name}: no layer of it sees a picture; take a net of pictures or signals")
    title = f"{subject.name} on {'×'.join(map(str, sides))}: what the middle unit of a layer sees"
    path = _draw(_spread(chosen) if arguments.layers is None else chosen, sides, title, folder)
    if arguments.json:
        from dataclasses import asdict

        _dump({"title": title, "layers": [asdict(one) for one in fields], "picture": str(path)})
        return 0
    _print_fields(chosen, title, others=arguments.layers is None)
    print(path)
    return 0


def _size(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = re.split("[xX×]", text)
    if not all(part.isdecimal() and int(part) for part in parts):
        raise InputError(f"--input {text}: expected numbers with x between them, for example 3x224x224")
    return tuple(int(part) for part in parts)


def _chosen(fields: Sequence[MiddleField], text: str | None) -> list[MiddleField]:
    """The layers that are named, or those that see more than the one before them."""
    if text is None:
        last, chosen = None, []
        for one in fields:
            if (one.first, one.last, one.size) != last:
                chosen.append(one)
                last = (one.first, one.last, one.size)
        return chosen
    known = {one.name: one for one in fields}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise InputError(*(f"--layers {name}: no such layer; {did_you_mean(name, known)}" for name in unknown))
    return [known[name] for name in text.split(",")]


def _spread(fields: Sequence[MiddleField]) -> list[MiddleField]:
    """Some over the depth that see different pixels, the first and the last among them."""
    fields = list({(one.first, one.last): one for one in reversed(fields)}.values())[::-1]
    if len(fields) <= MOST_DRAWN:
        return list(fields)
    return [fields[round(place * (len(fields) - 1) / (MOST_DRAWN - 1))] for place in range(MOST_DRAWN)]


def _draw(fields: Sequence[MiddleField], sides: Sequence[int], title: str, folder: Path) -> Path:
    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.receptive_chart import Field, fields_image

    drawn = [Field(one.name, one.first, one.last) for one in fields]
    return write_png(fields_image(drawn, sides, title), folder / "receptive_field.png")


def _print_fields(fields: Sequence[MiddleField], title: str, others: bool) -> None:
    print(f"{title}\n")
    axes = ("rows", "columns") if len(fields[0].first) == 2 else ("places",)
    print(f"{'layer':<26}{'units':>10}{'field':>11}" + "".join(f"{name:>11}" for name in axes) + f"{'in all':>10}")
    for one in fields:
        name = one.name if len(one.name) <= 25 else f"…{one.name[-24:]}"
        units, field = ("×".join(map(str, values)) for values in (one.units, one.size))
        spans = "".join(f"{f'{first}-{last}':>11}" for first, last in zip(one.first, one.last, strict=True))
        pixels = 1
        for side in one.seen:
            pixels *= side
        print(f"{name:<26}{units:>10}{field:>11}{spans}{pixels:>10,}")
    print("\nfield: with what lies beyond the edge; rows, columns and pixels: within it.")
    if any(one.calls > 1 for one in fields):
        print("A layer that the net uses several times is shown as it was used last.")
    if others:
        print("Left out: layers that see what the one before them sees (--json has all).")


def _dump(content: dict[str, Any]) -> None:
    import json

    print(json.dumps(content, indent=2))

"""``cnnexp visualize shift``: translation, of a run's net on its test data or of published weights on pictures."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.commands.asked import names_data, settings_and_files
from cnnexp.commands.looking import add_subject, open_subject, show
from cnnexp.config.nearest import did_you_mean
from cnnexp.config.options import PICTURES
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.commands.looking import Subject
    from cnnexp.visualize.maps import Layer
    from cnnexp.visualize.section import Section
    from cnnexp.visualize.shift import ShiftResult

LINE = "what a net makes of a picture that moves: do its maps, does its answer?"
EXAMPLE = """cnnexp visualize shift last
  cnnexp visualize shift last --direction down --shifts 0,1,2,4,8
  cnnexp visualize shift model=squeezenet1_0 model.weights=torchvision photo.jpg
  cnnexp visualize shift model=resnet20 model.weights=FILE data=cifar10"""
WITHOUT_RUN = "cnnexp visualize shift model=squeezenet1_0 model.weights=torchvision photo.jpg"
PLACE = 90
MOST_SHIFTS = 33
SAMPLES, SAMPLES_OF_LARGE, LARGE_PX = 200, 20, 64
MOST_COLUMNS = 9
EXACT = 1e-4
"""A smaller difference is rounding."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "pictures, or folders; without a run and data=…")
    parser.add_argument("--shifts", metavar="N,N,…", default=None, help="in pixels [0 to twice the net's stride]")
    parser.add_argument("--direction", choices=("right", "down"), default="right", help="[right]")
    most = f"[{SAMPLES}; {SAMPLES_OF_LARGE} of large ones]"
    parser.add_argument("--samples", type=int, metavar="N", default=None, help=f"test pictures of a run {most}")
    parser.add_argument("--layers", metavar="A,B,…", default=None, help="by name [eight over the depth]")


def run(arguments: argparse.Namespace) -> int:
    if arguments.samples is not None and arguments.samples < 1:
        raise InputError(f"--samples {arguments.samples}: expected a number of at least 1")
    if arguments.shifts is not None:
        _shifts(arguments.shifts)
    _refuse_files(*settings_and_files([arguments.run, *arguments.files], WITHOUT_RUN))
    return show(section(open_subject(arguments, "shift", _refuse_other_tasks), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """Pictures of the subject moved step by step, and what becomes of maps and answers."""
    from cnnexp.visualize.maps import layers_with_maps
    from cnnexp.visualize.section import Section
    from cnnexp.visualize.shift import DOWN, RIGHT, measure
    from cnnexp.visualize.shift_chart import shift_image

    _refuse_other_tasks(subject.config, subject.name)
    large = subject.task.facts.input.side > LARGE_PX
    samples = subject.take(arguments.samples or (SAMPLES_OF_LARGE if large else SAMPLES))
    pictures = subject.task.facts.input.arguments(samples.stored)[0]
    axis = DOWN if arguments.direction == "down" else RIGHT
    layers = _chosen(layers_with_maps(subject.task.net, samples.prepared(0, 1)), arguments.layers)
    side = pictures.shape[axis - 2]
    shifts = _usual_shifts(layers, axis, side) if arguments.shifts is None else _within(_shifts(arguments.shifts), side)
    result = measure(subject.task.net, samples.of_values, pictures, samples.labels, shifts, layers, axis)
    title = f"{subject.with_count(samples)}, moved {arguments.direction}"
    names = ("shifts", "differences", "everywhere", "agreement", "probability", "accuracy")
    strides = {layer.name: layer.stride[axis] for layer in result.layers}
    return Section(
        title,
        {"shift": shift_image(result, axis, title)},
        _lines(result, axis),
        {**{name: getattr(result, name) for name in names}, "strides": strides},
        "How far each layer's maps are from maps that simply moved with the picture, and how often the answer stays: "
        "exact at multiples of a layer's total stride, away from the border.",
        "Small shifts only, of whole pixels: it says nothing of turning, scaling or other backgrounds.",
    )


def _shifts(text: str) -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words) or len(words) > MOST_SHIFTS:
        raise InputError(f"--shifts {text}: expected up to {MOST_SHIFTS} whole numbers of pixels, such as 0,1,2,4,8")
    return sorted({int(word) for word in words})


def _within(shifts: list[int], side: int) -> list[int]:
    if shifts[-1] >= side:
        raise InputError(f"--shifts {shifts[-1]}: the pictures have {side} pixels; take a shift of at most {side - 1}")
    return shifts


def _usual_shifts(layers: Sequence[Layer], axis: int, side: int) -> list[int]:
    """Up to twice the largest stride, but not more than half of the picture."""
    stride = max((layer.stride[axis] for layer in layers), default=4)
    return list(range(0, min(max(8, 2 * stride), side // 2) + 1, max(1, stride // 8)))


def _refuse_files(words: Sequence[str], files: Sequence[str]) -> None:
    """Files are for weights that come without data, and needed there."""
    alone = bool(words) and not names_data(words)
    if files and not alone:
        raise InputError(f"{files[0]}: it is measured on test data; leave the files out")
    if alone and not files:
        raise InputError(f"missing: FILE, pictures to move, or data=NAME, as in: {WITHOUT_RUN}")


def _refuse_other_tasks(config: Mapping[str, Any], name: str) -> None:
    task = config.get("task")
    of = task.get("name") if isinstance(task, Mapping) else None
    if of != "classification":
        raise InputError(f"{name}: is for {of}; whether an answer stays is measured for classification")
    data = config.get("data")
    kind = data.get("input", PICTURES) if isinstance(data, Mapping) else PICTURES
    if kind != PICTURES:
        raise InputError(f"{name}: takes {kind}; it is pictures that are moved, and their maps looked at")


def _chosen(layers: Sequence[Layer], text: str | None) -> list[Layer]:
    """The layers that are named, or some over the depth."""
    from cnnexp.visualize.maps import spread

    if text is None:
        return spread(layers)
    known = {layer.name: layer for layer in layers}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise InputError(*(f"--layers {name}: no layer with maps; {did_you_mean(name, known)}" for name in unknown))
    return [known[name] for name in text.split(",")]


def _lines(result: ShiftResult, axis: int) -> list[str]:
    places = _columns(len(result.shifts))
    lines = [_row("shift in pixels", "step", [str(result.shifts[place]) for place in places])]
    for layer in result.layers:
        inside, whole = result.differences[layer.name], result.everywhere[layer.name]
        cells = [_difference(inside[place], whole[place]) for place in places]
        lines.append(_row(layer.name, str(layer.stride[axis]), cells))
    for name in ("agreement", "probability", "accuracy"):
        values = getattr(result, name)
        if values is not None:
            lines.append(_row(name, "", [f"{values[place]:.2f}" for place in places]))
    lines += ["", "layers: how far maps are from moved maps, away from the border; 0 is exact."]
    if any(value is None for layer in result.layers for value in result.differences[layer.name]):
        lines.append("*: with the border, as nothing in them is away from it.")
    return lines


def _columns(count: int) -> list[int]:
    if count <= MOST_COLUMNS:
        return list(range(count))
    return [round(place * (count - 1) / (MOST_COLUMNS - 1)) for place in range(MOST_COLUMNS)]


def _row(name: str, stride: str, cells: Sequence[str]) -> str:
    shown = name if len(name) <= 20 else f"…{name[-19:]}"
    return f"{shown:<20}{stride:>6}" + "".join(f"{cell:>6}" for cell in cells)


def _difference(inside: float | None, whole: float | None) -> str:
    value = whole if inside is None else inside
    if value is None:
        return "-"
    return ("0" if value < EXACT else f"{value:.2f}") + ("*" if inside is None else "")

"""``cnnexp visualize shift``: translation, of a run's net on its test data or of published weights on pictures."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import add_checkpoint, add_folder, add_outputs, add_own_code, folder_of, weights_named
from cnnexp.commands.asked import files_in, names_data, settings_and_files
from cnnexp.config.nearest import did_you_mean
from cnnexp.config.options import PICTURES
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.data.loading import Data
    from cnnexp.tasks.base import Task
    from cnnexp.visualize.maps import Layer
    from cnnexp.visualize.shift import ShiftResult

LINE = "what a net makes of a picture that moves: do its maps, does its answer?"
EXAMPLE = """cnnexp visualize shift last
  cnnexp visualize shift last --direction down --shifts 0,1,2,4,8
  cnnexp visualize shift model=squeezenet1_0 model.weights=torchvision photo.jpg
  cnnexp visualize shift model=resnet20 model.weights=FILE data=cifar10"""
WITHOUT_RUN = "cnnexp visualize shift model=squeezenet1_0 model.weights=torchvision photo.jpg"
MOST_SHIFTS = 33
MOST_COLUMNS = 9
EXACT = 1e-4
"""A smaller difference is rounding."""


@dataclass(frozen=True)
class Subject:
    """A net and the pictures that it is asked about.

    Attributes:
        pictures: uint8 (N, C, H, W). labels: int64 (N,), where known. title: a line about both.
    """

    task: Task
    pictures: Tensor
    labels: Tensor | None
    title: str

    def prepare(self, pictures: Tensor) -> Tensor:
        """Stored pictures → what the net takes."""
        from cnnexp.inputs.pictures import Pictures

        (prepared,) = self.task.facts.input.arguments(self.task.prepare(Pictures.stored_as(pictures), train=False))
        return prepared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="or model=… model.weights=… in place of a run")
    parser.add_argument("files", nargs="*", metavar="FILE", help="pictures, or folders; without a run and data=…")
    add_outputs(parser)
    parser.add_argument("--shifts", metavar="N,N,…", default=None, help="in pixels [0 to twice the net's stride]")
    parser.add_argument("--direction", choices=("right", "down"), default="right", help="[right]")
    parser.add_argument("--samples", type=int, metavar="N", default=200, help="test pictures of a run [200]")
    parser.add_argument("--layers", metavar="A,B,…", default=None, help="by name [eight over the depth]")
    add_checkpoint(parser)
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)
    add_own_code(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.samples < 1:
        raise InputError(f"--samples {arguments.samples}: expected a number of at least 1")
    given = None if arguments.shifts is None else _shifts(arguments.shifts)
    words, files = settings_and_files([arguments.run, *arguments.files], WITHOUT_RUN)
    _refuse_files(words, files)
    record = None if words else open_run(arguments.run, outputs_folder(arguments.outputs))
    if record is not None:
        _refuse_other_tasks(record.config, record.id)
    folder = folder_of(arguments)

    from cnnexp.inputs.picture_files import PICTURE_SUFFIXES

    subject = _subject(words, files_in(files, PICTURE_SUFFIXES, "picture"), record, arguments)

    from cnnexp.visualize.maps import layers_with_maps
    from cnnexp.visualize.png import write_png
    from cnnexp.visualize.shift import DOWN, RIGHT, measure
    from cnnexp.visualize.shift_chart import shift_image

    axis = DOWN if arguments.direction == "down" else RIGHT
    layers = _chosen(layers_with_maps(subject.task.net, subject.prepare(subject.pictures[:1])), arguments.layers)
    side = subject.pictures.shape[axis - 2]
    shifts = _usual_shifts(layers, axis, side) if given is None else _within(given, side)
    result = measure(subject.task.net, subject.prepare, subject.pictures, subject.labels, shifts, layers, axis)
    title = f"{subject.title}, moved {arguments.direction}"
    path = write_png(shift_image(result, axis, title), folder / "shift.png")
    _print(result, axis, title, path=str(path), as_json=arguments.json)
    return 0


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


def _subject(words: list[str], paths: Sequence[Path], record: Record | None, arguments: argparse.Namespace) -> Subject:
    if record is not None:
        return _of_run(record, arguments)

    from cnnexp.config.compose import compose_run

    config = compose_run(words, arguments.config_dir)
    _refuse_other_tasks(config, f"model={config['choices']['model']}")
    return _of_weights(config, paths, arguments) if paths else _on_data(config, arguments)


def _of_run(record: Record, arguments: argparse.Namespace) -> Subject:
    from cnnexp.builders.reopen import reopen_data
    from cnnexp.builders.revive import checked_config, revive

    checkpoint = weights_named(record, arguments.checkpoint)
    opened = reopen_data(record, checked_config(record), arguments.trust)
    task = revive(record, opened.config, checkpoint, arguments.trust)
    return _tested(task, opened.data, opened.config, arguments.samples)


def _on_data(config: Mapping[str, Any], arguments: argparse.Namespace) -> Subject:
    from cnnexp.builders.pretrained import pretrained_experiment

    experiment, pinned, _ = pretrained_experiment(config, arguments.trust)
    return _tested(experiment.task.eval(), experiment.data, pinned, arguments.samples)


def _tested(task: Task, data: Data, config: Mapping[str, Any], samples: int) -> Subject:
    """Some test pictures that lie evenly over the split."""
    import numpy as np
    import torch

    if config["hardware"]["accelerator"] == "gpu":
        task = task.to("cuda")
    split = data.split("test")
    places = np.linspace(0, len(split) - 1, min(samples, len(split))).round().astype(np.int64)
    batch = split.batch(torch.from_numpy(places))
    title = f"{config['choices']['model']} on {len(places)} test pictures of {config['choices']['data']}"
    (pictures,) = task.facts.input.arguments(batch)
    return Subject(task, pictures.to(task.device), batch["label"].to(task.device), title)


def _of_weights(config: Mapping[str, Any], paths: Sequence[Path], arguments: argparse.Namespace) -> Subject:
    import torch

    from cnnexp.builders.pretrained import pretrained
    from cnnexp.inputs.picture_files import read_middle

    task, how = pretrained(config, arguments.trust)
    given = (how.resize_px, how.crop_px, 3, how.interpolation)
    pictures = torch.stack([read_middle(path, *given) for path in paths])
    counted = "one picture" if len(paths) == 1 else f"{len(paths)} pictures"
    return Subject(task, pictures, None, f"{config['choices']['model']} on {counted}")


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


def _print(result: ShiftResult, axis: int, title: str, *, path: str, as_json: bool) -> None:
    if as_json:
        import json

        names = ("shifts", "differences", "everywhere", "agreement", "probability", "accuracy")
        content = {name: getattr(result, name) for name in names}
        strides = {layer.name: layer.stride[axis] for layer in result.layers}
        print(json.dumps({"title": title, **content, "strides": strides, "picture": path}, indent=2))
        return
    places = _columns(len(result.shifts))
    print(f"{title}\n")
    print(_row("shift in pixels", "step", [str(result.shifts[place]) for place in places]))
    for layer in result.layers:
        inside, whole = result.differences[layer.name], result.everywhere[layer.name]
        print(_row(layer.name, str(layer.stride[axis]), [_difference(inside[place], whole[place]) for place in places]))
    for name in ("agreement", "probability", "accuracy"):
        values = getattr(result, name)
        if values is not None:
            print(_row(name, "", [f"{values[place]:.2f}" for place in places]))
    print("\nlayers: how far maps are from moved maps, away from the border; 0 is exact.")
    if any(value is None for layer in result.layers for value in result.differences[layer.name]):
        print("*: with the border, as nothing in them is away from it.")
    print(path)


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

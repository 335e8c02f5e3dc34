"""``cnnexp visualize activations``: the maps of a picture layer by layer, or through the epochs of a run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.commands.epochs import BEGAN, at_epoch, epochs_kept, spread_over
from cnnexp.commands.looking import add_subject, named_layer, open_subject, show
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.commands.looking import Samples, Subject
    from cnnexp.visualize.activations import Activations
    from cnnexp.visualize.section import Section

LINE = "what each layer makes of a picture: its maps, the most active first"
EXAMPLE = """cnnexp visualize activations last
  cnnexp visualize activations last photo.jpg --layers conv1,pool2 --channels 12
  cnnexp visualize activations last --layers conv2 --channel 3
  cnnexp train model=lenet5 checkpoint.keep=epochs
  cnnexp visualize activations last --epochs"""
PLACE = 20
CHANNELS, CHANNELS_IN_TIME = 8, 3
LAYERS_IN_TIME = 4
MOST_CHANNELS = 64
MOST_COLUMNS = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subject(parser, "a picture [--sample of the test]")
    parser.add_argument("--sample", type=int, metavar="N", default=0, help="which of the test's, from 0 [0]")
    parser.add_argument("--layers", metavar="A,B,…", default=None, help="as summary names them [eight over the depth]")
    parser.add_argument("--channels", type=int, metavar="N", default=None, help="of each layer [8; 3 with --epochs]")
    parser.add_argument("--channel", type=int, metavar="N", default=None, help="one alone, from 0")
    parser.add_argument("--epochs", action="store_true", help="through the epochs of a run with checkpoint.keep=epochs")


def run(arguments: argparse.Namespace) -> int:
    if arguments.channels is not None and not 1 <= arguments.channels <= MOST_CHANNELS:
        raise InputError(f"--channels {arguments.channels}: expected a number from 1 to {MOST_CHANNELS}")
    return show(section(open_subject(arguments, "activations"), arguments), arguments)


def section(subject: Subject, arguments: argparse.Namespace) -> Section:
    """The maps of one picture."""
    subject.refuse_unpictured("maps of a picture")
    kept = epochs_kept(subject, "--epochs") if arguments.epochs else {}
    samples = subject.one(arguments.sample)
    x = samples.prepared()
    layers = _layers(subject, x, arguments.layers, LAYERS_IN_TIME if arguments.epochs else None)
    if arguments.epochs:
        return _through_epochs(subject, samples, x, layers, kept, arguments)
    return _of_layers(subject, samples, x, layers, arguments)


def _of_layers(
    subject: Subject, samples: Samples, x: Tensor, layers: Sequence[str], arguments: argparse.Namespace
) -> Section:
    from cnnexp.visualize.activation_sheet import layers_image
    from cnnexp.visualize.activations import Activations
    from cnnexp.visualize.section import Section

    found = _looked(subject, x, layers)
    count = arguments.channels or CHANNELS
    title = f"{subject.name}: maps of {samples.names[0]}"
    drawn = found
    if arguments.channel is not None:
        _refuse_channel(found, arguments.channel)
        drawn = [Activations(one.layer, one.maps[arguments.channel][None]) for one in found]
        title = f"{title}, channel {arguments.channel}"
    (picture,) = samples.shown()
    return Section(
        title,
        {"activations": layers_image(picture, drawn, count, title)},
        _lines(found, count),
        {"picture": samples.names[0], "layers": {one.layer: _figures(one, count) for one in found}},
        "What each layer hands on of this picture, the most active channels first: black is 0, red and yellow above, "
        "blue below, where a ReLU would take it away. Early maps follow the picture, late ones answer in few places.",
        "It is one picture; another wakes other channels. A strong answer does not say that the decision rests on it.",
    )


def _through_epochs(
    subject: Subject,
    samples: Samples,
    x: Tensor,
    layers: Sequence[str],
    kept: Mapping[int, str],
    arguments: argparse.Namespace,
) -> Section:
    from cnnexp.visualize.activation_sheet import epochs_image
    from cnnexp.visualize.section import Section

    films: dict[str, list[Activations]] = {layer: [] for layer in layers}
    epochs = spread_over([BEGAN, *kept], MOST_COLUMNS)
    for epoch in epochs:
        for one in _looked(at_epoch(subject, epoch, kept, arguments.trust), x, layers):
            films[one.layer].append(one)
    ends = [film[-1] for film in films.values()]
    if arguments.channel is not None:
        _refuse_channel(ends, arguments.channel)
    channels = {
        one.layer: one.most_active(arguments.channels or CHANNELS_IN_TIME)
        if arguments.channel is None
        else [arguments.channel]
        for one in ends
    }
    title = f"{subject.name}: maps of {samples.names[0]} through the epochs"
    (picture,) = samples.shown()
    figures = {
        layer: {str(number): [float(one.activity[number]) for one in films[layer]] for number in channels[layer]}
        for layer in films
    }
    return Section(
        title,
        {"activations_epochs": epochs_image(picture, films, channels, [str(epoch) for epoch in epochs], title)},
        _lines_in_time(figures, epochs),
        {"picture": samples.names[0], "epochs": epochs, "activity": figures},
        "The same channels of the same picture from the first weights (epoch 0) on: those that are most active at the "
        "end, on one scale for each layer.",
        "Channels were chosen by how active they are at the end; others may have been so before. Between two "
        "columns lies the training of an epoch, or of several.",
    )


def _layers(subject: Subject, x: Tensor, text: str | None, most: int | None) -> list[str]:
    """The layers that are named, or some over the depth.

    Raises:
        InputError: one has no maps. NotFitting: none has.
    """
    from cnnexp.visualize.maps import MOST_LAYERS, layers_with_maps, spread
    from cnnexp.visualize.section import NotFitting

    if text is None:
        usual = layers_with_maps(subject.task.net, x)
        if not usual:
            raise NotFitting(f"{subject.name}: no layer makes maps of a picture")
        return [layer.name for layer in spread(usual, most or MOST_LAYERS)]

    from cnnexp.commands.followed import followed

    known = [name for name, call in followed(subject, x).items() if call.shape is not None and len(call.shape) == 3]
    return [named_layer(known, name, "--layers") for name in text.split(",")]


def _looked(subject: Subject, x: Tensor, layers: Sequence[str]) -> list[Activations]:
    from cnnexp.visualize.activations import activations

    try:
        return activations(subject.task.net, x, layers)
    except ValueError as error:
        raise InputError(f"--layers: {error}") from error


def _refuse_channel(found: Sequence[Activations], channel: int) -> None:
    for one in found:
        if not 0 <= channel < len(one.maps):
            raise InputError(f"--channel {channel}: {one.layer} has channels 0 to {len(one.maps) - 1}")


def _figures(one: Activations, count: int) -> dict[str, Any]:
    channels = one.most_active(count)
    return {
        "shape": list(one.maps.shape),
        "silent": one.silent,
        "channels": channels,
        "activity": [float(one.activity[number]) for number in channels],
    }


def _lines(found: Sequence[Activations], count: int) -> list[str]:
    lines = [f"{'layer':<26}{'maps':>15}{'silent':>8}   most active"]
    for one in found:
        name = one.layer if len(one.layer) <= 25 else f"…{one.layer[-24:]}"
        size = f"{len(one.maps)} × {one.maps.shape[1]}×{one.maps.shape[2]}"
        active = ", ".join(map(str, one.most_active(min(count, 5))))
        lines.append(f"{name:<26}{size:>15}{one.silent:>8}   {active}")
    return [*lines, "", "silent: channels that are nowhere above 0 on this picture."]


def _lines_in_time(figures: Mapping[str, Mapping[str, Sequence[float]]], epochs: Sequence[int]) -> list[str]:
    lines = [f"{'mean of max(a, 0), epoch':<26}" + "".join(f"{epoch:>6}" for epoch in epochs)]
    for layer, of_layer in figures.items():
        for number, values in of_layer.items():
            name = f"{layer} {number}"
            name = name if len(name) <= 25 else f"…{name[-24:]}"
            lines.append(f"{name:<26}" + "".join(f"{value:>6.2f}" for value in values))
    return lines

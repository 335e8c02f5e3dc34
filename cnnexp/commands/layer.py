"""``cnnexp layer``: the size, the parameters and the cost of one layer, with the formulas."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING

from cnnexp.commands.picture_size import channels_last, numbers_of
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.arithmetic.layer import Layer

EXAMPLE = (
    "cnnexp layer conv --input 227x227x3 --filters 96 --kernel 11 --stride 4\n"
    "  cnnexp layer pool --input 55x55x96 --kernel 3 --stride 2\n"
    "  cnnexp layer fc --input 6x6x256 --units 4096"
)
KINDS = ("conv", "pool", "fc")
_OPTIONS = {
    "conv": {"filters", "kernel", "stride", "padding", "dilation", "groups", "no_bias", "bottleneck"},
    "pool": {"kernel", "stride", "padding", "dilation", "ceil"},
    "fc": {"units", "no_bias"},
}
_NEEDED = {"conv": ("filters", "kernel"), "pool": ("kernel",), "fc": ("units",)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", help="conv, pool or fc")
    parser.add_argument(
        "--input",
        metavar="HxWxC",
        required=True,
        help="height x width x channels, or CxHxW where that can be told; for fc also a number",
    )
    parser.add_argument("--filters", type=int, metavar="N", help="of a convolution")
    parser.add_argument("--kernel", metavar="N", help="side of the window; 1x2 is one high, two wide")
    parser.add_argument("--stride", metavar="N", help="[1; for pool the kernel]")
    parser.add_argument("--padding", metavar="N", help="on each side; same keeps the size at stride 1 [0]")
    parser.add_argument("--dilation", metavar="N", help="[1]")
    parser.add_argument("--ceil", action="store_true", default=None, help="of a pooling: round up, not down")
    parser.add_argument("--groups", type=int, metavar="N", help="[1]")
    parser.add_argument("--units", type=int, metavar="N", help="of a fully connected layer")
    parser.add_argument("--no-bias", action="store_true", default=None, help="leave the biases out")
    parser.add_argument(
        "--bottleneck", type=int, metavar="N", help="maps of the 1x1 convolution that might stand before"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    from cnnexp.arithmetic.layer import checked
    from cnnexp.report.one_layer import as_content, as_text

    _refuse_options(arguments)
    layer = checked(_layer(arguments))
    if arguments.json:
        import json

        print(json.dumps(as_content(layer, arguments.bottleneck), indent=2))
    else:
        print(as_text(layer, arguments.bottleneck))
    return 0


def _refuse_options(arguments: argparse.Namespace) -> None:
    """A line for each option that this kind of layer does not have, or lacks."""
    kind = arguments.kind
    if kind not in KINDS:
        raise InputError(f"{kind}: there is no such kind of layer; known are {', '.join(KINDS)}")
    given = {name for names in _OPTIONS.values() for name in names if getattr(arguments, name) is not None}
    problems = [
        f"--{name.replace('_', '-')}: a {kind} layer has none; {kind} takes "
        + ", ".join(f"--{one.replace('_', '-')}" for one in sorted(_OPTIONS[kind]))
        for name in sorted(given - _OPTIONS[kind])
    ]
    problems += [f"missing: --{name}, which a {kind} layer needs" for name in _NEEDED[kind] if name not in given]
    if arguments.bottleneck is not None and arguments.bottleneck < 1:
        problems.append(f"--bottleneck {arguments.bottleneck}: expected a number of at least 1")
    if problems:
        raise InputError(*problems)


def _layer(arguments: argparse.Namespace) -> Layer:
    from cnnexp.arithmetic.layer import Convolution, FullyConnected, Pooling

    shape = _shape(arguments.input, flat=arguments.kind == "fc")
    bias = not arguments.no_bias
    if arguments.kind == "fc":
        return FullyConnected(shape, arguments.units, bias)
    height, width, channels = shape
    kernel, dilation = _pair("kernel", arguments.kernel), _pair("dilation", arguments.dilation or "1")
    stride = _pair("stride", arguments.stride) if arguments.stride else (1, 1) if arguments.kind == "conv" else kernel
    padding = _padding(arguments.padding or "0", kernel, dilation, stride)
    window = (height, width, channels, kernel, stride, padding, dilation)
    if arguments.kind == "pool":
        return Pooling(*window, ceil=bool(arguments.ceil))
    return Convolution(*window, arguments.filters, 1 if arguments.groups is None else arguments.groups, bias)


def _shape(text: str, flat: bool) -> tuple[int, ...]:
    """Height, width, channels; for a fully connected layer also a number."""
    numbers = numbers_of(text)
    if flat and numbers is not None and len(numbers) == 1:
        return numbers
    if numbers is None or len(numbers) != 3:
        instead = ", or a number" if flat else ""
        raise InputError(f"--input {text}: expected height x width x channels, for example 227x227x3{instead}")
    shape, told = channels_last(text)
    if told:
        print(told, file=sys.stderr)
    return shape


def _pair(option: str, text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(-?\d+)(?:[xX×](-?\d+))?", text)
    if not found:
        raise InputError(f"--{option} {text}: expected a number, or two such as 1x2 (down x across)")
    return int(found[1]), int(found[2] or found[1])


def _padding(text: str, kernel: tuple[int, int], dilation: tuple[int, int], stride: tuple[int, int]) -> tuple[int, int]:
    if text != "same":
        return _pair("padding", text)
    down, across = (d * (side - 1) for d, side in zip(dilation, kernel, strict=True))
    if down % 2 or across % 2 or stride != (1, 1):
        raise InputError("--padding same: needs an odd kernel and stride 1, so that both sides get as much")
    return down // 2, across // 2

"""One layer written out: its formulas with the numbers in them, and what could stand in its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from cnnexp.arithmetic.equivalents import Equivalent, equivalents
from cnnexp.arithmetic.layer import (
    BYTES_PER_NUMBER,
    Convolution,
    FullyConnected,
    Layer,
    Pooling,
    Sliding,
    activation_bytes,
)
from cnnexp.report.notation import bytes_figure, scaled_figure

_NAMES = {"Convolution": "convolution", "Pooling": "pooling", "FullyConnected": "fully connected"}


def as_text(layer: Layer, bottleneck: int | None = None) -> str:
    """Lines of at most 80 letters for the usual sizes."""
    blocks = [list(_lines(layer))]
    if isinstance(layer, Convolution):
        blocks.append(list(_table(equivalents(layer, bottleneck))))
    return "\n\n".join("\n".join(block) for block in blocks)


def as_content(layer: Layer, bottleneck: int | None = None) -> dict[str, Any]:
    """The same for other programs. Shapes are height, width, channels."""
    content: dict[str, Any] = {
        "layer": _NAMES[type(layer).__name__],
        "input": list(_input(layer)),
        "output": list(layer.output),
        "parameters": layer.parameters,
        "multiply_adds": layer.multiply_adds,
        "activation_bytes": activation_bytes(layer),
    }
    if isinstance(layer, Convolution):
        keys = ("name", "same", "weights", "multiply_adds")
        content["equivalents"] = [{key: getattr(one, key) for key in keys} for one in equivalents(layer, bottleneck)]
    return content


def _lines(layer: Layer) -> Iterator[str]:
    yield _heading(layer)
    yield ""
    order = " (height × width × channels)" if len(_input(layer)) == 3 else ""
    yield from _labelled("input", [_shape(_input(layer)) + order])
    yield from _labelled("output", _output(layer))
    yield from _labelled("parameters", [_parameters(layer)])
    if not isinstance(layer, Pooling):
        yield from _labelled("multiply-adds", [_multiply_adds(layer)])
    memory = f"{_product(layer.output)} · {BYTES_PER_NUMBER} bytes = {bytes_figure(activation_bytes(layer))} a picture"
    yield from _labelled("activations", [memory])


def _labelled(label: str, texts: Sequence[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield f"{'' if number else label:<15}{text}"


def _heading(layer: Layer) -> str:
    if isinstance(layer, FullyConnected):
        return f"{layer.units:,} fully connected unit{'s' if layer.units > 1 else ''}"
    window = "×".join(map(str, layer.kernel))
    if isinstance(layer, Pooling):
        return f"pooling over {window}"
    groups = f" in {layer.groups} groups" if layer.groups > 1 else ""
    return f"convolution with {layer.filters:,} filter{'s' if layer.filters > 1 else ''} of {window}{groups}"


def _output(layer: Layer) -> list[str]:
    if isinstance(layer, FullyConnected):
        return [f"{layer.units:,}"]
    alike = _side(layer, 0) == _side(layer, 1)
    sides = [_side(layer, 0)] if alike else [f"height {_side(layer, 0)}", f"width  {_side(layer, 1)}"]
    texts = [_shape(layer.output), *sides]
    return [*texts, *_rounding(layer), *_leaps(layer)]


def _rounding(layer: Sliding) -> Iterator[str]:
    """What the rounding leaves out, or lets a window reach over."""
    if _rounds_down(layer) and any(layer.beyond(axis) > 0 for axis in (0, 1)):
        if unseen := _rows_and_columns([layer.unseen_at_end(axis) for axis in (0, 1)]):
            yield f"the floor leaves {unseen} at the end unseen"
        else:
            left = [layer.beyond(axis) for axis in (0, 1)]
            yield f"the floor leaves out {_rows_and_columns(left)} of padding, and nothing else"
    if over := _rows_and_columns([max(0, -layer.beyond(axis)) for axis in (0, 1)]):
        yield f"the last windows reach {over} over the end"
    if isinstance(layer, Pooling) and any(layer.dropped(axis) for axis in (0, 1)):
        yield "a last window that would begin in the padding is left out, as in torch"


def _leaps(layer: Sliding) -> Iterator[str]:
    """What a stride or a dilation leaps over."""
    counts = [layer.unseen_between(axis) for axis in (0, 1)]
    if not _rounds_down(layer):
        counts = [count + layer.unseen_at_end(axis) for axis, count in enumerate(counts)]
    if unread := _rows_and_columns(counts):
        yield f"no window reads {unread}" + (" in between" if _rounds_down(layer) else "")


def _rounds_down(layer: Sliding) -> bool:
    return not (isinstance(layer, Pooling) and layer.ceil)


def _rows_and_columns(counts: Sequence[int]) -> str:
    """``2 rows and 1 column``; nothing for none of either."""
    pairs = zip(counts, ("row", "column"), strict=True)
    return " and ".join(f"{count} {what}{'s' if count > 1 else ''}" for count, what in pairs if count)


def _side(layer: Sliding, axis: int) -> str:
    """(227 − 11 + 2·0)/4 + 1 = 55, with a floor or a ceiling where it is at work."""
    size, stride = (layer.height, layer.width)[axis], layer.stride[axis]
    kernel, dilation = layer.kernel[axis], layer.dilation[axis]
    covered = str(kernel) if dilation == 1 else f"({dilation}·({kernel} − 1) + 1)"
    inner = f"({size} − {covered} + 2·{layer.padding[axis]})/{stride}"
    if layer.left_over(axis):
        inner = f"⌊{inner}⌋" if _rounds_down(layer) else f"⌈{inner}⌉"
    dropped = " − 1" if isinstance(layer, Pooling) and layer.dropped(axis) else ""
    return f"{inner} + 1{dropped} = {layer.side(axis)}"


def _parameters(layer: Layer) -> str:
    if isinstance(layer, Pooling):
        return "0"
    if isinstance(layer, FullyConnected):
        inputs = f"{_product(layer.input)} = {layer.inputs:,} weights a unit" if len(layer.input) > 1 else ""
        total = f"({layer.inputs:,}{' + 1' if layer.bias else ''})·{layer.units:,} = {layer.parameters:,}"
        return f"{inputs}; {total}" if inputs else total
    depth = f"{layer.channels}/{layer.groups}" if layer.groups > 1 else f"{layer.channels}"
    window = "·".join([*map(str, layer.kernel), depth])
    return f"({window}{' + 1' if layer.bias else ''})·{layer.filters} = {layer.parameters:,}"


def _multiply_adds(layer: Convolution | FullyConnected) -> str:
    if isinstance(layer, FullyConnected):
        return f"{layer.inputs:,}·{layer.units:,} = {layer.multiply_adds:,}"
    factors = (*layer.output, *layer.kernel, layer.channels // layer.groups)
    return f"{_product(factors)} = {layer.multiply_adds:,}"


def _table(rows: Sequence[Equivalent]) -> Iterator[str]:
    """The equivalents with their costs against the layer's own, each with its formulas below it."""
    own = rows[0].multiply_adds
    yield f"{'equivalents':<26}{'weights':>16}{'mult-adds':>13}{'ratio':>13}"
    for row in rows:
        ratio = f"{row.multiply_adds / own:,.2f}×" if own and row is not rows[0] else ""
        name = row.name if row.same else f"{row.name} ≠"
        yield f"{name:<26}{row.weights:>16,}{scaled_figure(row.multiply_adds):>13}{ratio:>13}".rstrip()
        yield from (f"    {formula}" for formula in row.formulas)
    yield ""
    yield "≠: another function, of the same size. Weights are without biases."
    yield "Mult-adds by FFT are an estimate, the others exact."


def _input(layer: Layer) -> Sequence[int]:
    return layer.input if isinstance(layer, FullyConnected) else (layer.height, layer.width, layer.channels)


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _product(factors: Sequence[int]) -> str:
    return "·".join(f"{factor:,}" for factor in factors) if math.prod(factors) != 0 else "0"

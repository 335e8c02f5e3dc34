"""Receptive fields of tensors: each operation's rule for what its output sees of the picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from cnnexp.anatomy.axis import (
    Axis,
    adaptive_window,
    interpolated,
    repeated,
    transposed_window,
    window,
)
from cnnexp.anatomy.places import Seen, along, hull, joined, moved, tensors_of

Rule = Callable[[Seen, Sequence[Any], dict[str, Any], Tensor], Seen]


def seen_by(name: str, arguments: Sequence[Any], options: dict[str, Any], output: Tensor, seen: Sequence[Seen]) -> Seen:
    """What an operation's output sees.

    The statistics of a normalisation are not counted, as usual: group norm sees no more than its input does.

    Args:
        name: of the operation in torch's `aten`. arguments, options: it was called with.
        seen: what the tensors among the arguments see, in their order; () for weights.
    """
    given = [one for one in seen if one]
    if not given:
        return ()
    if name in _MATRIX:
        return _matrix(seen[-2:], tensors_of(arguments)[-2:])
    if name in _MIXING:
        return hull([place for one in given for place in one], len(given[0]))
    if name == "cat":
        dim = (arguments[1] if len(arguments) > 1 else options.get("dim", 0)) % output.ndim
        seen = [_read_along({dim}, one) for one in seen]
    elif rule := RULES.get(name):
        return rule(given[0], arguments, options, output)
    return joined(arguments, seen, output)


def _convolution(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    tensor, weight, _, stride, padding, dilation, transposed, *_ = arguments
    rule = transposed_window if transposed else window
    n = weight.ndim - 2

    def change(axis: Axis, dim: int, positions: int) -> Axis | None:
        at = dim - 2
        if at < 0:
            return axis.of_all(positions)
        kernel = weight.shape[dim]
        return rule(axis, kernel, _nth(stride, at, n), _nth(padding, at, n), _nth(dilation, at, n))

    return along(seen, tensor, output, change)


def _pooling(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor, dilated: bool) -> Seen:
    tensor, kernel, *rest = arguments
    n = len(kernel)
    stride, padding = (rest[0] if rest and rest[0] else kernel), (rest[1] if len(rest) > 1 else [0])
    dilation = rest[2] if dilated and len(rest) > 2 else [1]

    def change(axis: Axis, dim: int, positions: int) -> Axis | None:
        at = dim - (tensor.ndim - n)
        if at < 0:
            return None
        return window(axis, _nth(kernel, at, n), _nth(stride, at, n), _nth(padding, at, n), _nth(dilation, at, n))

    return along(seen, tensor, output, change)


def _resized(resize: Callable[[Axis, int, int], Axis]) -> Rule:
    """For what fits any size into any other: adaptive pooling, interpolation."""

    def rule(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
        def change(axis: Axis, dim: int, positions: int) -> Axis | None:
            size = output.shape[dim]
            return None if size == positions else resize(axis, positions, size)

        return along(seen, arguments[0], output, change)

    return rule


def _interpolation(taps: int) -> Rule:
    def rule(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
        corners = len(arguments) > 2 and arguments[2] is True
        resize = _resized(lambda axis, size, outputs: interpolated(axis, size, outputs, taps, corners))
        return resize(seen, arguments, options, output)

    return rule


def _pixel_shuffled(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    factor = arguments[1]
    return along(seen, arguments[0], output, lambda axis, dim, positions: repeated(axis, factor))


def _pixel_unshuffled(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    factor = arguments[1]
    return along(seen, arguments[0], output, lambda axis, dim, positions: window(axis, factor, factor, 0))


def _padded(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    tensor, amounts = arguments[0], arguments[1]

    def change(axis: Axis, dim: int, positions: int) -> Axis | None:
        pair = 2 * (tensor.ndim - 1 - dim)
        before = amounts[pair] if pair < len(amounts) else 0
        return axis.through(lambda o: o - before, lambda o: o - before)

    return along(seen, tensor, output, change)


def _viewed(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    """A view keeps the order of the numbers: a position is found again by how many numbers stand behind it."""
    tensor = arguments[0]
    found = []
    for place in seen:
        if place.dim is not None:
            apart = place.inner * math.prod(tensor.shape[place.dim + 1 :])
            where = _dim_of(output.shape, apart, place.count)
            place = place.gone() if where is None else replace(place, dim=where[0], inner=where[1])
        found.append(place)
    return tuple(found)


def _dim_of(shape: Sequence[int], apart: int, count: int) -> tuple[int, int] | None:
    """The dimension that holds positions so many numbers apart, and how many numbers of it lie between two."""
    behind = 1
    for dim in range(len(shape) - 1, -1, -1):
        size = shape[dim]
        if (
            size > 1
            and apart % behind == 0
            and apart * count <= behind * size
            and size % (apart // behind * count) == 0
        ):
            return dim, apart // behind
        behind *= size
    return None


def _permuted(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    order = [dim % output.ndim for dim in arguments[1]]
    return moved(seen, order.index)


def _transposed(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    one, other = (dim % output.ndim for dim in (arguments[1:3] if len(arguments) > 2 else (0, 1)))
    return moved(seen, lambda dim: {one: other, other: one}.get(dim, dim) if output.ndim > 1 else dim)


def _unsqueezed(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    new = arguments[1] % output.ndim
    return moved(seen, lambda dim: dim + (dim >= new))


def _squeezed(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    tensor = arguments[0]
    asked = arguments[1] if len(arguments) > 1 else range(tensor.ndim)
    dims = {dim % tensor.ndim for dim in ([asked] if isinstance(asked, int) else asked)}
    return _without({dim for dim in dims if tensor.shape[dim] == 1}, seen)


def _without(dims: set[int], seen: Seen) -> Seen:
    return moved(seen, lambda dim: None if dim in dims else dim - sum(one < dim for one in dims))


def _reduced(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    return _without_dims(seen, arguments[0], arguments[1] if len(arguments) > 1 else options.get("dim"), output)


def _normed(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    return _without_dims(seen, arguments[0], arguments[2] if len(arguments) > 2 else options.get("dim"), output)


def _without_dims(seen: Seen, tensor: Tensor, asked: int | Sequence[int] | None, output: Tensor) -> Seen:
    """Some dimensions taken together, or all; they may stay with a single number."""
    listed = [asked] if isinstance(asked, int) else asked
    dims = {dim % tensor.ndim for dim in listed or range(tensor.ndim)}
    return _read_along(dims, seen) if output.ndim == tensor.ndim else _without(dims, seen)


def _softmaxed(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    return _read_along({arguments[1] % output.ndim}, seen)


def _flipped(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    return _read_along({dim % output.ndim for dim in arguments[1]}, seen)


def _read_along(dims: set[int], seen: Seen) -> Seen:
    return tuple(place.gone() if place.dim in dims else place for place in seen)


def _selected(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    return _without({arguments[1] % arguments[0].ndim}, seen)


def _sliced(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    tensor, of, start, _, step = (*arguments, *(None,) * 5)[:5]
    if output.shape == tensor.shape:
        return seen
    of, start, step = (of or 0) % tensor.ndim, start or 0, step or 1
    begin = max(0, start + tensor.shape[of]) if start < 0 else start

    def change(axis: Axis, dim: int, positions: int) -> Axis | None:
        taken = axis.through(lambda o: begin + o * step, lambda o: begin + o * step, moves=step)
        return taken if dim == of else None

    return along(seen, tensor, output, change)


def _matrix(seen: Sequence[Seen], factors: Sequence[Tensor]) -> Seen:
    """A product of matrices: rows of the left one and columns of the right one stay, what is summed over is gone."""
    left, right = factors
    rows, columns = _read_along({left.ndim - 1}, seen[0]), _read_along({right.ndim - 2}, seen[1])
    return hull([*rows, *columns], len(rows)) if rows and columns else rows or columns


def _nth(values: Sequence[int], at: int, n: int) -> int:
    """An entry of a list that may have one entry for all dimensions."""
    return int(values[at] if len(values) == n else values[0])


def _max_pooling(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    return _pooling(seen, arguments, options, output, dilated=True)


def _average_pooling(seen: Seen, arguments: Sequence[Any], options: dict[str, Any], output: Tensor) -> Seen:
    return _pooling(seen, arguments, options, output, dilated=False)


_REDUCTIONS = ["mean", "sum", "amax", "amin", "max", "min", "argmax", "var", "var_mean", "std", "prod", "logsumexp"]
RULES: dict[str, Rule] = {
    "convolution": _convolution,
    "embedding": lambda seen, *_: seen,  # a row for each position
    **dict.fromkeys(["max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d"], _max_pooling),
    **dict.fromkeys(["avg_pool1d", "avg_pool2d", "avg_pool3d"], _average_pooling),
    **dict.fromkeys(
        ["_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d"],
        _resized(adaptive_window),
    ),
    **dict.fromkeys(["upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"], _interpolation(1)),
    **dict.fromkeys(["upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"], _interpolation(2)),
    "upsample_bicubic2d": _interpolation(4),
    **dict.fromkeys(
        [f"{how}_pad{n}d" for how in ("reflection", "replication") for n in (1, 2, 3)] + ["constant_pad_nd"], _padded
    ),
    **dict.fromkeys(["view", "_unsafe_view", "reshape", "_reshape_alias"], _viewed),
    "pixel_shuffle": _pixel_shuffled,
    "pixel_unshuffle": _pixel_unshuffled,
    "permute": _permuted,
    **dict.fromkeys(["transpose", "t"], _transposed),
    "unsqueeze": _unsqueezed,
    "squeeze": _squeezed,
    **dict.fromkeys(_REDUCTIONS, _reduced),
    **dict.fromkeys(["linalg_vector_norm", "norm"], _normed),
    **dict.fromkeys(["_softmax", "_log_softmax", "cumsum", "sort"], _softmaxed),
    "flip": _flipped,
    "select": _selected,
    "slice": _sliced,
}
_MATRIX = {"mm", "addmm", "bmm", "baddbmm"}
_MIXING = {"index", "gather", "roll", "im2col", "col2im", "grid_sampler_2d", "_fft_r2c", "_fft_c2r", "_fft_c2c"}
_MIXING |= {f"_scaled_dot_product_{kind}" for kind in ("flash_attention", "efficient_attention", "cudnn_attention")}
_MIXING |= {"_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_fused_attention_overrideable"}

"""A net as plain figures: its layers in the order of the forward pass, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.anatomy.memory import Optimizer, training_memory
from cnnexp.anatomy.places import Place, of_picture
from cnnexp.anatomy.trace import Call, Trace, traced

_SETTINGS = ("kernel_size", "stride", "padding", "dilation")


def describe(
    net: nn.Module, input_shape: Sequence[int], name: str, sample: Sequence[Tensor] | None = None
) -> dict[str, Any]:
    """Lead one picture through a net and say what every module makes of it.

    Args:
        net: on any device; on the meta device nothing is computed. input_shape: channels and sizes of a picture.
        sample: the net's arguments for one sample, on the net's device, where they are others than a tensor of that
            shape; receptive fields are those in the first.

    Returns:
        ``model``, ``input``, ``input_activations`` (its numbers), ``stem`` where the net chose one, ``layers`` and
        ``totals`` (parameters, trainable, multiply_adds, activation_bytes). A layer has its name, type, depth in the
        tree of modules, ``parts`` (whether modules of its own follow), ``order`` of its first call, number of calls,
        output shape without the batch and its ``activations``, the numbers in it; kernel, stride, padding, dilation,
        groups and ``ceil_mode`` (whether sizes are rounded up) where it has them, inputs of each unit of a linear
        layer; the figures that are its own and not its parts': parameters, multiply-adds and bytes of activations for
        one picture; and its output's receptive field.
    """
    first = next((parameter for parameter in net.parameters()), torch.empty(0))
    picture, *others = sample or (torch.zeros(1, *input_shape, device=first.device, dtype=first.dtype),)
    with torch.device(first.device):
        trace = traced(net, picture, *others)
    layers = list(_layers(net, trace, [place.count for place in of_picture(picture)]))
    parameters = list(net.parameters())
    stem = getattr(net, "stem", None)
    return {
        "model": name,
        "input": list(input_shape),
        "input_activations": math.prod(input_shape),
        **({"stem": stem} if isinstance(stem, str) else {}),
        "layers": layers,
        "totals": {
            "parameters": sum(p.numel() for p in parameters),
            "trainable": sum(p.numel() for p in parameters if p.requires_grad),
            "multiply_adds": sum(layer["multiply_adds"] for layer in layers),
            "activation_bytes": sum(layer["activation_bytes"] for layer in layers),
        },
    }


def describe_step(
    net: nn.Module,
    input_shape: Sequence[int],
    batch_size: int,
    optimizer: Optimizer,
    batch: Sequence[Tensor] | None = None,
) -> dict[str, Any]:
    """Bytes of a training step of a net on the meta device, estimated: see `training_memory`.

    Args:
        batch: the net's arguments, where they are others than a tensor of that shape.
    """
    with torch.device("meta"):
        first, *others = batch or (torch.empty(batch_size, *input_shape),)
        memory = training_memory(net, first, optimizer, others)
    return {
        "batch_size": batch_size,
        "weights_bytes": memory.weights,
        "optimizer_bytes": memory.optimizer,
        "step_bytes": memory.step,
        "bytes": memory.total,
    }


def _layers(net: nn.Module, trace: Trace, pixels: Sequence[int]) -> Iterator[dict[str, Any]]:
    modules, rank = dict(net.named_modules()), {name: number for number, name in enumerate(trace.modules)}
    counted: set[int] = set()
    for name in _in_order(net, rank):
        module, call = modules[name], trace.modules.get(name, Call())
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted.update(map(id, own))
        parts = any(True for _ in module.children())
        numbers = sum(parameter.numel() for parameter in own)
        if name and not parts and not numbers and (isinstance(module, nn.Identity) or not call.calls):
            continue
        if not name and parts and not (numbers or call.multiply_adds or call.activation_bytes):
            continue  # the net itself does nothing beside its parts
        yield {
            "name": name or type(net).__name__,
            "type": type(module).__name__,
            "depth": name.count(".") + 1 if name else 0,
            "parts": parts,
            "order": rank.get(name),
            "calls": call.calls,
            "output": None if call.shape is None else list(call.shape),
            "activations": None if call.shape is None else math.prod(call.shape),
            **_settings(module),
            "parameters": numbers,
            "multiply_adds": call.multiply_adds,
            "activation_bytes": call.activation_bytes,
            "receptive_field": _receptive_field(call.seen, pixels),
        }


def _in_order(net: nn.Module, rank: Mapping[str, int]) -> Iterator[str]:
    """Names of all modules as a tree, parts in the order in which the net came to them; those never called last."""

    def first_of(name: str, module: nn.Module) -> int:
        inside = (rank.get(f"{name}.{part}" if part else name) for part, _ in module.named_modules())
        return min((one for one in inside if one is not None), default=len(rank))

    def walk(name: str, module: nn.Module) -> Iterator[str]:
        yield name
        parts = [(f"{name}.{part}" if name else part, child) for part, child in module.named_children()]
        for part, child in sorted(parts, key=lambda one: first_of(*one)):
            yield from walk(part, child)

    yield from walk("", net)


def _settings(module: nn.Module) -> dict[str, Any]:
    """Kernel, stride, padding, dilation, groups, rounding of a convolution or a pooling; inputs of a linear layer."""
    if isinstance(module, nn.Linear):
        return {"inputs": module.in_features}
    kernel = getattr(module, "kernel_size", None)
    if not isinstance(kernel, (int, tuple)):
        return {}
    weight = getattr(module, "weight", None)
    dims = len(kernel) if isinstance(kernel, tuple) else weight.ndim - 2 if isinstance(weight, Tensor) else 2
    found: dict[str, Any] = {key.removesuffix("_size"): _each(getattr(module, key, None), dims) for key in _SETTINGS}
    found["groups"] = getattr(module, "groups", 1)
    found["ceil_mode"] = getattr(module, "ceil_mode", None)
    return {key: value for key, value in found.items() if value is not None}


def _each(value: Any, dims: int) -> list[int] | str | None:
    """A number for each dimension."""
    if isinstance(value, int):
        return [value] * dims
    return list(value) if isinstance(value, (tuple, list)) else value


def _receptive_field(seen: Sequence[Place], pixels: Sequence[int]) -> dict[str, Any] | None:
    """Size, stride and first pixel along each dimension of the picture; ``whole`` where nothing of it is left out.

    What reads all positions (a fully connected layer, a global pooling) has the stride 0, and its size ends with the
    picture; otherwise the size is that of a field in the middle of a picture large enough to hold it.
    """
    if not seen:
        return None
    spans = [place.axis.within(0, count) for place, count in zip(seen, pixels, strict=True)]
    sizes = [
        last - first + 1 if place.dim is None else place.axis.size
        for place, (first, last) in zip(seen, spans, strict=True)
    ]
    return {
        "size": sizes,
        "stride": [_plain(place.axis.stride) for place in seen],
        "offset": [
            first if place.dim is None else place.axis.offset for place, (first, _) in zip(seen, spans, strict=True)
        ],
        "whole": all(place.dim is None for place in seen)
        and all(last - first + 1 >= count for (first, last), count in zip(spans, pixels, strict=True)),
    }


def _plain(stride: Any) -> int | float:
    return int(stride) if stride == int(stride) else float(stride)

"""A net as a short list of stages from its input to its output: what is frozen, or learns at a rate of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

DOMINATING = 0.6  # of the parameters' number: a child with more of them than this is looked into
FEW = 8  # so many parts are stages as they are; more are put together between down-samplings

_FOLLOWING = (
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.LocalResponseNorm,
    nn.PReLU,
)
"""They may have weights, and belong to the layer before them."""
_STRIDED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool2d, nn.AvgPool3d)


@dataclass(frozen=True)
class Stage:
    """Neighbouring parts of a net.

    Attributes:
        name: that of the first part with weights, and of the last where there are several (``features.3–features.5``).
        parts: dotted names of modules, or of parameters that belong to no smaller module.
    """

    name: str
    parts: tuple[str, ...]

    def modules(self, net: nn.Module) -> list[nn.Module]:
        """The modules among the parts."""
        known = dict(net.named_modules())
        return [known[part] for part in self.parts if part in known]

    def holds(self, name: str) -> bool:
        """Whether a parameter or buffer of this name lies in the stage."""
        return any(name == part or name.startswith(f"{part}.") for part in self.parts)

    def parameters(self, net: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
        """Names, as in the whole net, and parameters."""
        return ((name, parameter) for name, parameter in net.named_parameters() if self.holds(name))


def stages_of(net: nn.Module) -> list[Stage]:
    """The stages of a net, from its input to its output; the last one is the head, the layer that gives the answers.

    Every parameter and every module with parameters lies in exactly one stage. A net may say them itself, by a method
    ``stage_parts`` that returns lists of part names. For all others: the children of the net, a norm together with
    what stands before it. A child that holds nearly everything (``features``) is looked into, and its children are cut
    before each one that halves the resolution. What has no weights and stands beside the head, such as a dropout,
    belongs to it.

    Raises:
        ValueError: the net has no layer with weights.
    """
    own = getattr(net, "stage_parts", None)
    if callable(own) and not isinstance(own, nn.Module):
        return [_named(net, list(parts)) for parts in own()]
    head = output_layers(net)
    units, looked_into = _units(net, head)
    body = [unit for unit in units if unit not in head]
    beside = list(head)
    while body and not _weighs(net, body[-1]) and _siblings(body[-1], head[0]):
        beside.append(body.pop())
    if not any(_weighs(net, unit) for unit in body):  # a head alone
        beside, body = units, []
    last = [unit for unit in units if unit in beside]
    return [_named(net, group) for group in [*_grouped(net, body, looked_into), last]]


def head_of(net: nn.Module) -> Stage:
    """The stage that gives the answers."""
    return stages_of(net)[-1]


def output_layers(net: nn.Module) -> list[str]:
    """Names of the layers that give the answers: some nets say it, in others it is the last layer with weights.

    timm's nets say it in their ``pretrained_cfg``, ours in ``class_layers``.

    Raises:
        ValueError: the net has no layer with weights.
    """
    said: Any = getattr(net, "class_layers", None) or (getattr(net, "pretrained_cfg", None) or {}).get("classifier")
    names = [said] if isinstance(said, str) else list(said or ())
    modules = dict(net.named_modules())
    if names and all(name in modules and _weighs(net, name) for name in names):
        return names
    layers = [
        name
        for name, module in modules.items()
        if name and next(module.parameters(recurse=False), None) is not None and not isinstance(module, _FOLLOWING)
    ]
    if not layers:
        raise ValueError("the net has no layer with weights")
    return layers[-1:]


def _units(net: nn.Module, head: list[str]) -> tuple[list[str], bool]:
    """Part names in order, with the head among them; and whether a child that dominates was looked into."""
    total = max(1, len(list(net.parameters())))
    units: list[str] = [name for name, _ in net.named_parameters(recurse=False)]
    looked_into = False
    for name, _ in net.named_children():
        found, deeper = _opened(net, name, head, total)
        units += found
        looked_into |= deeper
    return units, looked_into


def _opened(net: nn.Module, name: str, head: list[str], total: int) -> tuple[list[str], bool]:
    """A part, or its own parts where it holds the head or nearly everything."""
    module = net.get_submodule(name)
    children = [child for child, _ in module.named_children()]
    holds_head = any(one.startswith(f"{name}.") for one in head)
    dominates = len(list(module.parameters())) > DOMINATING * total and _is_row(module)
    if name in head or not children or not (holds_head or dominates):
        return [name], False
    units = [f"{name}.{own}" for own, _ in module.named_parameters(recurse=False)]
    for child in children:
        units += _opened(net, f"{name}.{child}", head, total)[0]
    return units, dominates


def _is_row(module: nn.Module) -> bool:
    """Several resolutions in a row, or many like blocks, rather than the blocks of one resolution."""
    halves = [_halves(child) for child in module.children()]
    return len(halves) > 1 and (any(halves[1:]) or not any(halves))


def _grouped(net: nn.Module, units: list[str], looked_into: bool) -> list[list[str]]:
    """Neighbouring units put together: cut before each that halves the resolution, or before each that has weights."""
    modules = dict(net.named_modules())
    weighted = [name for name in units if _starts(net, name)]
    if looked_into or len(weighted) > FEW:
        groups = _cut(net, units, [name in modules and _halves(modules[name]) for name in units])
        if len(groups) > 1:
            return groups
    return _cut(net, units, [name in weighted for name in units])


def _cut(net: nn.Module, units: list[str], begins: list[bool]) -> list[list[str]]:
    """Groups of units, each with weights: what comes before the first weights, or after the last, is no group."""
    groups: list[list[str]] = []
    for name, begin in zip(units, begins, strict=True):
        if groups and not (begin and any(_starts(net, one) for one in groups[-1])):
            groups[-1].append(name)
        else:
            groups.append([name])
    if len(groups) > 1 and not any(_weighs(net, name) for name in groups[-1]):
        behind = groups.pop()
        groups[-1] += behind
    return groups


def _halves(module: nn.Module) -> bool:
    """Whether a convolution or pool with a stride is in it."""
    for one in module.modules():
        if isinstance(one, _STRIDED):
            stride = one.stride if isinstance(one.stride, tuple) else (one.stride,)
            if max(stride) > 1:
                return True
    return False


def _weighs(net: nn.Module, name: str) -> bool:
    return any(own == name or own.startswith(f"{name}.") for own, _ in net.named_parameters())


def _starts(net: nn.Module, name: str) -> bool:
    """Whether a part has weights and is no norm, which belongs to what stands before it."""
    modules = dict(net.named_modules())
    return name in modules and _weighs(net, name) and not isinstance(modules[name], _FOLLOWING)


def _siblings(name: str, head: str) -> bool:
    parent = head.rpartition(".")[0]
    return bool(parent) and name.rpartition(".")[0] == parent


def _named(net: nn.Module, parts: list[str]) -> Stage:
    named = [part for part in parts if _starts(net, part)] or parts
    name = named[0] if len(named) == 1 else f"{named[0]}–{named[-1]}"
    return Stage(name, tuple(parts))

"""Weights of one net for a deeper one of its family, by stage and position.

So the VGG nets were trained (Simonyan and Zisserman 2014, section 3.1): the deeper ones began with layers of the
shallowest. By name nearly nothing of VGG-11 would fit VGG-13, since each layer is numbered in a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.stages import Stage, stages_of

KINDS: tuple[tuple[type[nn.Module], str], ...] = ((nn.Conv2d, "convolutions"), (nn.Linear, "linear layers"))
"""Of which the report counts how many went over."""


def match_by_stage(net: nn.Module, source: nn.Module, state: Mapping[str, Tensor]) -> tuple[dict[str, str], str]:
    """Pair the i-th layer of a kind in a stage with the i-th of that kind in the source's stage of the same number.

    A pair counts where all shapes agree, so a 1x1 convolution is no start for a 3x3 one. Stages are those of
    ``stages_of``; the heads are stages too.

    Args:
        source: the net that the state dict is of; its own weights play no part.

    Returns:
        Names of the net's tensors → names in the state dict; and in words how many layers of the source went over.

    Raises:
        InputError: the nets have different numbers of stages.
    """
    own, others = stages_of(net), stages_of(source)
    if len(own) != len(others):
        raise InputError(
            f"model.match=stages: the net has {len(own)} stages ({_named(own)}), the run's has {len(others)} "
            f"({_named(others)}); they have to be as many"
        )
    names: dict[str, str] = {}
    taken: Counter[type] = Counter()
    shapes = {name: value.shape for name, value in net.state_dict().items()}
    for one, other in zip(own, others, strict=True):
        for mine, theirs in _pairs(net, one, source, other):
            pairs = {f"{mine}.{tensor}": f"{theirs}.{tensor}" for tensor in _tensors(net.get_submodule(mine))}
            if all(given in state and state[given].shape == shapes[name] for name, given in pairs.items()):
                names |= pairs
                taken[type(net.get_submodule(mine))] += 1
    total = Counter(type(layer) for layer in source.modules())
    return names, " and ".join(f"{taken[kind]} of its {total[kind]} {word}" for kind, word in KINDS if total[kind])


def _pairs(net: nn.Module, own: Stage, source: nn.Module, other: Stage) -> Iterator[tuple[str, str]]:
    """Names of layers of one kind at one position."""
    mine, theirs = _layers(net, own), _layers(source, other)
    for kind, names in mine.items():
        yield from zip(names, theirs.get(kind, []), strict=False)  # those behind have no counterpart


def _layers(net: nn.Module, stage: Stage) -> dict[type, list[str]]:
    """Layers with weights of a stage by their kind, in order."""
    found: dict[type, list[str]] = {}
    for name, module in net.named_modules():
        if name and stage.holds(name) and next(module.parameters(recurse=False), None) is not None:
            found.setdefault(type(module), []).append(name)
    return found


def _tensors(layer: nn.Module) -> list[str]:
    """Names of a layer's own weights and statistics."""
    return [name for name in layer.state_dict() if "." not in name]


def _named(stages: list[Stage]) -> str:
    return ", ".join(stage.name for stage in stages)

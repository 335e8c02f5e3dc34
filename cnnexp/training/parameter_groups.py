"""What the optimizer is given: weights that decay apart from those that don't, and a learning rate for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.stages import Stage, stages_of


def decays(weight: Tensor, everything: bool = False) -> bool:
    """Whether weight decay and penalties are for this parameter: not for biases and norms, which are vectors.

    Args:
        everything: they are for those too.
    """
    return everything or weight.ndim >= 2


def parameter_groups(
    net: nn.Module, everything: bool = False, rates: Sequence[float] | float | None = None
) -> list[dict[str, Any]]:
    """Groups for an optimizer, each with ``params``, a ``rate`` to multiply the learning rate by, and where its
    parameters do not decay ``weight_decay`` 0.

    Args:
        everything: biases and norms decay too.
        rates: a factor for each stage from the input to the head; or one number, the factor from each stage to the
            one before it (0.5 for three stages is 0.25, 0.5, 1). None for one rate.

    Raises:
        InputError: there are not as many rates as stages.
    """
    trainable = {name: weight for name, weight in net.named_parameters() if weight.requires_grad}
    factors = _rates_by_name(net, rates)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, weight in trainable.items():
        groups.setdefault((factors.get(name, 1.0), decays(weight, everything)), []).append(weight)
    return [
        {"params": weights, "rate": rate, **({} if decaying else {"weight_decay": 0.0})}
        for (rate, decaying), weights in groups.items()
    ]


def stage_rates(stages: Sequence[Stage], rates: Sequence[float] | float) -> list[float]:
    """The factor of each stage.

    Raises:
        InputError: as for ``parameter_groups``.
    """
    if isinstance(rates, (int, float)):
        return [float(rates) ** (len(stages) - 1 - place) for place in range(len(stages))]
    if len(rates) != len(stages):
        names = ", ".join(stage.name for stage in stages)
        raise InputError(
            f"optimizer.stage_rates={list(rates)}: expected {len(stages)} factors, one for each stage of the net "
            f"({names}), or one number that each earlier stage is multiplied by"
        )
    return [float(rate) for rate in rates]


def _rates_by_name(net: nn.Module, rates: Sequence[float] | float | None) -> dict[str, float]:
    if rates is None:
        return {}
    stages = stages_of(net)
    factors = stage_rates(stages, rates)
    return {name: factor for stage, factor in zip(stages, factors, strict=True) for name, _ in stage.parameters(net)}

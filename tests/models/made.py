"""What tests of several nets ask of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def parameters(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def counted(make: Callable[[], nn.Module]) -> int:
    """Parameters of a net that is made without memory."""
    with torch.device("meta"):
        return parameters(make())


def shapes(net: nn.Module, names: Sequence[str], picture: Tensor) -> dict[str, tuple[int, ...]]:
    """What the named modules put out for a picture, without the batch."""
    found: dict[str, tuple[int, ...]] = {}
    hooks = [
        net.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: found.__setitem__(name, tuple(output.shape[1:]))
        )
        for name in names
    ]
    net(picture)
    for hook in hooks:
        hook.remove()
    return found


def meta_shapes(
    make: Callable[[], nn.Module], names: Sequence[str], shape: tuple[int, int, int]
) -> dict[str, tuple[int, ...]]:
    """The same without computing anything."""
    with torch.device("meta"):
        return shapes(make().eval(), names, torch.empty(1, *shape))


def learns(net: nn.Module, picture: Tensor) -> None:
    """Every weight gets a finite gradient from the answer (of all heads), and some weight of each tensor one at all."""
    answer = net.train()(picture)
    answers = answer if isinstance(answer, tuple) else (answer,)
    torch.stack([one.logsumexp(1).sum() - one[:, 0].sum() for one in answers]).sum().backward()
    for name, weights in net.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.isfinite().all(), name
        assert weights.grad.any(), f"{name} has no part in the answer"

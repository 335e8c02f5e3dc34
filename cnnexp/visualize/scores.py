"""One number for each picture that a net says of it: a class's score, or what a layer, a channel, a unit of it answers.

All are functions of what the net takes, so that they have gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Score = Callable[[Tensor], Tensor]
"""Prepared pictures (B, C, H, W) → (B,)."""


class Tapped:
    """While open, the outputs of a module in its last forward pass, with their gradients: ``tapped.output``.

    Of a module that is called several times the last call counts. It is a copy, as a later module may write into its
    input.
    """

    def __init__(self, net: nn.Module, layer: str) -> None:
        self._module = net.get_submodule(layer)
        self._hook: Any = None
        self._output: Tensor | None = None

    def __enter__(self) -> Tapped:
        self._hook = self._module.register_forward_hook(self._keep)
        return self

    def __exit__(self, *error: object) -> None:
        self._hook.remove()
        self._output = None

    @property
    def output(self) -> Tensor:
        """(B, …).

        Raises:
            ValueError: the module was not called, or answers no tensor.
        """
        if self._output is None:
            raise ValueError("the layer was not called, or answers something else than a tensor")
        return self._output

    def _keep(self, _: nn.Module, __: Any, output: Any) -> None:
        self._output = output.clone() if isinstance(output, Tensor) else None


def class_score(net: nn.Module, number: int) -> Score:
    """A class's logit; where the net answers for every pixel (B, K, H, W), the mean over them."""

    def score(x: Tensor) -> Tensor:
        logits: Tensor = net(x)
        return logits[:, number].reshape(len(logits), -1).mean(1)

    return score


def layer_score(net: nn.Module, layer: str, channel: int | None = None, place: tuple[int, ...] | None = None) -> Score:
    """The mean of a layer's output, of one of its channels, or of one unit of that.

    Args:
        layer: dotted. channel: from 0. place: row and column on the map, with a channel.
    """

    def score(x: Tensor) -> Tensor:
        with Tapped(net, layer) as tapped:
            net(x)
            output = tapped.output
        if channel is not None:
            output = output[:, channel]
        for position in place or ():
            output = output.select(1, position)
        return output.reshape(len(x), -1).mean(1)

    return score

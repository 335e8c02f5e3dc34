"""The feature maps of a net's layers, and by how many pixels of the picture a step on each of them goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.visualize.hooks import Note, looking_on

_STRIDED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d)
_CHANGES_NO_PLACE = ("Pad2d", "BatchNorm2d", "Dropout", "Identity")
"""Parts of the names of modules whose maps say nothing of their own."""
_ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SiLU, nn.GELU, nn.LocalResponseNorm)
MOST_LAYERS = 8


@dataclass(frozen=True)
class Layer:
    """A module whose output is a stack of maps.

    Attributes:
        name: dotted. stride: total, rows and columns of the picture for a step on the map. size: height and width.
    """

    name: str
    stride: tuple[int, int]
    size: tuple[int, int]


class Maps:
    """While open, the outputs of some modules in the last forward pass: ``maps["conv1"]`` is (B, C, H, W).

    A copy is kept, as a later module may write into its input.
    """

    def __init__(self, net: nn.Module, names: Sequence[str]) -> None:
        self._modules = {name: net.get_submodule(name) for name in names}
        self._hooks: list[Any] = []
        self._kept: dict[str, Tensor] = {}

    def __enter__(self) -> Maps:
        self._hooks = [module.register_forward_hook(self._keeping(name)) for name, module in self._modules.items()]
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def __getitem__(self, name: str) -> Tensor:
        return self._kept[name]

    def _keeping(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def keep(_: nn.Module, __: Any, output: Any) -> None:
            self._kept[name] = output.detach().clone()

        return keep


def layers_with_maps(net: nn.Module, image: Tensor) -> list[Layer]:
    """The modules that make maps of more than one pixel, in the order of the forward pass.

    Activations, norms and containers that hand on what their last part made are left out, and so is what follows a
    change of size whose stride is not known (a resampling, say).

    Args:
        net: in evaluation mode. image: one prepared picture, (1, C, H, W).
    """
    return _tracked(net, image).layers


def names_with_maps(net: nn.Module, image: Tensor) -> list[str]:
    """The names of the same modules and of those whose stride is not known: of a net that pads its picture, all."""
    return _tracked(net, image).names


def _tracked(net: nn.Module, image: Tensor) -> _Tracker:
    tracker = _Tracker((image.shape[-2], image.shape[-1]))
    with torch.no_grad(), looking_on(net, tracker.noting):
        net(image)
    return tracker


def spread(layers: Sequence[Layer], most: int = MOST_LAYERS) -> list[Layer]:
    """At most so many of the layers, evenly over the depth, the first and the last among them."""
    if len(layers) <= most:
        return list(layers)
    return [layers[round(place * (len(layers) - 1) / (most - 1))] for place in range(most)]


class _Tracker:
    """Follows the size of the maps through the net: a size has the stride of what made it.

    Of what is no convolution or pool (a shortcut that takes every second pixel, say) the stride is that of other maps
    of this size.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.layers: list[Layer] = []
        self.names: list[str] = []
        self._strides: list[dict[int, int | None]] = [{size[0]: 1}, {size[1]: 1}]
        self._seen: list[Tensor] = []  # kept, so that no other tensor gets the identity of one of them

    def noting(self, name: str) -> Note:
        def note(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and inputs and isinstance(inputs[0], Tensor):
                self._note(name, module, inputs[0], output)

        return note

    def _note(self, name: str, module: nn.Module, given: Tensor, output: Tensor) -> None:
        size = (output.shape[-2], output.shape[-1])
        is_leaf = next(module.children(), None) is None
        if is_leaf and given.ndim == 4:
            for axis in (0, 1):
                self._follow(module, axis, given.shape[axis - 2], size[axis])
        handed_on = any(output is one for one in self._seen)
        # An activation of a sum that no module made stands at the end of a residual block: the maps are the block's.
        of_a_sum = isinstance(module, _ACTIVATIONS) and not any(given is one for one in self._seen)
        if not of_a_sum:
            self._seen.append(output)
        stride = tuple(known.get(side) for known, side in zip(self._strides, size, strict=True))
        plain = isinstance(module, _ACTIVATIONS) or any(word in type(module).__name__ for word in _CHANGES_NO_PLACE)
        if min(size) > 1 and not plain and not handed_on:
            self.names.append(name)
            if stride[0] is not None and stride[1] is not None:
                self.layers.append(Layer(name, (stride[0], stride[1]), size))

    def _follow(self, module: nn.Module, axis: int, before: int, after: int) -> None:
        if isinstance(module, _STRIDED):
            own = module.stride or module.kernel_size
            step = int(own[axis] if isinstance(own, tuple) else own)
        elif before == after or "Pad2d" in type(module).__name__:
            step = 1
        else:
            self._strides[axis].setdefault(after, None)
            return
        known = self._strides[axis].get(before)
        self._strides[axis][after] = None if known is None else known * step

"""How deep a net is: layers with weights one behind another."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cnnexp.anatomy.places import tensors_of
from cnnexp.anatomy.shapes import run

_LAYERS = {"convolution", "addmm", "mm", "linear", "baddbmm", "bmm"}
"""Operations that a convolution or a dense layer becomes, where one of their tensors is a weight."""


def depth_of(net: nn.Module, picture: Tensor) -> int:
    """Convolutions and dense layers on the longest path from a picture to the answer.

    As papers count: ResNet-50 has 50, VGG-16 16, GoogLeNet 22, DenseNet-121 121. What stands on a shorter branch (a
    projection in a shortcut) does not count; what stands on a longer one does, even if it only weighs maps, such as the
    two layers of a squeeze and excitation: SE-ResNet-50 has 50 + 2·16. Products of two activations (attention) are no
    layers, the dense layers before and behind them are. Norms, embeddings and poolings do not count.

    Args:
        net: on the meta device or any other. picture: (1, C, H, W), on the same device.
    """
    counter = _Counter(net, picture)
    training = net.training
    try:
        with torch.no_grad(), counter:
            answer = net.eval()(picture)
    finally:
        net.train(training)
    return max((counter.depth(one) for one in tensors_of([answer])), default=0)


class _Counter(TorchDispatchMode):
    """Notes with each tensor how many layers led to it, and which tensors are weights or views of them."""

    def __init__(self, net: nn.Module, picture: Tensor) -> None:
        super().__init__()
        self._depths: dict[int, int] = {_storage(picture): 0}
        self._weights = {_storage(one) for one in net.parameters()}
        self._kept: list[Tensor] = []  # a freed tensor's storage would be given to another one

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = run(func, args, kwargs or {})
        given = tensors_of(args)
        weighs = any(_storage(one) in self._weights for one in given)
        of_picture = [self._depths[_storage(one)] for one in given if _storage(one) in self._depths]
        for one in tensors_of([out]):
            self._kept.append(one)
            if of_picture:
                layer = weighs and func.overloadpacket.__name__ in _LAYERS
                depth = max(of_picture) + layer
                self._depths[_storage(one)] = max(depth, self._depths.get(_storage(one), 0))
            elif weighs:
                self._weights.add(_storage(one))
        return out

    def depth(self, tensor: Tensor) -> int:
        return self._depths.get(_storage(tensor), 0)


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)

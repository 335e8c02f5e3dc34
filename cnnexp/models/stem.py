"""The first layers of nets for photographs, and how they are changed for small pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from torch import nn

from cnnexp.errors import InputError

SMALL_PICTURE_PX = 64  # the imagenet stem would leave at most 2x2 pixels to the last stage
LARGEST_SMALL_KERNEL = 3

StemChoice = Literal["auto", "imagenet", "small"]

_POOLS = (nn.MaxPool2d, nn.AvgPool2d)


def choose_stem(image_size: tuple[int, int]) -> Literal["imagenet", "small"]:
    """The stem that `auto` means for pictures of that height and width in pixels."""
    return "small" if min(image_size) <= SMALL_PICTURE_PX else "imagenet"


def shrink_stem(net: nn.Module, layers: Sequence[str]) -> None:
    """Let small pictures keep their pixels: some convolutions get stride 1, some pools are left out.

    A convolution of a kernel above 3x3 becomes a 3x3 one, padded so that the size stays (as He, Zhang, Ren, Sun 2015,
    section 4.2, begin their nets for 32x32 pictures); its weights are new. The names of all others stay.

    Args:
        layers: dotted names of strided convolutions and of pools.

    Raises:
        InputError: one of them is no such layer of the net.
    """
    modules = dict(net.named_modules())
    for name in layers:
        layer = modules.get(name)
        if isinstance(layer, nn.Conv2d):
            kernel = min(LARGEST_SMALL_KERNEL, int(layer.kernel_size[0]))
            replace(net, name, remade(layer, kernel_size=kernel, stride=1, padding=kernel // 2))
        elif isinstance(layer, _POOLS):
            replace(net, name, nn.Identity())
        else:
            found = "there is no such layer" if layer is None else f"{name} is a {type(layer).__name__}"
            raise InputError(f"model.stem_layers: expected names of strided convolutions and pools; {found} ({name})")


def remade(convolution: nn.Conv2d, **changes: Any) -> nn.Conv2d:
    """A convolution like another, with some arguments changed and fresh weights (He et al. 2015, equation 10)."""
    arguments: dict[str, Any] = {
        "in_channels": convolution.in_channels,
        "out_channels": convolution.out_channels,
        "kernel_size": convolution.kernel_size,
        "stride": convolution.stride,
        "padding": convolution.padding,
        "bias": convolution.bias is not None,
    }
    made = nn.Conv2d(**(arguments | changes))
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")  # as torchvision fills the others
    return made


def replace(net: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module where another stands, by its dotted name."""
    parent, _, own = name.rpartition(".")
    setattr(net.get_submodule(parent), own, module)

"""Backbones by name, their maps at several strides, and the feature pyramid on top of them (Lin et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import timm
import torch
from timm.utils.model import freeze_batch_norm_2d
from torch import Tensor, nn
from torchvision import models
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models.bounds import at_least_one
from cnnexp.models.of_torchvision import OLD, take_channels
from cnnexp.models.small_backbone import GROUP, SmallBackbone

SMALL = "small"
"""The word for ``SmallBackbone``."""
TIMM = "timm/"
"""Before the name of a net that torchvision has as well, to have timm's."""
TRIED_PX = 256
"""Side of the pictures by which a net is asked for its strides: no pool to a fixed size of classifiers comes to it."""


@dataclass(frozen=True)
class Backbone:
    """Which net looks at the pictures; see the constructors of the detectors.

    Attributes:
        name: ``small``, or a net of torchvision or timm. strides: of its maps, in pixels, rising.
        width, depth: of the small one. frozen: batch norms of a named one stay as they are.
        frozen_eps: what those add to the variance; None is what the net's have.
    """

    name: str
    strides: tuple[int, ...]
    width: int = 32
    depth: int = 1
    frozen: bool = True
    frozen_eps: float | None = None


class Pyramid(nn.Module):
    """A backbone's maps at several strides, each with what the coarser ones know, all of one width.

    Parameters have the names of torchvision's ``BackboneWithFPN``.
    """

    def __init__(self, body: nn.Module, widths: Sequence[int], out_channels: int, extra: ExtraFPNBlock) -> None:
        super().__init__()
        self.body = body
        self.fpn = FeaturePyramidNetwork(list(widths), out_channels, extra)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Pictures (B, C, H, W) → maps by name, from fine to coarse, each of ``out_channels``."""
        return self.fpn(self.body(x))


def body_of(backbone: Backbone, in_channels: int) -> tuple[nn.Module, list[int]]:
    """The net, that answers a dict of maps ``0``, ``1``, …, and how wide each is.

    Raises:
        InputError: there is no such net, or it has no maps at these strides; a number that makes none.
    """
    strides = backbone.strides
    if not strides or any(later <= earlier for earlier, later in pairwise(strides)):
        raise InputError(f"model.strides=[{','.join(map(str, strides))}]: expected strides in pixels that rise")
    if backbone.name == SMALL:
        return _small(backbone, in_channels)
    name, known = backbone.name.removeprefix(TIMM), models.list_models(module=models)
    if name in known and not backbone.name.startswith(TIMM):
        body, widths = _of_torchvision(name, strides, in_channels)
    elif timm.is_model(name):
        body, widths = _of_timm(name, strides, in_channels)
    else:
        hint = did_you_mean(name, [SMALL, *known, *timm.list_models()])
        hint = hint or "torchvision.models.list_models() and timm.list_models() name all of them"
        raise InputError(f"model.backbone={backbone.name}: neither {SMALL} nor a net of torchvision or timm; {hint}")
    return (_frozen(body, backbone.frozen_eps) if backbone.frozen else body), widths


def _small(backbone: Backbone, in_channels: int) -> tuple[nn.Module, list[int]]:
    at_least_one(width=backbone.width, depth=backbone.depth)
    if backbone.width % GROUP:
        raise InputError(f"model.width={backbone.width}: norms are over groups of {GROUP} maps; take a multiple of it")
    if any(stride < 4 or stride & (stride - 1) for stride in backbone.strides):
        raise InputError(
            f"model.strides=[{','.join(map(str, backbone.strides))}]: model.backbone={SMALL} has maps at strides of "
            "4, 8, 16, 32 and so on"
        )
    body = SmallBackbone(in_channels=in_channels, width=backbone.width, depth=backbone.depth, strides=backbone.strides)
    return body, body.widths


def _of_torchvision(name: str, strides: Sequence[int], in_channels: int) -> tuple[nn.Module, list[int]]:
    arguments: dict[str, Any] = {"init_weights": False} if name in OLD else {}  # theirs takes minutes
    net = models.get_model(name, weights=None, **arguments)
    with torch.device("meta"):
        places = _places(models.get_model(name, weights=None, **arguments))
    _refuse_strides(name, strides, list(places))
    if in_channels != 3:
        take_channels(net, in_channels)
    wanted = {places[stride][0]: str(number) for number, stride in enumerate(strides)}
    return create_feature_extractor(net, wanted), [places[stride][1] for stride in strides]


def _places(net: nn.Module) -> dict[int, tuple[str, int]]:
    """For each stride the last module of the fewest dots with a map of it, and how wide the map is.

    (A block that halves the resolution often begins with a layer that does not yet.)
    """
    found: dict[int, tuple[str, int]] = {}

    def look(name: str) -> Callable[..., None]:
        def noted(module: nn.Module, given: Any, answer: Any) -> None:
            if isinstance(answer, Tensor) and answer.ndim == 4 and answer.shape[2] == answer.shape[3] > 1:
                stride, rest = divmod(TRIED_PX, answer.shape[2])
                if rest == 0 and name.count(".") <= found.get(stride, (name, 0))[0].count("."):
                    found[stride] = (name, answer.shape[1])

        return noted

    for name, module in net.named_modules():
        if name and not isinstance(module, nn.AdaptiveAvgPool2d):
            module.register_forward_hook(look(name))
    try:
        with torch.no_grad():
            net.eval()(torch.empty(1, 3, TRIED_PX, TRIED_PX, device="meta"))
    except (RuntimeError, AssertionError):  # takes pictures of one size, as transformers do, which have no pyramid
        return {}
    return found


def _of_timm(name: str, strides: Sequence[int], in_channels: int) -> tuple[nn.Module, list[int]]:
    try:
        with torch.device("meta"):
            info: Any = timm.create_model(name, features_only=True).feature_info
        places = {int(stride): place for place, stride in enumerate(info.reduction())}
        _refuse_strides(name, strides, list(places))
        net: Any = timm.create_model(
            name, features_only=True, in_chans=in_channels, out_indices=[places[stride] for stride in strides]
        )
    except (RuntimeError, AttributeError, TypeError, AssertionError) as error:
        raise InputError(
            f"model.backbone={name}: timm has no feature maps of it ({error}); take a convolutional net"
        ) from error
    return _Named(net), list(net.feature_info.channels())


class _Named(nn.Module):
    """timm's list of maps by name."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {str(number): one for number, one in enumerate(self.net(x))}


def _refuse_strides(name: str, strides: Sequence[int], there: Sequence[int]) -> None:
    missing = [stride for stride in strides if stride not in there]
    if not missing:
        return
    known = sorted(one for one in there if one >= 4)
    hint = f"it has them at {', '.join(map(str, known))}" if len(known) > 1 else "take a convolutional net"
    raise InputError(f"model.backbone={name}: no feature map at a stride of {missing[0]} pixels; {hint}")


def _frozen(net: nn.Module, eps: float | None) -> nn.Module:
    """Every batch norm as a fixed scale and shift, with the names of its tensors but the count of batches."""
    freeze_batch_norm_2d(net)  # timm's, as its norms may hold an activation
    for module in net.modules():
        if isinstance(module, FrozenBatchNorm2d) and eps is not None:
            module.eps = eps
    return net

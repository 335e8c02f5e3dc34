"""Where the last maps of a net speak for a class: CAM and Grad-CAM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.visualize.hooks import Note, looking_on
from cnnexp.visualize.maps import Maps, names_with_maps
from cnnexp.visualize.scores import Score


class Branched:
    """While open, a score's gradients in the outputs of some modules can be asked for: ``branched[name]``.

    Of a module that is called several times the last call counts. The net goes on with copies, as a later module may
    write into its input.
    """

    def __init__(self, net: nn.Module, names: Sequence[str]) -> None:
        self._modules = {name: net.get_submodule(name) for name in names}
        self._hooks: list[Any] = []
        self._kept: dict[str, Tensor] = {}

    def __enter__(self) -> Branched:
        self._hooks = [one.register_forward_hook(self._keeping(name)) for name, one in self._modules.items()]
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def __getitem__(self, name: str) -> Tensor | None:
        """What the module answered; None where it was not called, or with something else than a tensor."""
        return self._kept.get(name)

    def _keeping(self, name: str) -> Callable[[nn.Module, Any, Any], Any]:
        def keep(_: nn.Module, __: Any, output: Any) -> Any:
            if not isinstance(output, Tensor):
                return output
            self._kept[name] = output.clone() if output.requires_grad else output.detach().clone().requires_grad_()
            return self._kept[name].clone()

        return keep


def grad_cam(net: nn.Module, score: Score, x: Tensor, layer: str) -> Tensor | None:
    """ReLU(Σ_k a_k A^k) of a picture (1, C, H, W) on the layer's maps A, (h, w); a_k is the mean over the map of
    ∂ score / ∂ A^k (Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2).

    Returns:
        None where the score does not depend on the layer, or that has no maps.
    """
    found = _at(net, score, x, layer)
    if found is None:
        return None
    maps, slopes = found
    return (slopes.mean((2, 3), keepdim=True) * maps).sum(1)[0].clamp(min=0)


def hirescam(net: nn.Module, score: Score, x: Tensor, layer: str) -> Tensor | None:
    """ReLU(Σ_k ∂ score / ∂ A^k · A^k), place by place: what Grad-CAM takes the mean of (Draelos and Carin 2020,
    "Use HiResCAM instead of Grad-CAM"). For scores of one place in the picture, of which the mean over all
    places says little. Arguments and result as for ``grad_cam``."""
    found = _at(net, score, x, layer)
    return None if found is None else (found[1] * found[0]).sum(1)[0].clamp(min=0)


def _at(net: nn.Module, score: Score, x: Tensor, layer: str) -> tuple[Tensor, Tensor] | None:
    """A layer's maps and the score's slopes in them, (1, K, h, w) both, if there are such."""
    maps, slopes = _slopes(net, score, x, [layer])[layer]
    if maps is None or slopes is None or maps.ndim != 4 or len(maps) != len(x) or maps.shape[2:].numel() == 1:
        return None
    return maps.detach(), slopes


def last_maps(net: nn.Module, score: Score, x: Tensor, apart_from: str | None = None) -> str | None:
    """The layer that Grad-CAM is usually asked at: the last of those with the smallest maps that the score depends on.

    Of a net with a ``backbone``, or a ``body`` in that, it is one of these: what lies behind is of single boxes, or of
    a few sizes of them.

    Args:
        apart_from: a layer that is itself asked about.
    """
    names = [name for name in names_with_maps(net, x) if name != apart_from]
    backbone = "backbone.body." if hasattr(getattr(net, "backbone", None), "body") else "backbone."
    behind = [name for name in names if name.startswith(backbone)]
    found = _slopes(net, score, x, behind or names)
    fitting = {
        name: maps.shape[-2] * maps.shape[-1]
        for name, (maps, slopes) in found.items()
        if maps is not None and slopes is not None and len(maps) == len(x) and bool(slopes.any())
    }
    smallest = min(fitting.values(), default=0)
    return next((name for name in reversed(fitting) if fitting[name] == smallest), None)


def _slopes(
    net: nn.Module, score: Score, x: Tensor, names: Sequence[str]
) -> dict[str, tuple[Tensor | None, Tensor | None]]:
    """Of each layer its output, and the score's gradient in it; None for what there is not."""
    with torch.enable_grad(), Branched(net, names) as branched:
        value = score(x.detach().clone()).sum()
        kept = {name: output for name in names if (output := branched[name]) is not None}
        slopes: Sequence[Tensor | None] = [None] * len(kept)
        if kept and value.requires_grad:
            slopes = torch.autograd.grad(value, list(kept.values()), allow_unused=True)
    of = dict(zip(kept, slopes, strict=True))
    return {name: (kept.get(name), of.get(name)) for name in names}


@dataclass(frozen=True)
class Pooled:
    """Where a net's scores are means over maps, weighed.

    Attributes:
        layer: whose output the maps are, ``rectified`` by a ReLU where that follows. weights: (K, channels), of the
            classes; None where the maps are those of the classes.
    """

    layer: str
    rectified: bool
    weights: Tensor | None


def pooled(net: nn.Module, x: Tensor) -> Pooled | None:
    """How the net averages its last maps over all places, with at most one linear layer behind; None if it does not.

    Found by the numbers of a picture (1, C, H, W), not by the names of layers.
    """
    means: dict[tuple[str, bool], Tensor] = {}
    linear: list[tuple[nn.Linear, Tensor, Tensor]] = []

    def noting(name: str) -> Note:
        def note(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(module, nn.Linear):
                linear.append((module, given[0], output))
            elif isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
                means[name, False], means[name, True] = output.mean((2, 3)), output.relu().mean((2, 3))

        return note

    with torch.no_grad(), looking_on(net, noting):
        logits = net(x)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        return None
    wanted, weights = logits, None
    if linear and linear[-1][2].shape == logits.shape and torch.equal(linear[-1][2], logits):
        wanted, weights = linear[-1][1], linear[-1][0].weight
    for (layer, rectified), mean in reversed(means.items()):
        if mean.shape == wanted.shape and torch.allclose(mean, wanted, rtol=1e-4, atol=1e-5):
            return Pooled(layer, rectified, weights)
    return None


def cam(net: nn.Module, how: Pooled, x: Tensor, number: int) -> Tensor:
    """Σ_k w_k A^k, the class activation map of a picture (1, C, H, W), (h, w), with the class's weights w of the
    averaged maps A (Zhou et al. 2016, "Learning deep features for discriminative localization", equation 2).

    Its mean is the class's score, but for a bias. Its positive part, by the number of places, is Grad-CAM there.
    """
    with Maps(net, [how.layer]) as kept, torch.no_grad():
        net(x)
        maps = kept[how.layer][0]
    maps = maps.relu() if how.rectified else maps
    if how.weights is None:
        return maps[number]
    return torch.einsum("k,khw->hw", how.weights[number].detach().to(maps), maps)

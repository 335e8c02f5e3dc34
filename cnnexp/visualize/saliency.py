"""Which pixels a score rests on, by several methods on one picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.visualize.attributions import by_rule, gradient, integrated, smoothgrad
from cnnexp.visualize.cams import Pooled, cam, grad_cam, hirescam
from cnnexp.visualize.occlusion import occlusion
from cnnexp.visualize.scores import Score
from cnnexp.visualize.section import NotFitting

FAR_OFF = 0.1
"""Of integrated gradients: their sum, as a part of what it should be."""


@dataclass(frozen=True)
class Settings:
    """How methods look that have a choice.

    Attributes:
        samples, noise, seed: of SmoothGrad. steps: of integrated gradients. patch: side of what hides, in pixels.
        baseline: what stands for no picture, of the picture's shape: where integrated gradients begin, and what patches
            are made of. cam_layer: where Grad-CAM looks; None where there is no such layer. how: where the net's
            scores are averaged maps; None where they are not. number: of the class, for CAM.
    """

    samples: int
    noise: float
    steps: int
    patch: int
    baseline: Tensor
    cam_layer: str | None
    how: Pooled | None
    number: int | None
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """What a method found.

    Attributes:
        values: (H, W); where they are above 0 the picture speaks for the score. signed: whether they may be below.
        coarse: whether it is a map of a layer, or of patches, that was enlarged. picture: (C, H, W), for those that
            are looked at as pictures themselves.
        more: figures that belong to the method alone. note: the same in words, where there is something to say.
    """

    values: NDArray[np.float64]
    signed: bool = False
    coarse: bool = False
    picture: NDArray[np.float64] | None = None
    more: Mapping[str, Any] | None = None
    note: str | None = None


@dataclass(frozen=True)
class Look:
    """A score asked about one prepared picture (1, C, H, W)."""

    net: nn.Module
    score: Score
    x: Tensor
    settings: Settings


def look(one: Look, methods: Sequence[str]) -> dict[str, Found]:
    """What each of the methods finds, in their order.

    Raises:
        NotFitting: a method does not suit the net or the score.
    """
    return {name: METHODS[name](one) for name in methods}


def _gradient(one: Look) -> Found:
    return Found(_largest(gradient(one.score, one.x)))


def _gradient_input(one: Look) -> Found:
    return Found(_summed(gradient(one.score, one.x) * one.x), signed=True)


def _smoothgrad(one: Look) -> Found:
    own = one.settings
    return Found(_largest(smoothgrad(one.score, one.x, own.samples, own.noise, own.seed)))


def _integrated(one: Look) -> Found:
    own = one.settings
    found = integrated(one.score, one.x, own.baseline, own.steps)
    with torch.no_grad():
        total, wanted = float(found.sum()), float(one.score(one.x) - one.score(own.baseline))
    error = abs(total - wanted) / abs(wanted) if wanted else abs(total)
    more = {"sum": total, "score_less_baseline": wanted, "relative_error": error, "steps": own.steps}
    note = f"sum {total:.4g}, score less baseline's {wanted:.4g}: {error:.1%} off in {own.steps} steps"
    if error > FAR_OFF:
        note += "\n  far off: the score jumps on the way; try --baseline black, or more --steps"
    return Found(_summed(found), signed=True, more=more, note=note)


def _guided(one: Look) -> Found:
    return _as_picture(*by_rule(one.score, one.x, "guided"))


def _deconvnet(one: Look) -> Found:
    return _as_picture(*by_rule(one.score, one.x, "deconvnet"))


def _as_picture(found: Tensor, met: int) -> Found:
    note = None if met else "no ReLU was met: the gradient once more"
    if not found.any():
        note = "nothing comes back: at some layer all that arrives is below 0"
    return Found(_largest(found), picture=found[0].double().cpu().numpy(), more={"relus": met}, note=note)


def _grad_cam(one: Look) -> Found:
    return _of_maps(one, "grad-cam", grad_cam)


def _hirescam(one: Look) -> Found:
    return _of_maps(one, "hirescam", hirescam)


def _of_maps(one: Look, name: str, method: Callable[[nn.Module, Score, Tensor, str], Tensor | None]) -> Found:
    layer = one.settings.cam_layer
    if layer is None:
        raise NotFitting(f"{name}: no layer with maps of more than one pixel lies before this score")
    found = method(one.net, one.score, one.x, layer)
    if found is None:
        raise NotFitting(f"{name}: {layer} has no maps of the picture that the score depends on; name another layer")
    height, width = found.shape
    note = f"{height}×{width} maps of {layer}"
    if not found.any():
        note += "; none of it is above 0: name another --cam-layer"
    return Found(_enlarged(found, one.x), coarse=True, more={"layer": layer}, note=note)


def _cam(one: Look) -> Found:
    own = one.settings
    if own.number is None or own.how is None:
        raise NotFitting("cam: is for a class of a net that averages its last maps over all places; grad-cam asks less")
    found = cam(one.net, own.how, one.x, own.number)
    layer = own.how.layer
    height, width = found.shape
    note = f"{height}×{width} maps of {layer}"
    return Found(_enlarged(found, one.x), signed=True, coarse=True, more={"layer": layer}, note=note)


def _occlusion(one: Look) -> Found:
    own = one.settings
    found = occlusion(one.score, one.x, own.patch, own.baseline)
    more, note = {"patch": own.patch}, f"patches of {own.patch}×{own.patch} pixels"
    return Found(found.cpu().numpy(), signed=True, coarse=True, more=more, note=note)


METHODS: Mapping[str, Callable[[Look], Found]] = {
    "gradient": _gradient,
    "gradient-input": _gradient_input,
    "smoothgrad": _smoothgrad,
    "integrated": _integrated,
    "guided": _guided,
    "deconvnet": _deconvnet,
    "grad-cam": _grad_cam,
    "hirescam": _hirescam,
    "cam": _cam,
    "occlusion": _occlusion,
}


def _largest(values: Tensor) -> NDArray[np.float64]:
    """The largest of the absolute values of all channels (Simonyan et al. 2014, section 3.1), (1, C, H, W) → (H, W)."""
    return values[0].abs().amax(0).double().cpu().numpy()


def _summed(values: Tensor) -> NDArray[np.float64]:
    return values[0].double().sum(0).cpu().numpy()


def _enlarged(values: Tensor, x: Tensor) -> NDArray[np.float64]:
    size = (x.shape[-2], x.shape[-1])
    whole = F.interpolate(values[None, None].double(), size, mode="bilinear", align_corners=False)
    return whole[0, 0].cpu().numpy()


def energy(values: NDArray[np.float64], region: NDArray[np.bool_]) -> float:
    """The part of what speaks for the score that lies in a region; NaN where nothing does. By chance it would be the
    region's part of the picture."""
    positive = np.maximum(values, 0)
    total = positive.sum()
    return float(positive[region].sum() / total) if total else float("nan")


def half_within(values: NDArray[np.float64]) -> float:
    """The smallest part of the picture that holds half of what speaks for the score; NaN where nothing does."""
    falling = np.sort(np.maximum(values, 0), axis=None)[::-1]
    total = falling.sum()
    if not total:
        return float("nan")
    return float((np.searchsorted(falling.cumsum(), total / 2) + 1) / falling.size)

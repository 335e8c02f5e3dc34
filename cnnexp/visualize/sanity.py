"""Whether a map depends on what a net has learnt: its weights are dealt out anew, from the top layer down.

Adebayo et al. 2018, "Sanity checks for saliency maps" (cascading randomisation). In place of fresh draws each tensor's
own numbers are shuffled, so that a layer keeps the size of what it answers and loses all it knows. Batch norms and
other layers without kernels stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Maps = Mapping[str, NDArray[np.float64]]
"""(H, W) by method."""
MOST_OF_THE_FALL = 2 / 3
"""What of the correlation's fall, down to that of a net that knows nothing, has to be done where the upper half of the
layers is shuffled: no net can tell the classes then."""
LEAST_FALL = 0.1


@dataclass(frozen=True)
class Sanity:
    """Maps while more and more layers are shuffled.

    Attributes:
        layers: so many from the top are shuffled, for each stage; 0 first. names: of the lowest of them; None at 0.
        maps: of each stage. correlations: of each method, Spearman's with the first stage's map, both absolute; NaN
            where a map is the same everywhere.
    """

    layers: Sequence[int]
    names: Sequence[str | None]
    maps: Sequence[Maps]
    correlations: Mapping[str, Sequence[float]]

    @property
    def verdict_at(self) -> int:
        """The stage that is judged: the first at which half of the layers are shuffled."""
        return next(place for place, count in enumerate(self.layers) if 2 * count >= self.layers[-1])

    def passes(self, method: str) -> bool | None:
        """Whether the map fell apart with the upper half of the weights; None where there was no map before.

        Two maps of one picture are alike, whatever the nets know: so it is not asked how low the correlation is, but
        what of its fall is done. One that vanished fell.
        """
        values = self.correlations[method]
        if np.isnan(values[0]):
            return None
        half, whole = (1 - max(0.0, np.nan_to_num(values[place])) for place in (self.verdict_at, -1))
        return bool(half >= LEAST_FALL and half >= MOST_OF_THE_FALL * whole)


def sanity(net: nn.Module, answer: Callable[[], Tensor], look: Callable[[], Maps], stages: int, seed: int) -> Sanity:
    """Look at a net again and again while its layers are shuffled; afterwards it is as it was.

    Args:
        answer: the score that is looked at: tells which layers it depends on. stages: after the trained net, at most.
    """
    order = _weighty(net, answer)[::-1]
    last = len(order)
    counts = sorted({max(1, round(last * stage / (stages - 1))) for stage in range(stages - 1)} | {last - 1, last})
    counts = [0, *(count for count in counts if count > 0)]
    kept = {name: value.detach().clone() for name, value in net.state_dict().items()}
    generator = torch.Generator().manual_seed(seed)
    seen: list[Maps] = []
    try:
        done = 0
        for count in counts:
            for name in order[done:count]:
                _shuffle(net.get_submodule(name), generator)
            done = count
            seen.append(look())
    finally:
        net.load_state_dict(kept)
    correlations = {
        method: [rank_correlation(np.abs(seen[0][method]), np.abs(one[method])) for one in seen] for method in seen[0]
    }
    return Sanity(counts, [order[count - 1] if count else None for count in counts], seen, correlations)


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's ρ over all values; NaN where those of one are all equal."""
    from scipy.stats import rankdata

    ranks = [rankdata(one.ravel()) for one in (first, second)]
    centred = [one - one.mean() for one in ranks]
    scale = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    return float((centred[0] * centred[1]).sum() / scale) if scale else float("nan")


def _weighty(net: nn.Module, answer: Callable[[], Tensor]) -> list[str]:
    """Modules with matrices or kernels of weights that the answer depends on, in the order of their (first) call."""
    called: dict[str, None] = {}

    def noting(name: str) -> Callable[[nn.Module, object, object], None]:
        return lambda *_: called.setdefault(name)

    weights = {name: own[0] for name, one in net.named_modules() if (own := _kernels(one))}
    hooks = [net.get_submodule(name).register_forward_hook(noting(name)) for name in weights]
    learnt = {name: value.requires_grad for name, value in weights.items()}
    try:
        with torch.enable_grad():
            for value in weights.values():
                value.requires_grad_(True)
            slopes = torch.autograd.grad(answer().sum(), list(weights.values()), allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
        for name, value in weights.items():
            value.requires_grad_(learnt[name])
    used = {name for name, slope in zip(weights, slopes, strict=True) if slope is not None}
    return [name for name in called if name in used]


def _kernels(module: nn.Module) -> list[Tensor]:
    return [value for value in module.parameters(recurse=False) if value.ndim > 1]


def _shuffle(module: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for value in module.parameters(recurse=False):
            order = torch.randperm(value.numel(), generator=generator).to(value.device)
            value.copy_(value.flatten()[order].view_as(value))

"""How much of a score each value of a picture accounts for, by gradients.

Every function takes a score, pictures (B, C, H, W) → (B,), and prepared pictures, and answers with a tensor of the
pictures' shape.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from cnnexp.visualize.relu_rules import ReluRule, Rule
from cnnexp.visualize.scores import Score
from cnnexp.visualize.section import NotFitting

BATCH_PIXELS = 8 * 224 * 224
"""As many pixels go through the net at once."""


def gradient(score: Score, x: Tensor) -> Tensor:
    """∂ score / ∂ x (Simonyan, Vedaldi and Zisserman 2014, "Deep inside convolutional networks", section 3).

    Raises:
        NotFitting: the score has none.
    """
    return _gradient(score, x, nullcontext())


def by_rule(score: Score, x: Tensor, rule: Rule) -> tuple[Tensor, int]:
    """The same with another rule at ReLUs (``relu_rules``), and how many of them were met."""
    mode = ReluRule(rule)
    return _gradient(score, x, mode), mode.met


def smoothgrad(score: Score, x: Tensor, samples: int, noise: float, seed: int = 0) -> Tensor:
    """The mean gradient of a picture (1, C, H, W) under noise (Smilkov et al. 2017, "SmoothGrad").

    Args:
        samples: pictures with noise. noise: its standard deviation as a part of the range of the picture's values.
    """
    generator = torch.Generator().manual_seed(seed)
    deviation = noise * float(x.max() - x.min())
    total = torch.zeros_like(x)
    for count in _batches(samples, x):
        drawn = torch.cat([torch.randn(x.shape, generator=generator) for _ in range(count)]).to(x)
        total += gradient(score, x + deviation * drawn).sum(0, keepdim=True)
    return total / samples


def integrated(score: Score, x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    """Integrated gradients of a picture (1, C, H, W) from a baseline of its shape.

    (x − b) · ∫ ∂ score(b + a (x − b)) / ∂x da for a from 0 to 1 (Sundararajan, Taly and Yan 2017, "Axiomatic
    attribution for deep networks", equation 1), by the midpoints of so many steps: the paper's equation 3 takes their
    ends. The sum over all values is score(x) − score(b) but for what the steps leave out.
    """
    ways = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps
    total, begun = torch.zeros_like(x), 0
    for count in _batches(steps, x):
        part = ways[begun : begun + count].to(x).view(-1, *[1] * (x.ndim - 1))
        total += gradient(score, baseline + part * (x - baseline)).sum(0, keepdim=True)
        begun += count
    return (x - baseline) * total / steps


def _gradient(score: Score, x: Tensor, while_back: AbstractContextManager[object]) -> Tensor:
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        value = score(leaf.clone()).sum()  # a clone, as a net may write into its input
        if value.requires_grad:
            with while_back:
                (found,) = torch.autograd.grad(value, leaf, allow_unused=True)
            if found is not None:
                return found
    raise NotFitting("the score has no gradient in the picture: the net, or the layer, is not differentiable there")


def _batches(count: int, x: Tensor) -> list[int]:
    most = batch_size(x)
    return [min(most, count - begun) for begun in range(0, count, most)]


def batch_size(x: Tensor) -> int:
    """How many pictures of the size of these go through a net at once, 1 to 64."""
    return max(1, min(64, BATCH_PIXELS // (x.shape[-1] * x.shape[-2])))

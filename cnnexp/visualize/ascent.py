"""Gradient ascent in the picture: of all pictures the one that a score is highest for.

    I* = argmax S(I) − λ ‖I‖² − μ Σ (differences of neighbours)²

Source: Erhan et al. 2009, "Visualizing higher-layer features of a deep network" (a unit); Simonyan et al. 2014, "Deep
inside convolutional networks", equation 1 (a class, λ); Mahendran and Vedaldi 2015, "Understanding deep image
representations by inverting them", with β = 2 (μ); Yosinski et al. 2015, "Understanding neural networks
through deep visualization" (blur); Mordvintsev et al. 2015, "Inceptionism" (jitter); Olah et al. 2017, "Feature
visualization" (steps in Fourier space). Here each step goes equally far, by the root mean square of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.visualize.scores import Score

BLUR_EVERY = 4
_LAST_RATE = 0.2
"""Of the first step's length, that of the last one."""
_NOISE = 0.02
"""Deviation of the noise to begin with, as a part of the range of values."""


@dataclass(frozen=True)
class Climb:
    """How to ascend.

    Attributes:
        steps: how many. rate: length of the first one, as a part of the range of values; the last is a fifth of it.
        l2: λ, of the values that the net takes. total_variation: μ, of the same.
        blur: deviation of the Gaussian, in pixels, that smooths the picture after every fourth step; 0 for none.
        jitter: pixels by which the picture is moved about, at most, before each step. The move wraps around.
        smooth: the gradient's frequencies f are divided by f to this power: 0 leaves it as it is, 1 is the spectrum of
            photographs. Divided by f², a step is steepest ascent in coordinates that are Fourier coefficients over f.
        seed: of noise and jitter.
    """

    steps: int
    rate: float
    l2: float = 0.0
    total_variation: float = 0.0
    blur: float = 0.0
    jitter: int = 0
    smooth: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Climbed:
    """Pictures on their way: prepared, (B, C, H, W), and whether the score of each had no gradient at any step so far.

    What changes in a picture whose score has none is the work of the penalties alone.
    """

    pictures: Tensor
    dead: list[bool]


def penalised(score: Score, x: Tensor, l2: float, total_variation: float) -> Tensor:
    """S(I) − λ ‖I‖² − μ Σ (I[y+1, x] − I[y, x])² + (I[y, x+1] − I[y, x])² of pictures (B, C, H, W), (B,)."""
    value = score(x)
    if l2:
        value = value - l2 * x.square().flatten(1).sum(1)
    if total_variation:
        down, right = x.diff(dim=2).square(), x.diff(dim=3).square()
        value = value - total_variation * (down.flatten(1).sum(1) + right.flatten(1).sum(1))
    return value


def noise(shape: Sequence[int], low: Tensor, high: Tensor, seed: int) -> Tensor:
    """A picture (1, C, H, W) of weak noise around 0, or around the middle of the range where 0 is not inside of it.

    Args:
        low, high: the smallest and largest value of each channel, (1, C, 1, 1).
    """
    drawn = torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed)).to(low.device)
    middle = torch.where((low < 0) & (high > 0), torch.zeros_like(low), (low + high) / 2)
    return (middle + _NOISE * (high - low) * drawn).clamp(low, high)


def bounds(normalise: Callable[[Tensor], Tensor], stored: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest and the largest value that a net takes, of each channel, (1, C, 1, 1).

    Args:
        normalise: uint8 pictures → what the net takes. stored: uint8 (B, C, H, W), of the channels and on the device.
    """
    ends = torch.tensor([0, 255], dtype=torch.uint8, device=stored.device).view(2, 1, 1, 1)
    low, high = normalise(ends.repeat(1, stored.shape[1], 1, 1)).chunk(2)
    return low, high


def ascend(score: Score, start: Tensor, low: Tensor, high: Tensor, how: Climb) -> Iterator[Climbed]:
    """Change pictures step by step so that the score rises; one is yielded after each step, the last is the result.

    Args:
        score: of each picture (B, C, H, W), whose gradient for one depends on no other. start: where to begin.
        low, high: of each channel, (1, C, 1, 1); values stay in between.
    """
    generator = torch.Generator().manual_seed(how.seed)
    x, dead = start.detach(), [True] * len(start)
    for step in range(how.steps):
        down, right = (int(torch.randint(-how.jitter, how.jitter + 1, (), generator=generator)) for _ in range(2))
        moved = x.roll((down, right), (2, 3)).requires_grad_()
        (gradient,) = torch.autograd.grad(penalised(score, moved, how.l2, how.total_variation).sum(), moved)
        if any(dead):
            found = _of_score(score, moved, gradient, how)
            dead = [was and not bool(one.any()) for was, one in zip(dead, found, strict=True)]
        direction = smoothed(gradient, how.smooth) if how.smooth else gradient
        length = direction.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=torch.finfo(x.dtype).tiny)
        rate = how.rate * (1 - (1 - _LAST_RATE) * step / max(1, how.steps - 1))
        x = (moved.detach() + rate * (high - low) * direction / length).roll((-down, -right), (2, 3))
        if how.blur and step % BLUR_EVERY == BLUR_EVERY - 1 and step < how.steps - 1:
            x = blurred(x, how.blur)
        x = x.clamp(low, high)
        yield Climbed(x, dead)


def _of_score(score: Score, x: Tensor, whole: Tensor, how: Climb) -> Tensor:
    """The gradient of the score alone: a penalty has one where the score has none."""
    if not (how.l2 or how.total_variation):
        return whole
    return torch.autograd.grad(score(x).sum(), x)[0]


def smoothed(gradient: Tensor, power: float) -> Tensor:
    """Pictures (B, C, H, W) with frequencies f, in periods a pixel, divided by f^power; the lowest one stands for 0."""
    height, width = gradient.shape[-2:]
    rows = torch.fft.fftfreq(height, device=gradient.device)[:, None]
    columns = torch.fft.rfftfreq(width, device=gradient.device)[None]
    frequency = (rows.square() + columns.square()).sqrt().clamp(min=1 / max(height, width))
    return torch.fft.irfft2(torch.fft.rfft2(gradient) / frequency**power, s=(height, width))


def blurred(x: Tensor, deviation: float) -> Tensor:
    """Pictures (B, C, H, W) under a Gaussian, cut off at three deviations (in pixels); the edge is repeated."""
    radius = max(1, round(3 * deviation))
    places = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    weights = (-places.square() / (2 * deviation**2)).exp()
    weights = (weights / weights.sum()).expand(x.shape[1], 1, 1, -1)
    wide = functional.conv2d(functional.pad(x, (radius, radius, 0, 0), "replicate"), weights, groups=x.shape[1])
    high = functional.pad(wide, (0, 0, radius, radius), "replicate")
    return functional.conv2d(high, weights.transpose(2, 3), groups=x.shape[1])

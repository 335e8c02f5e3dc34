"""DeepDream: a photograph changed so that a layer answers more of whatever it already answers.

Gradient ascent on ½ mean(a²) of a layer's answers a, from coarse to fine: at each size (an octave) the picture is the
photograph at that size and what the smaller sizes added to it, enlarged. A film dreams a little, moves closer, and
dreams on.

Source: Mordvintsev, Olah, Tyka 2015, "Inceptionism: going deeper into neural networks". Here the step also leaves the
mean colour where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.visualize.scores import Score
from cnnexp.visualize.until import Reach


@dataclass(frozen=True)
class Dream:
    """How to dream.

    Attributes:
        steps: at each size. rate: of a step, as a part of the range of values, on average over the picture.
        octaves: sizes. scale: from one to the next. jitter: pixels by which the picture is moved about, at most,
            before each step. seed: of that.
    """

    steps: int
    rate: float
    octaves: int
    scale: float = 1.4
    jitter: int = 16
    seed: int = 0


def strength(reach: Reach, channel: int | None = None) -> Score:
    """½ mean(a²) of a layer's answers, or of one of its channels."""

    def score(x: Tensor) -> Tensor:
        answers = reach(x)
        chosen = answers if channel is None else answers[:, channel]
        return chosen.reshape(len(x), -1).square().mean(1) / 2

    return score


@torch.no_grad()
def norm(score: Score, x: Tensor) -> float:
    """√mean(a²), where the score is half of the square."""
    return float((2 * score(x)).sqrt())


def sizes(height: int, width: int, octaves: int, scale: float) -> list[tuple[int, int]]:
    """Height and width of each octave, the smallest first; the last is the picture's own."""
    powers = [scale**power for power in reversed(range(octaves))]
    return [(max(1, round(height / power)), max(1, round(width / power))) for power in powers]


def dream(score: Score, photo: Tensor, low: Tensor, high: Tensor, how: Dream) -> Iterator[Tensor]:
    """Dream on a photograph: after each step it is yielded as far as it has come, at the octave's size.

    Args:
        photo: prepared, (1, C, H, W). low, high: of each channel, (1, C, 1, 1); values stay in between.
    """
    generator = torch.Generator().manual_seed(how.seed)
    added = torch.zeros(())
    for size in sizes(photo.shape[2], photo.shape[3], how.octaves, how.scale):
        base = resized(photo, size)
        x = base + (resized(added, size) if added.ndim else 0)
        for _ in range(how.steps):
            x = _step(score, x, low, high, how, generator)
            yield x
        added = x - base


def zoom(
    score: Score, picture: Tensor, low: Tensor, high: Tensor, how: Dream, frames: int, closer: float
) -> Iterator[Tensor]:
    """A dream that moves closer: the picture, and from frame to frame the middle of the last one, dreamt on.

    Args:
        frames: how many. closer: by how much the next frame is enlarged, above 1. Others: as for ``dream``; all steps
            are at the full size.
    """
    generator = torch.Generator().manual_seed(how.seed)
    yield picture
    for _ in range(frames - 1):
        picture = _closer(picture, closer).clamp(low, high)
        for _ in range(how.steps):
            picture = _step(score, picture, low, high, how, generator)
        yield picture


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (B, C, H, W) at another size, bilinear with antialias; of the same size as they are."""
    if tuple(x.shape[2:]) == size:
        return x
    return functional.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)


def _closer(x: Tensor, factor: float) -> Tensor:
    """The middle of a picture, enlarged to the size of all of it."""
    way = torch.tensor([[[1 / factor, 0, 0], [0, 1 / factor, 0]]], dtype=x.dtype, device=x.device)
    grid = functional.affine_grid(way, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _step(score: Score, x: Tensor, low: Tensor, high: Tensor, how: Dream, generator: torch.Generator) -> Tensor:
    most = [min(how.jitter, side // 4) for side in x.shape[2:]]
    down, right = (int(torch.randint(-one, one + 1, (), generator=generator)) for one in most)
    moved = x.roll((down, right), (2, 3)).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(moved).sum(), moved)
    gradient = gradient - gradient.mean((2, 3), keepdim=True)
    length = gradient.abs().mean().clamp(min=torch.finfo(x.dtype).tiny)
    changed = moved.detach() + how.rate * (high - low) * gradient / length
    return changed.roll((-down, -right), (2, 3)).clamp(low, high)

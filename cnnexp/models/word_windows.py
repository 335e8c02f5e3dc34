"""Texts as rows of numbers of words, and the words around each of their places."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnexp.models.word_numbers import FIRST_WORD, PADDING


def moved_together(x: Tensor, kept: Tensor) -> Tensor:
    """The words that are kept, in their order and without gaps.

    Args:
        x: int64 (B, L). kept: bool (B, L).

    Returns:
        (B, M), as wide as the longest, at least 1; 0 behind the end of a text.
    """
    counts = kept.sum(1, keepdim=True)
    order = (~kept).byte().argsort(dim=1, stable=True)[:, : max(1, int(counts.max()))]
    behind = torch.arange(order.shape[1], device=x.device) >= counts
    return x.gather(1, order).masked_fill(behind, PADDING)


def known_words(x: Tensor) -> Tensor:
    """Texts (B, L) without the words that have no number: what stood beside one of these now stands together."""
    return moved_together(x, x >= FIRST_WORD)


def around(x: Tensor, radius: int) -> Tensor:
    """The words before and behind each place, (B, L, 2 * radius) of (B, L), from the farthest before it; 0 for none."""
    beside = torch.nn.functional.pad(x, (radius, radius), value=PADDING).unfold(1, 2 * radius + 1, 1)
    return torch.cat([beside[:, :, :radius], beside[:, :, radius + 1 :]], 2)


def distances(radius: int, device: torch.device) -> Tensor:
    """How far from its place each word is that ``around`` has, (2 * radius,)."""
    away = torch.arange(1, radius + 1, device=device)
    return torch.cat([away.flip(0), away])

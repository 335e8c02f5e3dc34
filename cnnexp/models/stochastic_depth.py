"""Residual blocks that are skipped at random while training (Huang, Sun, Liu, Sedra, Weinberger 2016)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torchvision.ops import StochasticDepth

from cnnexp.errors import InputError


def drop_residuals(blocks: Sequence[nn.Module], place: str, probability: float | None) -> None:
    """Give every block a layer that drops its residual for single samples; the l-th of L with probability l / L times
    the last one's (the paper's linear decay, equation 4).

    A residual that is kept is divided by the probability of being kept, so that evaluation needs no factor; the paper
    multiplies in evaluation instead.

    Args:
        blocks: from the input to the output. place: name of the block's attribute.
        probability: of the last block, in [0, 1); None leaves the blocks as they are.
    """
    if probability is None:
        return
    for number, block in enumerate(blocks, start=1):
        setattr(block, place, StochasticDepth(probability * number / len(blocks), mode="row"))


def refuse_skipping(probability: float | None) -> None:
    """For nets without shortcuts.

    Raises:
        InputError: a probability was given.
    """
    if probability is not None:
        raise InputError(
            f"regularization.stochastic_depth={probability}: a net without shortcuts has nothing to skip; leave it null"
        )

"""Multiply-adds of an operation: one multiplication and the addition of its product to a sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor


def multiply_adds(name: str, arguments: Sequence[Any], output: Tensor) -> int:
    """Of a convolution, a product of matrices or an attention; 0 for anything else.

    Biases, activations, norms, poolings and sums of branches are not counted, as in the papers' own figures: they are
    about a hundredth of the whole. A floating-point operation is half of a multiply-add.

    Args:
        name: of the operation in torch's `aten`. arguments: it was called with. output: its first tensor.
    """
    if name == "convolution":
        return _of_convolution(arguments, output)
    if name in ("mm", "bmm"):
        return output.numel() * int(arguments[0].shape[-1])
    if name in ("addmm", "baddbmm"):
        return output.numel() * int(arguments[1].shape[-1])
    if name.startswith("_scaled_dot_product"):
        query, key, value = arguments[:3]
        pairs = math.prod(query.shape[:-1]) * int(key.shape[-2])
        return pairs * int(query.shape[-1] + value.shape[-1])
    return 0


def _of_convolution(arguments: Sequence[Any], output: Tensor) -> int:
    """Each number of the output (of the input, where transposed) meets one filter: weight is (K, C/groups, ...)."""
    tensor, weight, *_, transposed = arguments[:7]
    numbers = tensor.numel() if transposed else output.numel()
    return numbers * int(math.prod(weight.shape[1:]))

"""The quick way to a shape against torch's own, and where it must not be taken."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from cnnexp.anatomy.shapes import run

ATEN: Any = torch.ops.aten


def shapes(made: Any) -> list[tuple[Any, ...] | None]:
    return [
        None if one is None else (tuple(one.shape), one.dtype) for one in (made if isinstance(made, tuple) else (made,))
    ]


def quick_and_true(operation: Any, *arguments: Any) -> tuple[list[Any], list[Any]]:
    """On the meta device, and as the kernels of the processor make them."""
    meta = [one.to("meta") if isinstance(one, Tensor) else one for one in arguments]
    made = run(operation, meta, {})
    assert all(one.is_meta for one in (made if isinstance(made, tuple) else (made,)) if one is not None)
    return shapes(made), shapes(operation(*arguments))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(4, 3, 5, 6), (4, 3), (4, 3, 7)])
def test_a_batch_norm_s(shape: tuple[int, ...], affine: bool, training: bool) -> None:
    x, each = torch.rand(shape), torch.ones(3)
    weights = (each, each) if affine else (None, None)
    quick, true = quick_and_true(ATEN.native_batch_norm.default, x, *weights, each, each, training, 0.1, 1e-5)
    assert quick == true


@pytest.mark.parametrize("wanted", [[True, True, True], [True, False, False], [False, True, True]])
def test_the_way_back_through_a_batch_norm_gives_only_what_is_asked_for(wanted: list[bool]) -> None:
    x, each = torch.rand(4, 3, 5, 6), torch.ones(3)
    arguments = (x, x, each, each, each, each, each, True, 1e-5, wanted)
    quick, true = quick_and_true(ATEN.native_batch_norm_backward.default, *arguments)
    assert quick == true
    assert [one is not None for one in quick] == wanted


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_way_back_through_a_relu(dtype: torch.dtype) -> None:
    gradient = torch.ones(2, 5, dtype=dtype)
    quick, true = quick_and_true(ATEN.threshold_backward.default, gradient, gradient, 0)
    assert quick == true


def test_where_there_are_numbers_they_are_computed() -> None:
    gradient, x = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([-1.0, 0.0, 4.0])
    assert run(ATEN.threshold_backward.default, (gradient, x, 0), {}).tolist() == [0, 0, 3]


def test_everything_else_is_torchs() -> None:
    assert run(ATEN.add.Tensor, (torch.tensor(1.0), torch.tensor(2.0)), {"alpha": 3}).item() == 7

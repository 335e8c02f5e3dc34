"""Multiply-adds by hand, of operations called as torch calls them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnexp.anatomy.costs import multiply_adds


def of(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def convolution(tensor: Tensor, weight: Tensor, transposed: bool, groups: int, output: Tensor) -> int:
    sides = weight.ndim - 2
    arguments = [tensor, weight, None, [1] * sides, [0] * sides, [1] * sides, transposed, [0] * sides, groups]
    return multiply_adds("convolution", arguments, output)


@pytest.mark.parametrize(
    ("channels", "filters", "groups", "cost"),
    [(6, 4, 1, 4 * 8 * 8 * 9 * 6), (6, 6, 6, 6 * 8 * 8 * 9), (6, 4, 2, 4 * 8 * 8 * 9 * 3)],
)
def test_groups_make_a_convolution_cheaper(channels: int, filters: int, groups: int, cost: int) -> None:
    weight = of(filters, channels // groups, 3, 3)
    assert convolution(of(1, channels, 10, 10), weight, False, groups, of(1, filters, 8, 8)) == cost


def test_a_transposed_convolution_is_paid_by_its_input() -> None:
    weight = of(6, 4, 4, 4)
    assert convolution(of(1, 6, 5, 5), weight, True, 1, of(1, 4, 10, 10)) == 6 * 5 * 5 * 4 * 16


def test_one_and_three_dimensions() -> None:
    assert convolution(of(1, 2, 10), of(5, 2, 3), False, 1, of(1, 5, 8)) == 5 * 8 * 2 * 3
    assert convolution(of(1, 2, 4, 4, 4), of(5, 2, 2, 2, 2), False, 1, of(1, 5, 3, 3, 3)) == 5 * 27 * 2 * 8


def test_products_of_matrices_and_of_batches_of_them() -> None:
    assert multiply_adds("mm", [of(3, 7), of(7, 5)], of(3, 5)) == 3 * 7 * 5
    assert multiply_adds("bmm", [of(2, 3, 7), of(2, 7, 5)], of(2, 3, 5)) == 2 * 3 * 7 * 5
    assert multiply_adds("addmm", [of(5), of(3, 7), of(7, 5)], of(3, 5)) == 3 * 7 * 5, "the bias is not counted"
    assert multiply_adds("baddbmm", [of(2, 3, 5), of(2, 3, 7), of(2, 7, 5)], of(2, 3, 5)) == 2 * 3 * 7 * 5


def test_attention_of_queries_to_fewer_keys() -> None:
    query, key, value = of(2, 4, 10, 8), of(2, 4, 6, 8), of(2, 4, 6, 3)
    cost = multiply_adds("_scaled_dot_product_flash_attention_for_cpu", [query, key, value], of(2, 4, 10, 3))
    assert cost == 2 * 4 * (10 * 6 * 8 + 10 * 6 * 3)


@pytest.mark.parametrize("name", ["relu", "native_batch_norm", "max_pool2d_with_indices", "add", "mean"])
def test_what_is_small_beside_them_is_not_counted(name: str) -> None:
    assert multiply_adds(name, [of(1, 3, 8, 8)], of(1, 3, 8, 8)) == 0

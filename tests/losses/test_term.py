"""What sums are divided by, and losses that have no class to weigh."""

from __future__ import annotations

import pytest
import torch

from cnnexp.losses.squared_error import SquaredError
from cnnexp.losses.term import at_least_one


@pytest.mark.parametrize(("count", "divisor"), [(0, 1), (3, 3), (0.25, 0.25), (0.0, 1)])
def test_a_sum_over_nothing_is_divided_by_one_and_weights_may_add_up_to_less(count: float, divisor: float) -> None:
    assert at_least_one(count) == divisor
    assert at_least_one(torch.tensor(count)).item() == divisor


def test_a_loss_without_classes_weighs_none() -> None:
    with pytest.raises(NotImplementedError):
        SquaredError().weigh(torch.ones(3))

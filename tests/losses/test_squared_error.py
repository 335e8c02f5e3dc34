"""The squared error by hand."""

from __future__ import annotations

import pytest
import torch

from cnnexp.losses.squared_error import SquaredError


def test_it_is_a_mean_over_samples_and_their_values() -> None:
    answer, picture = torch.tensor([[0.5, 1.0], [0.25, 0.0]]), torch.tensor([[0.0, 1.0], [0.75, 0.5]])
    term = SquaredError()(answer, {"picture": picture}, train=True)
    assert term.mean.item() == pytest.approx((0.25 + 0 + 0.25 + 0.25) / 4)
    assert (term.name, term.count) == ("squared_error", 2)

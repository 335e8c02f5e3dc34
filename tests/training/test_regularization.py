"""Max-norm and balanced class weights, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.training.regularization import balanced_weights, limit_norms


def test_long_weight_vectors_are_shortened_and_short_ones_left() -> None:
    model = nn.Linear(2, 3)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, -2.0]]))
        model.bias.fill_(9.0)
    limit_norms(model, 2.0)
    torch.testing.assert_close(model.weight.detach(), torch.tensor([[1.2, 1.6], [0.3, 0.4], [0.0, -2.0]]))
    assert (model.bias == 9.0).all()


def test_a_filter_is_one_weight_vector() -> None:
    model = nn.Conv2d(2, 4, 3)
    with torch.no_grad():
        model.weight.fill_(1.0)
    limit_norms(model, 3.0)
    torch.testing.assert_close(model.weight.detach().flatten(1).norm(dim=1), torch.full((4,), 3.0))


def test_frozen_weights_are_left() -> None:
    model = nn.Linear(2, 2).requires_grad_(False)
    with torch.no_grad():
        model.weight.fill_(10.0)
    limit_norms(model, 1.0)
    assert (model.weight == 10.0).all()


def test_balanced_weights_are_those_of_sklearn_and_leave_out_what_never_occurs() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = [0] * 5 + [1] * 20 + [2] * 75
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert balanced_weights([5, 20, 75]) == pytest.approx(expected.tolist())
    assert balanced_weights([5, 0, 5]) == [1.0, 0.0, 1.0]


def test_the_head_alone_may_be_held() -> None:
    """As Kim (2014) has it: the rows of the last layer, and neither filters nor vectors of words."""
    model = nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(6, 4))
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(5.0)
    limit_norms(model, 3.0, "head")
    assert (model[0].weight == 5.0).all()
    torch.testing.assert_close(model[3].weight.detach().norm(dim=1), torch.full((4,), 3.0))

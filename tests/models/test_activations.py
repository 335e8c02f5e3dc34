"""Activations by name: slopes, and maxima across channels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Maxout, activation

ROW = torch.tensor([[-2.0, -0.5, 0.0, 1.0, 3.0]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0, 0, 0, 1, 3]),
        ("leaky_relu", [-0.02, -0.005, 0, 1, 3]),
        ("prelu", [-0.5, -0.125, 0, 1, 3]),
        ("elu", [-0.864665, -0.393469, 0, 1, 3]),
        ("tanh", [-0.964028, -0.462117, 0, 0.761594, 0.995055]),
        ("sigmoid", [0.119203, 0.377541, 0.5, 0.731059, 0.952574]),
    ],
)
def test_values_by_hand(name: str, expected: list[float]) -> None:
    found = activation(name, channels=5)(ROW.clone())  # type: ignore[arg-type]
    assert found[0].tolist() == pytest.approx(expected, abs=1e-5)


def test_a_leaky_slope_is_the_one_that_was_given_and_only_for_leaky_relu() -> None:
    assert activation("leaky_relu", 5, leaky_slope=0.1)(ROW.clone())[0, :2].tolist() == pytest.approx([-0.2, -0.05])
    with pytest.raises(InputError, match=r"leaky_slope=0.1: model.activation=elu has none"):
        activation("elu", 5, leaky_slope=0.1)


def test_prelu_learns_a_slope_for_each_map() -> None:
    layer = activation("prelu", channels=7)
    assert isinstance(layer, nn.PReLU) and layer.weight.shape == (7,)


def test_maxout_is_the_largest_of_neighbouring_maps() -> None:
    x = torch.arange(2 * 6 * 2 * 2.0).view(2, 6, 2, 2)
    x[0, 4] += 100
    assert torch.equal(Maxout(2)(x), torch.stack([x[:, 1], x[:, 3], torch.maximum(x[:, 4], x[:, 5])], 1))
    assert torch.equal(Maxout(3)(x)[:, 0], x[:, 2])
    assert torch.equal(Maxout(2)(x[:, :, 0, 0])[0], torch.tensor([4.0, 12.0, 116.0]))

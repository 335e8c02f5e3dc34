from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.visualize.sanity import rank_correlation, sanity


class Small(nn.Module):
    """Called in another order than it is written in."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.head, self.norm = nn.Linear(4, 2), nn.BatchNorm2d(4)
        self.second, self.first = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.second(self.first(x).relu())).relu().mean((2, 3)))


def test_layers_are_shuffled_from_the_top_down_and_are_put_back() -> None:
    net, x = Small().eval(), torch.randn(1, 1, 9, 9)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    changed: list[list[str]] = []

    def look() -> dict[str, np.ndarray]:
        state = net.state_dict()
        assert all(torch.equal(state[name].flatten().sort()[0], before[name].flatten().sort()[0]) for name in before)
        changed.append([name for name in before if not torch.equal(state[name], before[name])])
        slope = torch.autograd.functional.jacobian(lambda x: net(x)[0, 0], x)
        return {"gradient": slope[0, 0].double().numpy(), "edges": x[0, 0].double().numpy()}  # type: ignore[index]

    result = sanity(net, lambda: net(x), look, 7, seed=0)
    assert (list(result.layers), list(result.names)) == ([0, 1, 2, 3], [None, "head", "second", "first"])
    assert [{name.split(".")[0] for name in one} for one in changed] == [
        set(),
        {"head"},
        {"head", "second"},
        {"head", "second", "first"},
    ]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert result.correlations["edges"] == pytest.approx([1, 1, 1, 1])  # what never looks at the net
    assert abs(result.correlations["gradient"][2]) < 0.5
    assert (result.passes("gradient"), result.passes("edges")) == (True, False)


def test_layers_that_the_score_does_not_depend_on_are_left_out() -> None:
    net = Small().eval().requires_grad_(False)
    x = torch.randn(1, 1, 9, 9)
    result = sanity(net, lambda: net.second(net.first(x)) + 0 * net(x).detach().sum(), lambda: {"m": np.eye(2)}, 5, 0)
    assert list(result.names) == [None, "second", "first"]
    assert not any(value.requires_grad for value in net.parameters())


def test_a_net_is_put_back_after_a_failure() -> None:
    net = Small().eval()
    before = net.head.weight.clone()
    looks = iter([{"m": np.eye(2)}])
    with pytest.raises(StopIteration):
        sanity(net, lambda: net(torch.zeros(1, 1, 9, 9)), lambda: next(looks), 3, seed=0)
    assert torch.equal(net.head.weight, before)


def test_the_correlation_of_ranks_by_hand() -> None:
    """1 - 6 Σ d² / (n (n² - 1)) of ranks (1, 2, 3, 4) and (2, 1, 4, 3): Σ d² = 4, so 0.6; any rising curve changes
    nothing; ties share their rank."""
    first, second = np.array([1.0, 2, 3, 4]), np.array([20.0, 10, 40, 30])
    assert rank_correlation(first, second) == pytest.approx(0.6)
    assert rank_correlation(np.exp(first), second**3) == pytest.approx(0.6)
    assert rank_correlation(np.array([1.0, 1, 2]), np.array([1.0, 2, 3])) == pytest.approx(math.sqrt(3) / 2)
    assert math.isnan(rank_correlation(first, np.ones(4)))

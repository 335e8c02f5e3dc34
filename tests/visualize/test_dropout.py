"""Averages of thinned nets, held to the mean over all masks of a net that is small enough to write them all down."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from cnnexp.visualize.dropout import DropoutResult, dropouts, measure, thinned
from cnnexp.visualize.dropout_chart import draw_error, draw_loss, dropout_image
from cnnexp.visualize.png import new_figure

SAMPLES = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.8, -1.0]])
LABELS = torch.tensor([0, 1])


def net(p: float = 0.5) -> nn.Sequential:
    made = nn.Sequential(nn.Dropout(p), nn.Linear(3, 2))
    with torch.no_grad():
        made[1].weight.copy_(torch.tensor([[1.0, 0.5, -0.5], [-0.4, 0.9, 0.2]]))
        made[1].bias.copy_(torch.tensor([0.1, -0.2]))
    return made.eval()


def of_all_masks() -> Tensor:
    """The mean of the probabilities over the eight masks, each with probability 1/8: (2, 2)."""
    layer = net()[1]
    masks = torch.tensor(list(product([0.0, 2.0], repeat=3)))
    with torch.no_grad():
        return torch.stack([layer(SAMPLES * mask).double().softmax(1) for mask in masks]).mean(0)


def measured(nets: int, seed: int = 0, p: float = 0.5) -> DropoutResult:
    return measure(net(p), (SAMPLES,), LABELS, nets, seed, lambda number: None)


def test_many_thinned_nets_are_the_mean_over_all_masks() -> None:
    expected = -of_all_masks()[torch.arange(2), LABELS].log().mean().item()
    assert measured(3000).loss[-1] == pytest.approx(expected, abs=0.02)
    assert measured(3000).loss[0] > expected + 0.1, "a single thinned net is worse: the logarithm is concave"


def test_the_scaled_net_is_the_geometric_mean_of_all_thinned_ones() -> None:
    """Exact for one layer with a softmax (Goodfellow et al. 2013, "Maxout networks", section 5)."""
    layer = net()[1]
    masks = torch.tensor(list(product([0.0, 2.0], repeat=3)))
    with torch.no_grad():
        logs = torch.stack([layer(SAMPLES * mask).double().log_softmax(1) for mask in masks]).mean(0)
    expected = -logs.log_softmax(1)[torch.arange(2), LABELS].mean().item()
    assert measured(2).scaled_loss == pytest.approx(expected, rel=1e-6)


def test_averages_are_of_other_nets_each() -> None:
    found = measured(10)
    assert found.counts == [1, 2, 3, 5, 7, 10]
    assert found.groups == [10, 5, 3, 2, 1, 1]
    assert [one is None for one in found.spread] == [False] * 4 + [True] * 2
    assert found.samples == 2


def test_the_seed_alone_decides_and_nothing_is_left_behind() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    seen: list[int] = []
    found = [measure(model, (SAMPLES,), LABELS, 3, seed, seen.append).loss for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert seen == [1, 2, 3] * 3
    assert not any(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items()), "batch norm stood still"


def test_layers_that_drop_nothing_are_none() -> None:
    model = nn.Sequential(nn.Dropout(0.0), nn.Linear(3, 2), nn.Dropout2d(0.3))
    assert dropouts(model) == ["2"]
    model.eval()
    with thinned(model, 0):
        assert [one.training for one in model] == [False, False, True]


def test_enough_are_those_that_err_no_more_often_than_the_scaled_net() -> None:
    rest = dict(samples=9, groups=[4, 2, 1], spread=[None] * 3, loss=[1.0] * 3, scaled_loss=1.0)
    of = lambda scaled: DropoutResult(counts=[1, 2, 4], error=[0.3, 0.2, 0.1], scaled_error=scaled, **rest)  # type: ignore[arg-type] # noqa: E731
    assert [of(scaled).enough for scaled in (0.3, 0.25, 0.1, 0.05)] == [1, 2, 4, None]


def test_the_chart_has_the_averages_and_the_scaled_net() -> None:
    found = measured(10)
    left, right = new_figure(6, 3).subplots(1, 2)
    draw_error(left, found)
    draw_loss(right, found)
    assert list(right.lines[0].get_xdata()) == found.counts and list(right.lines[0].get_ydata()) == found.loss
    assert set(right.lines[1].get_ydata()) == {found.scaled_loss}
    assert list(left.lines[0].get_ydata()) == found.error
    assert dropout_image(found, "a net\n$on$ data").width > 1000

"""The cross entropy of grey values by hand."""

from __future__ import annotations

import math

import pytest
import torch

from cnnexp.losses.bernoulli import Bernoulli


def test_it_is_a_sum_over_values_and_a_mean_over_pictures() -> None:
    probability = torch.tensor([[0.5, 0.9], [0.2, 0.5]]).view(2, 1, 1, 2)
    picture = torch.tensor([[0.25, 1.0], [0.0, 0.0]]).view(2, 1, 1, 2)
    first = -(0.25 * math.log(0.5) + 0.75 * math.log(0.5)) - math.log(0.9)
    second = -math.log(0.8) - math.log(0.5)
    term = Bernoulli()(probability.logit(), {"probability": picture}, train=True)
    assert term.mean.item() == pytest.approx((first + second) / 2, rel=1e-6)
    assert (term.name, term.count) == ("bernoulli", 2)
    assert Bernoulli.of_each(probability.logit(), picture).tolist() == pytest.approx([first, second], rel=1e-6)


def test_of_grey_it_is_at_least_the_entropy() -> None:
    grey = torch.full((1, 1, 1, 1), 0.3)
    entropy = -(0.3 * math.log(0.3) + 0.7 * math.log(0.7))
    assert Bernoulli.of_each(grey.logit(), grey).item() == pytest.approx(entropy, rel=1e-6)
    assert Bernoulli.of_each(grey.logit() + 1, grey).item() > entropy

"""Binary cross entropy by hand."""

from __future__ import annotations

import math

import pytest
import torch

from cnnexp.losses.binary_cross_entropy import BinaryCrossEntropy


def test_it_is_a_mean_over_samples_and_classes() -> None:
    chances = torch.tensor([[0.9, 0.2], [0.5, 0.7], [0.1, 0.4]])
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    term = BinaryCrossEntropy()(chances.logit(), {"labels": labels}, train=True)
    right = [0.9, 0.8, 0.5, 0.7, 0.9, 0.4]
    assert term.mean.item() == pytest.approx(-sum(math.log(one) for one in right) / 6, rel=1e-6)
    assert (term.name, term.count) == ("binary_cross_entropy", 3)

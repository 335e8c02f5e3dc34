from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnexp.commands.looking import Samples
from cnnexp.commands.spaces import features
from cnnexp.visualize.section import NotFitting


class Rows(Samples):
    """Prepared as they are."""

    def prepared(self, start: int = 0, stop: int | None = None) -> Tensor:
        return self.stored["rows"][start:stop]


@pytest.mark.parametrize("weight", [1.0, float("nan"), float("inf")])
def test_features_of_a_net_that_diverged_are_none(weight: float) -> None:
    """Their neighbours would be whoever comes first."""
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)).eval()
    nn.init.constant_(net[0].weight, weight)
    facts = SimpleNamespace(name="rows", input=SimpleNamespace(example=lambda count: (torch.ones(count, 3),)))
    subject: Any = SimpleNamespace(task=SimpleNamespace(net=net, facts=facts), name="a net")
    samples = Rows(subject.task, {"rows": torch.ones(40, 3)}, ["one"] * 40)
    if weight == 1:
        assert features(subject, samples, "0").values.shape == (40, 2)
    else:
        with pytest.raises(NotFitting, match="--layer 0: answers numbers that are not finite"):
            features(subject, samples, "0")

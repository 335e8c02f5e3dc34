from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnexp.models.traced import traced


@pytest.mark.parametrize("height", [1, 2])
def test_a_kernel_that_is_larger_than_its_map_along_one_axis_is_an_error(height: int) -> None:
    net = traced(nn.Sequential(nn.Conv2d(1, 1, (1, 3), device="meta")))
    assert net(torch.empty(1, 1, height, 3, device="meta")).shape == (1, 1, height, 1)
    with pytest.raises((ValueError, RuntimeError)):
        net(torch.empty(1, 1, height, 2, device="meta"))


def test_of_a_net_that_names_its_trunk_the_trunk_is_followed() -> None:
    net = nn.Module()
    net.traced = nn.Linear(2, 2)
    assert traced(net) is net.traced

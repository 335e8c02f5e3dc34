"""Weights of pictures and of clips, in the order that is asked for."""

from __future__ import annotations

import torch
from torch import nn

from cnnexp.builders.memory_format import in_order


def net() -> nn.Module:
    return nn.Sequential(nn.Conv1d(2, 3, 3), nn.Conv2d(2, 3, 3), nn.Conv3d(2, 3, 3), nn.Linear(2, 3))


def test_channels_come_last_in_pictures_and_clips_and_no_number_changes() -> None:
    made = net()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    assert in_order(made, True) is made
    assert made[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert made[2].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert made[0].weight.is_contiguous() and made[3].weight.is_contiguous()
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert all(one.is_contiguous() for one in in_order(made, False).parameters())


def test_it_is_as_torchs_own_way_where_that_works() -> None:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Conv2d(1, 3, 3), nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    ours = {name: value.stride() for name, value in in_order(made, True).state_dict().items()}
    theirs = made.to(memory_format=torch.contiguous_format).to(memory_format=torch.channels_last)
    assert ours == {name: value.stride() for name, value in theirs.state_dict().items()}

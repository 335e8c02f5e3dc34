"""Network in Network against the count of the authors' net for CIFAR-10."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.nin import NIN
from tests.models.made import counted, learns, meta_shapes


def nin(**changes: Any) -> NIN:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=10, image_size=(32, 32), norm="none", dropout=0.5)
    return NIN(**(arguments | changes))


def test_parameter_count() -> None:
    assert counted(nin) == 966_986


def test_maps_of_each_block() -> None:
    found = meta_shapes(nin, ["block1.4", "block1", "block2", "block3", "head"], (3, 32, 32))
    assert found["block1.4"] == (96, 32, 32)
    assert [found[name] for name in ("block1", "block2", "block3", "head")] == [
        (96, 16, 16),
        (192, 8, 8),
        (192, 8, 8),
        (10, 8, 8),
    ]


def test_two_1x1_convolutions_stand_behind_each_larger_one() -> None:
    kernels = [one.kernel_size[0] for one in nin().modules() if isinstance(one, nn.Conv2d)]
    assert kernels == [5, 1, 1, 5, 1, 1, 3, 1, 1]


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_every_weight_learns(norm: str) -> None:
    torch.manual_seed(0)
    learns(nin(norm=norm), torch.randn(4, 3, 8, 9))


def test_the_smallest_picture_passes_and_one_pixel_less_is_refused() -> None:
    assert nin(image_size=(4, 4)).eval()(torch.randn(2, 3, 4, 4)).shape == (2, 10)
    with pytest.raises(InputError, match=r"nin takes pictures of at least 4 pixels"):
        nin(image_size=(3, 32))

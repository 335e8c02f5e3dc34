"""All-CNN-C against the paper's count and the maps that it has."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.all_cnn import AllCNNC
from tests.models.made import counted, learns, meta_shapes


def all_cnn_c(**changes: Any) -> AllCNNC:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=10, image_size=(32, 32), width=96, norm="none")
    return AllCNNC(**(arguments | dict(input_dropout=0.2, dropout=0.5) | changes))


def test_parameter_count() -> None:
    assert counted(all_cnn_c) == 1_369_738


def test_it_has_nine_convolutions_and_nothing_else_that_learns() -> None:
    learning = [one for one in all_cnn_c().modules() if next(one.parameters(recurse=False), None) is not None]
    assert len(learning) == 9 and all(isinstance(one, nn.Conv2d) for one in learning)


def test_maps_of_each_stage() -> None:
    found = meta_shapes(all_cnn_c, ["stage1", "stage2", "stage3", "head"], (3, 32, 32))
    assert found == {"stage1": (96, 16, 16), "stage2": (192, 8, 8), "stage3": (192, 6, 6), "head": (10, 6, 6)}


def test_the_logit_of_a_class_is_the_mean_of_its_map() -> None:
    net, maps = all_cnn_c(width=4).eval(), []
    net.head.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    logits = net(torch.randn(2, 3, 32, 32))
    torch.testing.assert_close(logits, maps[0].flatten(2).mean(2))


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_every_weight_learns(norm: str) -> None:
    torch.manual_seed(0)
    learns(all_cnn_c(width=6, norm=norm), torch.randn(4, 3, 16, 20))


def test_the_smallest_picture_passes_and_one_pixel_less_is_refused() -> None:
    assert all_cnn_c(width=4, image_size=(9, 9))(torch.randn(2, 3, 9, 9)).shape == (2, 10)
    with pytest.raises(InputError, match=r"all_cnn_c takes pictures of at least 9 .*data.image_size=\[32,32\]"):
        all_cnn_c(image_size=(9, 8))

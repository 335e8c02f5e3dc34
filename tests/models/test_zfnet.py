"""ZFNet against the sizes of the paper's figure 3."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.zfnet import ZFNet
from tests.models.made import counted, learns, meta_shapes


def zfnet(**changes: Any) -> ZFNet:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=1000, image_size=(224, 224), dropout=0.5)
    return ZFNet(**(arguments | changes))


def test_parameter_count() -> None:
    assert counted(zfnet) == 62_357_608


def test_maps_are_the_papers() -> None:
    names = [f"features.{name}" for name in ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")]
    found = meta_shapes(zfnet, names, (3, 224, 224))
    assert [shape[0] for shape in found.values()] == [96, 96, 256, 256, 384, 384, 256, 256]
    assert [shape[1:] for shape in found.values()] == [(side, side) for side in (110, 55, 26, 13, 13, 13, 13, 6)]


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    learns(zfnet(image_size=(47, 50), num_classes=3, in_channels=1), torch.randn(4, 1, 47, 50))


def test_the_smallest_picture_passes_and_one_pixel_less_is_refused() -> None:
    assert meta_shapes(lambda: zfnet(image_size=(47, 47)), ["classifier"], (3, 47, 47)) == {"classifier": (1000,)}
    with pytest.raises(InputError, match=r"zfnet takes pictures of at least 47 .*data.image_size=\[224,224\]"):
        zfnet(image_size=(224, 46))

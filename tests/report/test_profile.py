from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.anatomy.describe import describe
from cnnexp.errors import InputError
from cnnexp.models.lenet5 import LeNet5
from cnnexp.models.resnet_cifar import CifarResNet
from cnnexp.models.unet import UNet
from cnnexp.report.profile import draw_profile, profile_image, profile_of

RESNET = describe(CifarResNet(in_channels=3, num_classes=10, depth=20).to("meta"), (3, 32, 32), "resnet20")
UNET = describe(UNet(in_channels=1, num_classes=2, width=4, depth=2, norm="batch").to("meta"), (1, 32, 32), "unet")
LENET = describe(
    LeNet5(in_channels=1, num_classes=10, image_size=(32, 32), activation="relu", pooling="max").to("meta"),
    (1, 32, 32),
    "lenet5",
)


def test_a_profile_by_hand() -> None:
    profile = profile_of(LENET)
    assert profile.stages == ("conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3")
    assert profile.widths == (6, 6, 16, 16, 120, 84, 10)
    assert profile.resolutions == (28, 14, 10, 5, 1, 1, 1)
    assert profile.parameters == (156, 0, 2416, 0, 48_120, 10_164, 850)


def test_nothing_is_lost_between_the_layers_and_the_profile() -> None:
    for content in (RESNET, UNET, LENET):
        profile = profile_of(content)
        assert sum(profile.parameters) == content["totals"]["parameters"]
        assert sum(profile.multiply_adds) == content["totals"]["multiply_adds"]
    assert len(profile_of(RESNET).widths) == 20


def test_parts_stand_in_the_order_in_which_they_run() -> None:
    assert profile_of(UNET).resolutions[-4:] == (32, 32, 32, 32)
    assert profile_of(UNET).stages[-4:] == ("up", "merge", "merge", "head")


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    path = draw_profile(RESNET, tmp_path / "profile.png")
    picture = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    assert len(picture) > 500_000
    colours = {tuple(int(v) for v in colour) for colour in np.unique(picture, axis=0)}
    assert {(213, 94, 0), (204, 121, 167)} <= colours, "bars of parameters and of multiply-adds"


def test_a_net_of_tables_alone_has_none() -> None:
    content = {**LENET, "layers": [{**layer, "multiply_adds": 0, "output": [9]} for layer in LENET["layers"]]}
    for layer in content["layers"]:
        layer.pop("kernel", None)
    with pytest.raises(InputError, match="no layer computes or pools"):
        profile_image(content)

"""Stems of library nets, brought to small pictures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from cnnexp.config.options import option_files
from cnnexp.errors import InputError
from cnnexp.models.of_timm import timm_net
from cnnexp.models.of_torchvision import torchvision_net
from cnnexp.models.resnet import ResNet
from cnnexp.models.stem import shrink_stem
from cnnexp.paths import config_folder
from tests.models.deep import deep_ones_slow

MODELS = {
    name: yaml.safe_load(path.read_text(encoding="utf-8"))["model"]
    for name, path in option_files("model", [config_folder()]).items()
}
WITH_STEM = {name: model for name, model in MODELS.items() if "stem_layers" in model}
# pixels a side of the maps that go into the global average, of a 224 and of a 32 pixel picture
LAST_MAPS = {
    "densenet121": (7, 4),
    "densenet169": (7, 4),
    "densenet201": (7, 4),
    "googlenet": (7, 4),
    "resnetv2_50": (7, 4),
    "senet154": (7, 4),
    "seresnet50": (7, 4),
    "wide_resnet50_2": (7, 4),
    "xception": (7, 2),
}


def made(model: dict[str, Any], side: int, **changes: Any) -> nn.Module:
    function = timm_net if model["_target_"].endswith("timm_net") else torchvision_net
    given = {key: value for key, value in (model | changes).items() if key != "_target_"}
    with torch.device("meta"):
        return function(**given, in_channels=3, num_classes=10, image_size=(side, side))


def last_maps(net: nn.Module, side: int) -> int:
    """Height of the maps before the first layer that has only one pixel behind it."""
    heights: list[int] = []

    def see(_module: nn.Module, _given: tuple[Tensor, ...], out: Tensor) -> None:
        if isinstance(out, Tensor) and out.ndim == 4:
            heights.append(out.shape[2])

    for one in net.modules():
        if isinstance(one, nn.Conv2d):
            one.register_forward_hook(see)
    net.eval()(torch.empty(1, 3, side, side, device="meta"))
    return min(height for height in heights if height > 1)  # squeezed maps in front of an excitation have one


def test_those_nets_are_the_ones_with_a_stem() -> None:
    assert set(WITH_STEM) == set(LAST_MAPS)


@pytest.mark.parametrize("name", deep_ones_slow(LAST_MAPS))
def test_small_pictures_keep_their_pixels(name: str) -> None:
    large, small = LAST_MAPS[name]
    of_large, of_small = made(WITH_STEM[name], 224), made(WITH_STEM[name], 32)
    assert last_maps(of_large, 224) == large
    assert last_maps(of_small, 32) == small
    assert last_maps(made(WITH_STEM[name], 224, stem="small"), 32) == small
    assert list(of_small.state_dict()) == list(of_large.state_dict()), "only the first convolution is another"


def test_a_small_stem_is_that_of_our_residual_nets() -> None:
    ours = ResNet(in_channels=3, num_classes=5, image_size=(32, 32), depth=18, stem="auto").eval()
    net = torchvision_net(
        name="resnet18",
        in_channels=3,
        num_classes=5,
        image_size=(32, 32),
        stem="auto",
        stem_layers=("conv1", "maxpool"),
    ).eval()
    net.load_state_dict(ours.state_dict())
    picture = torch.rand(2, 3, 32, 32)
    assert torch.equal(net(picture), ours(picture))


@pytest.mark.parametrize(
    ("layer", "says"), [("conv7", "there is no such layer"), ("layer1", "layer1 is a Sequential"), ("fc", "Linear")]
)
def test_layers_that_are_no_stem(layer: str, says: str) -> None:
    with pytest.raises(InputError, match=rf"model\.stem_layers: .*{says}"):
        shrink_stem(torchvision_net(name="resnet18", in_channels=3, num_classes=5, image_size=(32, 32)), [layer])

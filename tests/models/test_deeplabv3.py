"""DeepLabv3 against torchvision's, atrous convolutions by hand, and the stride of the last maps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.segmentation import deeplabv3_resnet50

from cnnexp.errors import InputError
from cnnexp.models.deeplabv3 import DeepLabV3, published, renamed
from cnnexp.models.dilated import OUT, SmallDilated
from cnnexp.models.small_backbone import Block
from tests.models.made import learns


def deeplab(**changes: Any) -> Any:
    return DeepLabV3(**(dict(in_channels=3, num_classes=5, width=8, head_width=8) | changes))


def test_equals_torchvisions_with_the_same_weights() -> None:
    torch.manual_seed(0)
    theirs: Any = deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=4).eval()
    for one in theirs.modules():  # first statistics are those of nothing
        if isinstance(one, nn.BatchNorm2d):
            one.running_mean, one.running_var = torch.rand_like(one.weight) - 0.5, torch.rand_like(one.weight) + 0.5
    ours = deeplab(num_classes=4, backbone="resnet50", output_stride=8, head_width=None).eval()
    ours.load_state_dict(theirs.state_dict())
    picture = torch.rand(1, 3, 41, 60)
    with torch.no_grad():
        torch.testing.assert_close(ours(picture), theirs(picture)["out"])


def test_an_atrous_convolution_is_one_with_zeros_between_its_weights() -> None:
    block, maps = Block(8, 8, dilation=2), torch.randn(1, 8, 9, 11)
    layer = block.first[0]
    assert isinstance(layer, nn.Conv2d)
    spread = torch.zeros(8, 8, 5, 5)
    spread[..., ::2, ::2] = layer.weight.detach()
    torch.testing.assert_close(layer(maps), F.conv2d(maps, spread, padding=2))


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("backbone", ["small", "resnet50", "timm/resnet18"])
def test_the_output_stride(backbone: str, stride: int) -> None:
    with torch.device("meta"):
        maps = deeplab(backbone=backbone, output_stride=stride).eval().backbone(torch.empty(1, 3, 96, 160))[OUT]
    assert maps.shape[2:] == (96 // stride, 160 // stride)


@pytest.mark.parametrize(("stride", "dilations"), [(8, [1, 1, 2, 4]), (16, [1, 1, 1, 2])])
def test_what_halves_no_more_looks_further(stride: int, dilations: list[int]) -> None:
    net = SmallDilated(in_channels=1, width=8, depth=2, output_stride=stride)  # type: ignore[arg-type]
    found = [{one.dilation[0] for one in stage.modules() if isinstance(one, nn.Conv2d) and one.kernel_size == (3, 3)}
             for stage in net.stages]  # fmt: skip
    assert found == [{one} for one in dilations]


def test_rates_and_widths() -> None:
    def rates(**changes: Any) -> list[int]:
        found = [one.dilation[0] for one in deeplab(**changes).classifier[0].modules() if isinstance(one, nn.Conv2d)]
        return [one for one in found if one > 1]

    assert rates() == [3, 6, 9] and rates(output_stride=8) == [6, 12, 18] and rates(rates=(2, 5)) == [2, 5]
    with torch.device("meta"):
        assert rates(backbone="resnet50") == [6, 12, 18]
        assert deeplab(backbone="resnet50", head_width=None).classifier[4].in_channels == 256


@pytest.mark.parametrize("size", [(37, 51), (1, 1)])
def test_every_size_passes(size: tuple[int, int]) -> None:
    assert deeplab().eval()(torch.rand(2, 3, *size)).shape == (2, 5, *size)


def test_learns() -> None:
    learns(deeplab(dropout=0.0), torch.rand(2, 3, 64, 96))


def test_one_picture_is_no_batch_to_normalise() -> None:
    with pytest.raises(InputError, match=r"batch_size: one picture alone .* leaves 2 pictures or more"):
        deeplab().train()(torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (dict(backbone="resnet18"), "torchvision's cannot keep its resolution .* timm/resnet18"),
        (dict(backbone="convnext_tiny"), "torchvision's cannot keep its resolution"),
        (dict(backbone="timm/vit_tiny_patch16_224"), "no feature maps of it at a stride of 16"),
        (dict(backbone="resnet5"), "neither small nor a net of torchvision or timm; did you mean resnet50"),
        (dict(width=12), "model.width=12: norms are over groups of 8"),
        (dict(rates=(0, 1)), "model.rates=.*0,1.*at least 1"),
    ],
)
def test_bad_input(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line):
        deeplab(**changes)


def test_what_is_published() -> None:
    own: dict[str, Any] = dict(output_stride=None, width=8, depth=1)
    assert published(None, backbone="small", **own) is None
    coco = published("torchvision", backbone="resnet50", **own)
    assert coco is not None and coco.task == "segmentation" and coco.trained == {"output_stride": 8}
    assert len(coco.classes) == 21 and coco.classes[:2] == ("background", "aeroplane")
    backbone = published("imagenet", backbone="resnet50", **own)
    assert backbone is not None and backbone.classes == () and "ResNet50_Weights" in backbone.source


def test_a_file_of_a_classifier_is_its_backbone() -> None:
    state = {"conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)}
    found = renamed(state, backbone="resnet50", output_stride=None, width=8, depth=1)
    assert list(found) == ["backbone.conv1.weight"]
    whole = {"backbone.conv1.weight": torch.zeros(1), "aux_classifier.0.weight": torch.zeros(1)}
    assert list(renamed(whole, backbone="resnet50", output_stride=None, width=8, depth=1)) == list(whole)

"""U-Net with an encoder: what it is made of, its weights from a classifier, and the plain one behind the same name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.encoder_unet import EncoderUNet, published, renamed, unet
from cnnexp.models.stages import stages_of
from cnnexp.models.unet import UNet
from tests.models.made import counted, parameters


def made(**changes: Any) -> Any:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=5, width=2, norm="batch", encoder="resnet18")
    return unet(**(arguments | changes))


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_without_an_encoder_it_is_the_plain_net(norm: str) -> None:
    torch.manual_seed(0)
    found = made(encoder=None, norm=norm)
    torch.manual_seed(0)
    expected = UNet(in_channels=3, num_classes=5, width=2, depth=3, norm=norm)  # type: ignore[arg-type]
    assert type(found) is UNet
    assert list(found.state_dict()) == list(expected.state_dict())
    assert all(torch.equal(one, other) for one, other in zip(found.parameters(), expected.parameters(), strict=True))


def test_every_weight_of_the_way_up() -> None:
    """ResNet-18 has 64, 64, 128, 256 and 512 maps at 2, 4, 8, 16 and 32; ours are `width` at full resolution."""
    width, classes, before, total = 2, 5, 512, 0
    for stride, skip in ((16, 256), (8, 128), (4, 64), (2, 64), (1, 0)):
        own = width * stride
        total += 4 * before * own + own  # up
        total += 9 * (own + skip) * own + 9 * own * own + 4 * own  # two convolutions, two norms
        before = own
    total += before * classes + classes
    encoder = counted(lambda: torchvision.models.resnet18()) - 512 * 1000 - 1000
    assert counted(made) == encoder + total


def test_summed_skips_have_the_encoders_widths() -> None:
    net = made(skips="sum")
    assert [one.out_channels for one in net.up] == [256, 128, 64, 64, 2]
    assert net.eval()(torch.rand(1, 3, 64, 64)).shape == (1, 5, 64, 64)


@pytest.mark.parametrize("skips", ["concatenation", "sum"])
def test_equals_the_formula_at_depth_two(skips: str) -> None:
    torch.manual_seed(0)
    net, picture = made(depth=2, skips=skips, norm="none").eval(), torch.rand(1, 3, 8, 12)
    resnet = torchvision.models.resnet18().eval()
    body = {name.removeprefix("encoder."): one for name, one in net.state_dict().items() if name.startswith("encoder.")}
    missing = resnet.load_state_dict(body, strict=False)
    assert missing.unexpected_keys == []
    half = F.relu(resnet.bn1(resnet.conv1(picture)))
    quarter = resnet.layer1(resnet.maxpool(half))

    def twice(block: Any, x: torch.Tensor) -> torch.Tensor:
        for layer in block.modules():
            if isinstance(layer, nn.Conv2d):
                x = F.relu(F.conv2d(x, layer.weight, layer.bias, padding=1))
        return x

    raised = F.conv_transpose2d(quarter, net.up[0].weight, net.up[0].bias, stride=2)
    x = twice(net.merge[0], half + raised if skips == "sum" else torch.cat([half, raised], dim=1))
    x = twice(net.merge[1], F.conv_transpose2d(x, net.up[1].weight, net.up[1].bias, stride=2))
    torch.testing.assert_close(net(picture), F.conv2d(x, net.head.weight, net.head.bias))


@pytest.mark.parametrize("encoder", ["resnet18", "timm/resnet18", "timm/convnext_atto"])
def test_every_size_passes(encoder: str) -> None:
    net = made(encoder=encoder).eval()
    for size in [(37, 51), (1, 1)]:
        assert net(torch.rand(1, 3, *size)).shape == (1, 5, *size)


def test_first_maps_at_a_stride_of_four_are_raised_at_once() -> None:
    with torch.device("meta"):
        net = made(encoder="timm/convnext_atto")
    assert [one.stride[0] for one in net.up] == [2, 2, 2, 4]


@pytest.mark.parametrize(
    ("name", "make", "head"),
    [
        ("resnet18", torchvision.models.resnet18, "fc"),
        ("timm/convnext_atto", partial(timm.create_model, "convnext_atto"), "head"),
    ],
)
def test_weights_of_a_classifier_are_the_encoders(name: str, make: Callable[[], nn.Module], head: str) -> None:
    with torch.device("meta"):
        classifier, net = make(), made(encoder=name)
    state = renamed(classifier.state_dict(), encoder=name, depth=None)
    missing = net.load_state_dict(state, strict=False, assign=True)
    assert missing.unexpected_keys == []
    assert not any(one.startswith("encoder.") for one in missing.missing_keys), "the whole encoder"
    assert parameters(net.encoder) == parameters(classifier) - parameters(classifier.get_submodule(head))


def test_what_is_published() -> None:
    assert published("imagenet", encoder=None, depth=None) is None
    found = published("imagenet", encoder="resnet18", depth=None)
    assert found is not None and found.task == "segmentation" and found.classes == ()
    assert "ResNet18_Weights.IMAGENET1K_V1, its backbone" in found.source
    by_timm = published("timm", encoder="timm/resnet18", depth=None)
    assert by_timm is not None and by_timm.source.startswith("timm's resnet18.")
    with pytest.raises(InputError, match="torchvision has no such weights for resnet18"):
        published("timm", encoder="resnet18", depth=None)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            dict(encoder="vit_b_16"),
            "model.encoder=vit_b_16: no feature map at a stride of 4 pixels; take a conv",
        ),
        (dict(encoder="resnet5"), "model.encoder=resnet5: neither null nor a net of torchvision or timm; did you mean"),
        (dict(encoder="small"), "model.encoder=null"),
        (dict(depth=7), "no feature map at a stride of 64 pixels; it has them at 4, 8, 16, 32"),
        (dict(depth=0), "model.depth=0: expected a whole number of at least 1"),
        (dict(padding="valid"), "valid convolutions are for model.encoder=null"),
    ],
)
def test_bad_input(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line):
        made(**changes)


def test_stages() -> None:
    with torch.device("meta"):
        assert [stage.parts[0] for stage in stages_of(made(depth=2))] == ["encoder", "up.0", "up.1", "head"]
        assert isinstance(made(depth=2), EncoderUNet)

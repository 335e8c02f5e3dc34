"""ResNet against torchvision's, and the stem that fits the picture."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.resnet import PlainBlock, ResNet
from tests.models.made import counted, learns


def resnet(**changes: Any) -> ResNet:
    arguments = dict(in_channels=3, num_classes=1000, image_size=(224, 224), depth=18, stem="auto")
    return ResNet(**(arguments | changes))


def parameters(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


@pytest.mark.parametrize(
    ("depth", "count"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032), (101, 44_549_160), (152, 60_192_808)]
)
def test_parameter_counts_with_the_imagenet_stem(depth: int, count: int) -> None:
    with torch.device("meta"):
        assert parameters(resnet(depth=depth)) == count


@pytest.mark.parametrize("depth", [18, 50])
def test_torchvisions_weights_fit_and_give_its_logits(depth: int) -> None:
    reference = getattr(torchvision.models, f"resnet{depth}")(num_classes=12).eval()
    net = resnet(depth=depth, num_classes=12).eval()
    net.load_state_dict(reference.state_dict())
    picture = torch.rand(1, 3, 96, 96)
    assert torch.equal(net(picture), reference(picture))


@pytest.mark.parametrize(
    ("stem", "image_size", "chosen"),
    [
        ("auto", (32, 32), "small"),
        ("auto", (64, 200), "small"),
        ("auto", (65, 65), "imagenet"),
        ("imagenet", (32, 32), "imagenet"),
        ("small", (224, 224), "small"),
    ],
)
def test_the_stem_fits_the_picture_and_is_remembered(stem: str, image_size: tuple[int, int], chosen: str) -> None:
    net = resnet(stem=stem, image_size=image_size)
    assert net.stem == chosen
    assert net.conv1.kernel_size == {"small": (3, 3), "imagenet": (7, 7)}[chosen]
    assert isinstance(net.maxpool, {"small": nn.Identity, "imagenet": nn.MaxPool2d}[chosen])


@pytest.mark.parametrize(("stem", "last_pixels"), [("small", 4), ("imagenet", 1)])
def test_pixels_left_for_the_last_stage_of_a_32_pixel_picture(stem: str, last_pixels: int) -> None:
    net, shapes = resnet(stem=stem, num_classes=10).eval(), []
    net.layer4.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape)))
    assert net(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    assert shapes == [(2, 512, last_pixels, last_pixels)]


@pytest.mark.parametrize(("stem", "first_layer"), [("small", 64 * 9), ("imagenet", 64 * 49)])
def test_one_channel_shrinks_only_the_first_layer(stem: str, first_layer: int) -> None:
    grey, colour = resnet(stem=stem, in_channels=1), resnet(stem=stem)
    assert parameters(colour) - parameters(grey) == 2 * first_layer
    assert grey.eval()(torch.rand(1, 1, 40, 40)).shape == (1, 1000)


@pytest.mark.parametrize(("depth", "count"), [(18, 11_515_688), (34, 21_623_848)])
def test_the_plain_twin_has_the_same_layers_without_shortcuts(depth: int, count: int) -> None:
    assert counted(lambda: resnet(depth=depth, shortcuts=False)) == count
    with torch.device("meta"):
        own, of_resnet = (set(resnet(depth=depth, shortcuts=shortcuts).state_dict()) for shortcuts in (False, True))
    assert own < of_resnet and all(".downsample." in name for name in of_resnet - own)


def test_a_plain_block_is_its_two_convolutions() -> None:
    torch.manual_seed(0)
    block, x = PlainBlock(4, 4).eval(), torch.randn(2, 4, 6, 6)
    hidden = nn.functional.conv2d(x, block.conv1.weight, padding=1) / (1 + 1e-5) ** 0.5
    expected = nn.functional.conv2d(hidden.relu(), block.conv2.weight, padding=1) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(block(x), expected.relu())


def test_every_weight_of_a_plain_net_learns() -> None:
    torch.manual_seed(0)
    learns(resnet(num_classes=4, shortcuts=False, image_size=(32, 32)), torch.randn(4, 3, 16, 16))


@pytest.mark.parametrize("depth", [18, 50])
def test_a_residual_of_zero_leaves_exactly_what_came_in(depth: int) -> None:
    block = resnet(depth=depth, num_classes=4).layer1[-1]
    nn.init.zeros_((block.bn2 if depth == 18 else block.bn3).weight)
    x = torch.rand(2, 64 if depth == 18 else 256, 5, 5)  # not negative, as it comes out of the block before
    for mode in (True, False):
        assert torch.equal(block.train(mode)(x), x)


def test_plain_nets_of_other_depths_or_with_skipped_blocks_are_refused() -> None:
    with pytest.raises(InputError, match=r"model.depth=50: .* must be 18 or 34"):
        resnet(depth=50, shortcuts=False)
    with pytest.raises(InputError, match=r"stochastic_depth=0.2: .* leave it null"):
        resnet(shortcuts=False, stochastic_depth=0.2)


@pytest.mark.parametrize("depth", [18, 50])
def test_another_activation_stands_wherever_torchvisions_relu_does(depth: int) -> None:
    reference = getattr(torchvision.models, f"resnet{depth}")(num_classes=12).eval()
    for module in list(reference.modules()):
        if hasattr(module, "relu"):
            module.relu = nn.Tanh()
    net = resnet(depth=depth, num_classes=12, activation="tanh").eval()
    net.load_state_dict(reference.state_dict())
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(net(picture), reference(picture))

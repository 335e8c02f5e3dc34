"""The CIFAR residual nets against the counts of the paper's section 4.2 and a shortcut worked out by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.resnet_cifar import BasicBlock, CifarResNet, OptionAShortcut
from tests.models.made import counted, learns


def resnet(depth: int = 20, in_channels: int = 3, num_classes: int = 10) -> CifarResNet:
    return CifarResNet(in_channels=in_channels, num_classes=num_classes, depth=depth)


@pytest.mark.parametrize(
    ("depth", "count"), [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962)]
)
def test_parameter_counts(depth: int, count: int) -> None:
    net = resnet(depth)
    assert sum(weights.numel() for weights in net.parameters()) == count
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in net.modules()) == depth


@pytest.mark.parametrize("depth", [2, 7, 18, 21])
def test_a_depth_that_is_not_6n_plus_2_is_refused(depth: int) -> None:
    with pytest.raises(InputError, match=rf"depth={depth}.*6n \+ 2; the nearest are \d+ and \d+"):
        resnet(depth)


def test_the_weights_have_the_usual_names() -> None:
    expected = {"conv1.weight", "linear.weight", "linear.bias"}
    norms = ["bn1", *(f"layer{stage}.{i}.bn{k}" for stage in (1, 2, 3) for i in range(3) for k in (1, 2))]
    expected |= {f"layer{stage}.{i}.conv{k}.weight" for stage in (1, 2, 3) for i in range(3) for k in (1, 2)}
    expected |= {
        f"{norm}.{part}"
        for norm in norms
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }
    assert set(resnet().state_dict()) == expected


def test_maps_and_pixels_of_each_stage() -> None:
    net, shapes = resnet(in_channels=1), []
    for stage in (net.layer1, net.layer2, net.layer3):
        stage.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    assert net(torch.rand(2, 1, 32, 32)).shape == (2, 10)
    assert shapes == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]
    assert net(torch.rand(2, 1, 45, 29)).shape == (2, 10)


def test_shortcut_takes_every_second_pixel_and_puts_zero_maps_on_both_sides() -> None:
    x = torch.tensor([[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]], [[10, 11, 12], [13, 14, 15], [16, 17, 18]]])[None]
    zero = [[0.0, 0], [0, 0]]
    expected = torch.tensor([[zero, [[1, 3], [7, 9]], [[10, 12], [16, 18]], zero]])
    assert torch.equal(OptionAShortcut(2, 4, stride=2)(x), expected)


def test_a_block_whose_residual_is_zero_is_its_shortcut() -> None:
    block = BasicBlock(16, 32, stride=2).eval()
    nn.init.zeros_(block.bn2.weight)
    x = torch.rand(2, 16, 8, 8)  # not negative, so the ReLU after the sum changes nothing
    output = block(x)
    assert torch.equal(output[:, 8:24], x[:, :, ::2, ::2])
    assert not output[:, :8].any() and not output[:, 24:].any()


def test_block_equals_the_formula() -> None:
    torch.manual_seed(0)
    block, x = BasicBlock(16, 16, stride=1).train(), torch.randn(4, 16, 6, 6)

    def normalised(y: torch.Tensor) -> torch.Tensor:
        mean, variance = y.mean(dim=(0, 2, 3), keepdim=True), y.var(dim=(0, 2, 3), unbiased=False, keepdim=True)
        return (y - mean) / (variance + 1e-5).sqrt()

    hidden = F.relu(normalised(F.conv2d(x, block.conv1.weight, padding=1)))
    expected = F.relu(normalised(F.conv2d(hidden, block.conv2.weight, padding=1)) + x)
    torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-4)


def test_he_initialisation_keeps_the_variance_at_two_over_fan_in() -> None:
    torch.manual_seed(0)
    weights = resnet(56).layer3[4].conv1.weight
    assert weights.var().item() == pytest.approx(2 / (64 * 9), rel=0.03)
    assert not resnet().linear.bias.any()


def plain(depth: int = 20, **changes: float) -> CifarResNet:
    return CifarResNet(in_channels=3, num_classes=10, depth=depth, shortcuts=False, **changes)


@pytest.mark.parametrize("depth", [20, 56])
def test_the_plain_twin_has_the_same_weights(depth: int) -> None:
    with torch.device("meta"):
        own, other = plain(depth).state_dict(), resnet(depth).state_dict()
    assert {name: value.shape for name, value in own.items()} == {name: value.shape for name, value in other.items()}
    assert counted(lambda: plain(20)) == 269_722 and counted(lambda: plain(56)) == 853_018


def test_a_plain_net_is_the_resnet_less_what_its_shortcuts_bring() -> None:
    torch.manual_seed(0)
    twin, net = resnet().eval(), plain().eval()
    net.load_state_dict(twin.state_dict())
    x = torch.rand(2, 3, 32, 32)
    assert not torch.allclose(net(x), twin(x))
    for block in twin.modules():
        if isinstance(block, BasicBlock):
            block.shortcut = nothing = nn.Module()
            nothing.forward = lambda given, block=block: given.new_zeros(())  # type: ignore[method-assign, assignment]
    assert torch.equal(net(x), twin(x))


def test_every_weight_of_a_plain_net_learns() -> None:
    torch.manual_seed(0)
    learns(plain(), torch.randn(8, 3, 16, 16))


def test_a_plain_net_has_nothing_to_skip() -> None:
    with pytest.raises(InputError, match=r"stochastic_depth=0.2: .* leave it null"):
        plain(stochastic_depth=0.2)


def test_a_block_whose_residual_is_zeroed_is_exactly_the_identity_and_hands_the_gradient_through() -> None:
    torch.manual_seed(0)
    block = BasicBlock(8, 8, stride=1)
    nn.init.zeros_(block.bn2.weight)
    x = torch.rand(2, 8, 6, 6, requires_grad=True)  # what a block gets comes from a ReLU
    out = block(x)
    assert torch.equal(out, x)
    weights = torch.randn_like(out)
    assert torch.equal(torch.autograd.grad((out * weights).sum(), x)[0], weights)

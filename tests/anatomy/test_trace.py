"""Costs against torch's own counter, receptive fields against the support of the gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from cnnexp.anatomy.trace import Trace, traced
from cnnexp.models.lenet5 import LeNet5
from cnnexp.models.resnet import ResNet
from cnnexp.models.resnet_cifar import CifarResNet
from cnnexp.models.unet import UNet


class Inception(nn.Module):
    """Four branches of different reach, put together along the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(8, 4, 1)
        self.three = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 3, padding=1))
        self.five = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 5, padding=2))
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(8, 4, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)


class Gated(nn.Module):
    """Squeeze-and-excitation: each position is weighed by what the whole picture says."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.gate(x)


class ChannelsLast(nn.Module):
    """Linear layers on the channels of a picture whose dimensions were exchanged, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 7, padding=3, stride=2)
        self.norm, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x + self.down(F.gelu(self.up(self.norm(x.permute(0, 2, 3, 1))))).permute(0, 3, 1, 2)


class Shuffled(nn.Module):
    """Channels become pixels (Shi 2016), a slice takes every third of them, and zeros stand around it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 12, 3, stride=2, padding=1), nn.Conv2d(3, 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pixel_shuffle(self.conv(x), 2)
        return self.last(F.pad(x[..., 1::3, 2::3], (1, 0, 1, 1)))


def plain(*layers: nn.Module) -> Callable[[], nn.Module]:
    return lambda: copy.deepcopy(nn.Sequential(*layers))


def begun_resnet() -> nn.Module:
    return features(ResNet(in_channels=3, num_classes=2, image_size=(96, 96), depth=18, stem="auto"), 6)


# On meta a net is only as good as its rules; each of these has rules of its own.
NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "stride and padding": (
        plain(nn.Conv2d(3, 4, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(4, 4, 5, padding=2)),
        (3, 67, 67),
    ),
    "sides that differ": (
        plain(nn.Conv2d(3, 4, (1, 7), (2, 1), (0, 3)), nn.Conv2d(4, 4, (3, 1), dilation=(2, 1))),
        (3, 30, 24),
    ),
    "dilation": (
        plain(nn.Conv2d(3, 4, 3, padding=2, dilation=2), nn.Conv2d(4, 4, 3, padding=4, dilation=4)),
        (3, 33, 33),
    ),
    "transposed": (plain(nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.Conv2d(4, 4, 2)), (3, 24, 24)),
    "upsampled": (
        plain(nn.Conv2d(3, 4, 3, 4, 1), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3, padding=1)),
        (3, 32, 32),
    ),
    "bilinear": (plain(nn.AvgPool2d(4), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(3, 4, 3)), (3, 32, 32)),
    "adaptive": (plain(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(4)), (3, 25, 32)),
    "inception": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), Inception()), (3, 32, 32)),
    "squeeze and excitation": (Gated, (3, 20, 20)),
    "channels last": (ChannelsLast, (3, 32, 32)),
    "pixel shuffle": (Shuffled, (3, 32, 32)),
    "one dimension": (plain(nn.Conv1d(2, 4, 5, 2, 2), nn.MaxPool1d(2), nn.Conv1d(4, 4, 3, padding=1)), (2, 64)),
    "resnet": (begun_resnet, (3, 160, 192)),
    "cifar resnet": (lambda: features(CifarResNet(in_channels=3, num_classes=2, depth=8), 5), (3, 48, 48)),
    "unet": (lambda: UNet(in_channels=1, num_classes=2, width=2, depth=2, norm="none"), (1, 96, 88)),
    "unet, odd sides": (lambda: UNet(in_channels=1, num_classes=2, width=2, depth=2, norm="batch"), (1, 95, 90)),
}


GAPS = {"dilation", "upsampled", "bilinear", "pixel shuffle"}
SEE_ALL = {"squeeze and excitation"}


def features(net: nn.Module, count: int) -> nn.Module:
    """The first parts of a net, which see less than all of the picture."""
    return nn.Sequential(*list(net.children())[:count])


def of_net(trace: Trace) -> tuple[Any, ...]:
    return trace.modules[""].seen


@pytest.mark.parametrize("name", NETS)
def test_the_receptive_field_is_the_support_of_the_gradient(name: str) -> None:
    make, shape = NETS[name]
    net = positive(make().double().eval())
    x = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    out = net(x)
    seen = of_net(traced(net.to("meta"), x.detach().to("meta")))
    assert len(seen) == len(shape) - 1
    rng, inside = torch.Generator().manual_seed(1), 0
    for _ in range(12):
        position = [int(torch.randint(size, (1,), generator=rng)) for size in out.shape[2:]]
        (gradient,) = torch.autograd.grad(out[(0, slice(None), *position)].sum(), x, retain_graph=True)
        support = (gradient[0].abs().sum(0) > 0).nonzero()
        for number, (place, at) in enumerate(zip(seen, position, strict=True)):
            at, pixels = (at if place.dim is not None else 0), shape[number + 1]
            (first, last), (least, most) = place.axis.within(at, pixels), support[:, number].aminmax()
            if place.axis.first(at) >= 0 and place.axis.last(at) < pixels:
                inside += 1
            # at a border the last tap in the picture may be one that a stride or a dilation leaves out
            if name not in GAPS or (place.axis.first(at) >= 0 and place.axis.last(at) < pixels):
                assert (first, last) == (int(least), int(most)), (position, number)
            assert first <= int(least) and int(most) <= last
    assert inside >= 4 or name in SEE_ALL


def positive(net: nn.Module) -> nn.Module:
    """Positive weights, so that no two ways to a pixel cancel out, and no maximum that hides its neighbours."""
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.01, 0.02)
    smooth(net)
    return net


def smooth(net: nn.Module) -> None:
    for module in net.modules():
        for part, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):
                setattr(module, part, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
            elif isinstance(child, nn.MaxPool1d):
                setattr(module, part, nn.AvgPool1d(child.kernel_size, child.stride, child.padding))


def test_a_maximum_sees_what_an_average_sees() -> None:
    picture = torch.empty(1, 3, 40, 40, device="meta")
    one = traced(nn.MaxPool2d(3, 2, 1).to("meta"), picture)
    other = traced(nn.AvgPool2d(3, 2, 1).to("meta"), picture)
    dilated = traced(nn.MaxPool2d(3, 2, 1, dilation=2).to("meta"), picture)
    assert of_net(one) == of_net(other)
    assert [place.axis.size for place in of_net(dilated)] == [5, 5]


def test_lenet_by_hand() -> None:
    net = LeNet5(in_channels=1, num_classes=10, image_size=(32, 32), activation="tanh", pooling="average").to("meta")
    modules = traced(net, torch.empty(1, 1, 32, 32, device="meta")).modules
    seen = {name: (int(c.seen[0].axis.size), int(c.seen[0].axis.stride)) for name, c in modules.items() if c.seen}
    assert [seen[name] for name in ("conv1", "pool1", "conv2", "pool2", "fc1")] == [
        (5, 1),
        (6, 2),
        (14, 2),
        (16, 4),
        (32, 0),
    ]
    numbers = {name: torch.Size(call.shape or ()).numel() for name, call in modules.items()}
    layers = ("pad", "conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3")
    assert [numbers[name] for name in layers] == [1024, 4704, 1176, 1600, 400, 120, 84, 10]
    # 28 * 28 * 6 * 25, 10 * 10 * 16 * 150, 400 * 120, 120 * 84, 84 * 10
    costs = [modules[name].multiply_adds for name in ("conv1", "conv2", "fc1", "fc2", "fc3")]
    assert costs == [117_600, 240_000, 48_000, 10_080, 840]
    assert modules["conv1"].activation_bytes == 4 * 4704


def test_an_inception_bottleneck_costs_a_tenth() -> None:
    picture = torch.empty(1, 192, 28, 28, device="meta")
    direct = nn.Conv2d(192, 32, 5, padding=2, device="meta")
    reduced = nn.Sequential(nn.Conv2d(192, 16, 1, device="meta"), nn.Conv2d(16, 32, 5, padding=2, device="meta"))
    costs = [[call.multiply_adds for call in traced(net, picture).modules.values()] for net in (direct, reduced)]
    assert costs == [[120_422_400], [0, 2_408_448, 10_035_200]]


@pytest.mark.parametrize("name", NETS)
def test_costs_agree_with_torchs_counter(name: str) -> None:
    make, shape = NETS[name]
    net, picture = make().to("meta").eval(), torch.empty(1, *shape, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(picture)
    ours = sum(call.multiply_adds for call in traced(net, picture).modules.values())
    assert 2 * ours == counter.get_total_flops()


class Attentive(nn.Module):
    """A convolution, then attention between its positions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.conv(x).flatten(2).transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0]


def test_attention_is_counted_and_sees_everything() -> None:
    net, picture = Attentive().to("meta").train(), torch.empty(1, 3, 12, 10, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(picture)
    trace = traced(net, picture)
    assert 2 * sum(call.multiply_adds for call in trace.modules.values()) == counter.get_total_flops()
    assert [(place.dim, place.axis.within(0, 12)) for place in trace.modules["conv"].seen] == [(2, (0, 2)), (3, (0, 2))]
    assert [place.axis.within(0, side) for place, side in zip(of_net(trace), (12, 10), strict=True)] == [
        (0, 11),
        (0, 9),
    ]


def test_the_same_figures_on_the_processor() -> None:
    net = CifarResNet(in_channels=3, num_classes=10, depth=8).train()
    real = traced(net, torch.zeros(1, 3, 32, 32))
    meta = traced(net.to("meta"), torch.empty(1, 3, 32, 32, device="meta"))
    assert {name: vars(call) for name, call in real.modules.items()} == {n: vars(c) for n, c in meta.modules.items()}
    assert net.training

"""The VGG nets against torchvision's, and those that torchvision has not against the paper's table 1."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from cnnexp.errors import InputError
from cnnexp.models.vgg import DEPTH, VGG, published, response_norm

CLASSES = 12


def vgg(configuration: Any, **changes: Any) -> VGG:
    arguments = {"in_channels": 3, "num_classes": CLASSES, "image_size": (224, 224), "norm": "none", "head": "auto"}
    return VGG(configuration=configuration, **(arguments | changes))


def parameters(net: nn.Module) -> int:
    return sum(one.numel() for one in net.parameters())


@pytest.mark.parametrize(
    ("configuration", "count"),
    [
        ("A", 132_863_336),
        ("A-LRN", 132_863_336),
        ("B", 133_047_848),
        ("C", 133_638_952),
        ("D", 138_357_544),
        ("E", 143_667_240),
    ],
)
def test_parameter_counts(configuration: str, count: int) -> None:
    with torch.device("meta"):
        assert parameters(vgg(configuration, num_classes=1000)) == count


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("configuration", DEPTH)
def test_names_and_shapes_are_torchvisions(configuration: str, norm: str) -> None:
    with torch.device("meta"):
        own = vgg(configuration, norm=norm).state_dict()
        name = f"vgg{DEPTH[configuration]}{'_bn' if norm == 'batch' else ''}"
        twin = models.get_model(name, num_classes=CLASSES).state_dict()
    assert [(key, value.shape) for key, value in own.items()] == [(key, value.shape) for key, value in twin.items()]


@pytest.mark.parametrize(("configuration", "norm", "name"), [("A", "batch", "vgg11_bn"), ("D", "none", "vgg16")])
def test_torchvisions_weights_give_its_logits(configuration: str, norm: str, name: str) -> None:
    with torch.device("meta"):
        twin, net = models.get_model(name, num_classes=CLASSES).eval(), vgg(configuration, norm=norm).eval()
    torch.manual_seed(0)
    twin.to_empty(device="cpu")
    for key, value in twin.state_dict().items():
        if value.is_floating_point():  # the mean of what a layer adds up stays near zero, its size near one
            value.uniform_(0.5, 1.5) if "var" in key else value.uniform_(-1, 1).div_(value[0].numel() ** 0.5)
    net.load_state_dict(twin.state_dict(), assign=True)
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        answer = net(picture)
        assert torch.equal(answer, twin(picture))
    assert answer.std() > 0


@pytest.mark.parametrize(
    ("head", "side", "chosen", "layers"),
    [("auto", 32, "small", 1), ("auto", 64, "small", 1), ("auto", 65, "imagenet", 3), ("imagenet", 32, "imagenet", 3)],
)
def test_the_head_fits_the_picture(head: str, side: int, chosen: str, layers: int) -> None:
    with torch.device("meta"):
        net = vgg("D", norm="batch", num_classes=10, image_size=(side, side), head=head)
        assert net(torch.empty(2, 3, side, side)).shape == (2, 10)
    assert net.head == chosen
    assert sum(isinstance(one, nn.Linear) for one in net.modules()) == layers
    assert parameters(net) == {1: 14_728_266, 3: 134_309_962}[layers]


def test_the_small_head_is_the_mean_of_the_last_maps() -> None:
    torch.manual_seed(0)
    net = vgg("A", image_size=(64, 64)).eval()
    picture = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = net.classifier[1](net.features(picture).mean((2, 3)))
        torch.testing.assert_close(net(picture), expected)


def test_dropout() -> None:
    with torch.device("meta"):
        probabilities = [
            [one.p for one in vgg("A", dropout=dropout).modules() if isinstance(one, nn.Dropout)]
            for dropout in (None, 0.2)
        ]
    assert probabilities == [[0.5, 0.5], [0.2, 0.2]]


def test_response_normalisation_by_hand() -> None:
    """x / (2 + 1e-4 · Σ x²)^0.75 over a map and two on each side; large values, so that the sum shows."""
    x = torch.tensor([10.0, 200.0, 30.0, 400.0]).view(1, 4, 1, 1)
    squares = [100 + 40_000 + 900, 100 + 40_000 + 900 + 160_000, 100 + 40_000 + 900 + 160_000, 40_000 + 900 + 160_000]
    expected = [value / (2 + 1e-4 * total) ** 0.75 for value, total in zip(x.flatten().tolist(), squares, strict=True)]
    torch.testing.assert_close(response_norm()(x).flatten(), torch.tensor(expected))


def test_a_lrn_has_one_behind_the_first_convolution() -> None:
    with torch.device("meta"):
        net = vgg("A-LRN")
    assert [number for number, one in enumerate(net.features) if isinstance(one, nn.LocalResponseNorm)] == [2]
    with pytest.raises(InputError, match=r"model\.norm=batch: A-LRN"):
        vgg("A-LRN", norm="batch")


def test_what_is_said_of_weights() -> None:
    said = published("torchvision", configuration="E", norm="batch")
    assert said is not None and said.source == "torchvision's VGG19_BN_Weights.IMAGENET1K_V1"
    assert published(None, configuration="C", norm="none") is None

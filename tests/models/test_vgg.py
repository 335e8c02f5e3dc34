"""VGG against torchvision's, and the two configurations of the paper that it does not have."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.local_response_norm import LocalResponseNorm
from cnnexp.models.vgg import VGG
from tests.models.made import counted, learns, meta_shapes


def vgg(**changes: Any) -> VGG:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=1000, image_size=(224, 224), configuration="A")
    return VGG(**(arguments | dict(norm="none", head="auto") | changes))


def on_meta(**changes: Any) -> VGG:
    with torch.device("meta"):
        return vgg(**changes)


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
    assert counted(lambda: vgg(configuration=configuration)) == count


@pytest.mark.parametrize(("configuration", "name"), [("A", "vgg11"), ("B", "vgg13"), ("D", "vgg16"), ("E", "vgg19")])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_weights_have_torchvisions_names(configuration: str, name: str, norm: str) -> None:
    with torch.device("meta"):
        theirs = torchvision.models.get_model(
            f"{name}_bn" if norm == "batch" else name, weights=None, init_weights=False
        )
    expected = {key: value.shape for key, value in theirs.state_dict().items()}
    found = on_meta(configuration=configuration, norm=norm).state_dict()
    assert {key: value.shape for key, value in found.items()} == expected


def test_features_of_torchvisions_weights_are_torchvisions() -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["A"], batch_norm=True).eval()
    ours = vgg(num_classes=3, norm="batch", image_size=(32, 32)).features.eval()
    ours.load_state_dict(theirs.state_dict())
    picture = torch.randn(1, 3, 64, 48)
    assert torch.equal(ours(picture), theirs(picture))


def test_a_lrn_is_a_with_one_norm_behind_the_first_convolution() -> None:
    with_it, without = (list(on_meta(configuration=name).features) for name in ("A-LRN", "A"))
    assert isinstance(with_it[2], LocalResponseNorm)
    assert [type(one) for one in [*with_it[:2], *with_it[3:]]] == [type(one) for one in without]


def test_c_ends_its_last_three_stages_with_a_1x1_convolution() -> None:
    stages: list[list[int]] = [[]]
    for layer in on_meta(configuration="C").features:
        if isinstance(layer, nn.MaxPool2d):
            stages.append([])
        elif isinstance(layer, nn.Conv2d):
            stages[-1].append(layer.kernel_size[0])
    assert stages == [[3, 3], [3, 3], [3, 3, 1], [3, 3, 1], [3, 3, 1], []]


@pytest.mark.parametrize(("image_size", "head", "inputs"), [((224, 224), "imagenet", 25_088), ((32, 64), "small", 512)])
def test_the_head_fits_the_picture(image_size: tuple[int, int], head: str, inputs: int) -> None:
    net = on_meta(image_size=image_size)
    assert net.head == head
    found = meta_shapes(lambda: vgg(image_size=image_size), ["features", "avgpool"], (3, *image_size))
    assert found["features"] == (512, image_size[0] // 32, image_size[1] // 32)
    assert found["avgpool"][0] * found["avgpool"][1] * found["avgpool"][2] == inputs


@pytest.mark.parametrize("configuration", ["A-LRN", "C"])
def test_every_weight_learns(configuration: str) -> None:
    torch.manual_seed(0)
    learns(vgg(configuration=configuration, num_classes=4, image_size=(32, 32)), torch.randn(4, 3, 32, 32))


def test_two_normalisations_at_once_are_refused() -> None:
    with pytest.raises(InputError, match=r"model.norm=batch: A-LRN has a normalisation of its own"):
        on_meta(configuration="A-LRN", norm="batch")

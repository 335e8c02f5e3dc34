"""AlexNet against the paper's maps and the counts of both its forms."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.alexnet import WITH_UNIT_BIAS, AlexNet
from cnnexp.models.local_response_norm import LocalResponseNorm
from tests.models.made import counted, learns, meta_shapes, parameters

LAYERS = {
    "features.conv1": 34_944,
    "features.conv2": 614_656,
    "features.conv3": 885_120,
    "features.conv4": 1_327_488,
    "features.conv5": 884_992,
    "classifier.fc6": 37_752_832,
    "classifier.fc7": 16_781_312,
    "classifier.fc8": 4_097_000,
}


def alexnet(**changes: Any) -> AlexNet:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=1000, image_size=(227, 227), groups=1)
    return AlexNet(**(arguments | dict(lrn="before_pool", init="he", dropout=0.5) | changes))


def on_meta(**changes: Any) -> AlexNet:
    with torch.device("meta"):
        return alexnet(**changes)


@pytest.mark.parametrize(("groups", "count"), [(1, 62_378_344), (2, 60_965_224)])
def test_parameter_counts_of_one_tower_and_of_the_split(groups: int, count: int) -> None:
    assert counted(lambda: alexnet(groups=groups)) == count


def test_parameters_layer_by_layer() -> None:
    net = on_meta()
    assert {name: parameters(net.get_submodule(name)) for name in LAYERS} == LAYERS


def test_maps_are_the_papers() -> None:
    names = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"]
    found = meta_shapes(alexnet, [*(f"features.{name}" for name in names), "flatten"], (3, 227, 227))
    assert list(found.values()) == [
        (96, 55, 55),
        (96, 27, 27),
        (256, 27, 27),
        (256, 13, 13),
        (384, 13, 13),
        (384, 13, 13),
        (256, 13, 13),
        (256, 6, 6),
        (9_216,),
    ]


def test_224_pixels_give_other_maps_and_another_first_linear_layer() -> None:
    names = ["features.conv1", "features.pool1", "features.pool2", "features.pool5"]
    found = meta_shapes(lambda: alexnet(image_size=(224, 224)), names, (3, 224, 224))
    assert [shape[1] for shape in found.values()] == [54, 26, 12, 5]
    assert on_meta(image_size=(224, 224)).classifier.get_submodule("fc6").in_features == 256 * 5 * 5


@pytest.mark.parametrize(
    ("lrn", "order"),
    [
        ("before_pool", ["conv1", "relu1", "lrn1", "pool1", "conv2", "relu2", "lrn2", "pool2", "conv3"]),
        ("after_pool", ["conv1", "relu1", "pool1", "lrn1", "conv2", "relu2", "pool2", "lrn2", "conv3"]),
        ("none", ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3", "conv4"]),
    ],
)
def test_the_norm_stands_where_it_was_asked_for(lrn: str, order: list[str]) -> None:
    net = on_meta(lrn=lrn)
    assert [name for name, _ in net.features.named_children()][: len(order)] == order
    norms = [one for one in net.modules() if isinstance(one, nn.LocalResponseNorm)]
    assert all(isinstance(one, LocalResponseNorm) for one in norms) and len(norms) == (0 if lrn == "none" else 2)
    assert [type(one) for one in list(net.features)[-2:]] == [nn.ReLU, nn.MaxPool2d]


def test_the_two_halves_do_not_see_each_other_in_conv2() -> None:
    torch.manual_seed(0)
    net = alexnet(groups=2, image_size=(67, 67), num_classes=3)
    x = torch.randn(1, 96, 7, 7)
    changed = torch.cat([x[:, :48], torch.randn(1, 48, 7, 7)], 1)
    one, other = (net.features.get_submodule("conv2")(maps) for maps in (x, changed))
    assert torch.equal(one[:, :128], other[:, :128]) and not torch.equal(one[:, 128:], other[:, 128:])


def test_the_first_weights_are_those_of_the_paper_where_asked() -> None:
    torch.manual_seed(0)
    net = alexnet(init="published", image_size=(67, 67), num_classes=5)
    layers = dict([*net.features.named_children(), *net.classifier.named_children()])
    learning = {name: layer for name, layer in layers.items() if isinstance(layer, nn.Conv2d | nn.Linear)}
    assert len(learning) == 8
    for name, layer in learning.items():
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.03)
        assert layer.bias.unique().tolist() == [1.0 if name in WITH_UNIT_BIAS else 0.0]


def test_dropout_is_of_the_units_of_both_hidden_layers_in_training_only() -> None:
    order = ["fc6", "relu6", "drop6", "fc7", "relu7", "drop7", "fc8"]
    assert [name for name, _ in on_meta().classifier.named_children()] == order
    torch.manual_seed(0)
    net, x = alexnet(image_size=(67, 67), num_classes=3), torch.randn(2, 3, 67, 67)
    assert not torch.equal(net.train()(x), net(x))
    assert torch.equal(net.eval()(x), net(x))


@pytest.mark.parametrize("init", ["published", "he"])
def test_every_weight_learns(init: str) -> None:
    torch.manual_seed(0)
    learns(alexnet(image_size=(67, 70), num_classes=3, init=init, in_channels=1), torch.randn(4, 1, 67, 70))


def test_the_smallest_picture_passes_and_one_pixel_less_is_refused() -> None:
    assert meta_shapes(lambda: alexnet(image_size=(67, 67)), ["classifier"], (3, 67, 67)) == {"classifier": (1000,)}
    with pytest.raises(InputError, match=r"alexnet takes pictures of at least 67 .*data.image_size=\[227,227\]"):
        on_meta(image_size=(66, 227))

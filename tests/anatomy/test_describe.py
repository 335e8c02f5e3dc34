from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.anatomy.describe import describe, describe_step
from cnnexp.models.lenet5 import LeNet5
from cnnexp.models.resnet import ResNet


class Odd(nn.Module):
    """A layer called twice, one never called, a function beside the layers, a shared weight, an identity."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(7, 3)
        self.late = nn.Conv2d(4, 4, 1)
        self.act = nn.ReLU()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.nothing = nn.Identity()
        self.twin = nn.Conv2d(4, 4, 1)
        self.twin.weight = self.late.weight
        self.kernel = nn.Parameter(torch.ones(2, 4, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.twin(self.late(self.act(self.nothing(self.first(x))))))
        return F.conv2d(x, self.kernel).mean((2, 3))


def by_name(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {layer["name"]: layer for layer in content["layers"]}


def test_what_stands_in_no_textbook_is_counted_too() -> None:
    with torch.device("meta"):
        net = Odd()  # moved there, the twins would no longer share
    content = describe(net, (3, 8, 8), "odd")
    layers = by_name(content)
    assert list(layers) == ["Odd", "first", "act", "late", "twin", "unused"]
    assert (layers["act"]["calls"], layers["unused"]["calls"], layers["unused"]["order"]) == (2, 0, None)
    assert layers["unused"]["output"] is None and layers["unused"]["parameters"] == 24
    # the shared weight is counted where it comes first, as by net.parameters(); the bias is the twin's own
    assert (layers["late"]["parameters"], layers["twin"]["parameters"]) == (20, 4)
    # the function: 2 filters of 4 * 3 * 3 on 2 * 2 positions
    assert (layers["Odd"]["multiply_adds"], layers["Odd"]["parameters"]) == (2 * 36 * 4, 72)
    assert content["totals"]["parameters"] == 112 + 20 + 4 + 24 + 72


def test_settings_and_fields_of_a_layer() -> None:
    content = describe(Odd().to("meta"), (3, 8, 8), "odd")
    layer = by_name(content)["first"]
    assert (content["input_activations"], layer["activations"]) == (3 * 8 * 8, 4 * 4 * 4)
    assert {key: layer[key] for key in ("kernel", "stride", "padding", "dilation", "groups")} == {
        "kernel": [3, 3],
        "stride": [2, 2],
        "padding": [1, 1],
        "dilation": [1, 1],
        "groups": 1,
    }
    assert layer["receptive_field"] == {"size": [3, 3], "stride": [2, 2], "offset": [-1, -1], "whole": False}
    assert layer["output"] == [4, 4, 4]


def test_a_fully_connected_layer_sees_all_and_says_its_inputs() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(200 * 200 * 3, 10)).to("meta")
    layer = by_name(describe(net, (3, 200, 200), "mlp"))["1"]
    assert layer["inputs"] == 120_000
    assert layer["receptive_field"] == {"size": [200, 200], "stride": [0, 0], "offset": [0, 0], "whole": True}


def test_a_deep_net_and_its_step_need_no_memory() -> None:
    with torch.device("meta"):
        net = ResNet(in_channels=3, num_classes=1000, image_size=(224, 224), depth=152, stem="auto")
    assert describe(net, (3, 224, 224), "resnet152")["totals"]["parameters"] == 60_192_808
    step = describe_step(net, (3, 224, 224), 64, partial(torch.optim.SGD, lr=0.1, momentum=0.9))
    assert (step["weights_bytes"], step["optimizer_bytes"]) == (4 * (60_192_808 + 151_424) + 8 * 155, 4 * 60_192_808)
    assert step["bytes"] > 2**33  # more than eight gigabytes, none of which was taken


def test_a_pooling_says_how_it_rounds() -> None:
    net = nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(2), nn.Conv2d(1, 1, 1)).to("meta")
    layers = by_name(describe(net, (1, 110, 110), "pools"))
    assert (layers["0"]["ceil_mode"], layers["0"]["output"]) == (True, [1, 55, 55])
    assert layers["1"]["ceil_mode"] is False and "ceil_mode" not in layers["2"]


def test_lenet_s_activations_are_the_table_s() -> None:
    net = LeNet5(in_channels=1, num_classes=10, image_size=(32, 32), activation="tanh", pooling="average")
    content = describe(net.to("meta"), (1, 32, 32), "lenet5")
    layers = by_name(content)
    names = ["conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3"]
    sizes = [content["input_activations"], *(layers[name]["activations"] for name in names)]
    assert sizes == [1_024, 4_704, 1_176, 1_600, 400, 120, 84, 10]

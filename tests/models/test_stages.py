from __future__ import annotations

from collections.abc import Callable

import pytest
import timm
import torch
from torch import nn
from torchvision import models

from cnnexp.models.conv_autoencoder import ConvAutoencoder
from cnnexp.models.lenet5 import LeNet5
from cnnexp.models.resnet import ResNet
from cnnexp.models.resnet_cifar import CifarResNet
from cnnexp.models.stages import head_of, stages_of
from cnnexp.models.unet import UNet
from cnnexp.models.vgg import VGG
from cnnexp.models.yolo import YOLO

RESNET = ["conv1", "layer1", "layer2", "layer3", "layer4", "fc"]

# Each list is read off the published architecture by hand.
KNOWN: dict[str, tuple[Callable[[], nn.Module], list[str]]] = {
    "lenet5": (
        lambda: LeNet5(in_channels=1, num_classes=10, image_size=(28, 28), activation="relu", pooling="max"),
        ["conv1", "conv2", "fc1", "fc2", "fc3"],
    ),
    "resnet20": (
        lambda: CifarResNet(in_channels=3, num_classes=10, depth=20),
        ["conv1", "layer1", "layer2", "layer3", "linear"],
    ),
    "resnet18": (
        lambda: ResNet(in_channels=3, num_classes=10, image_size=(32, 32), depth=18, stem="auto"),
        RESNET,
    ),
    "unet": (
        lambda: UNet(in_channels=1, num_classes=2, width=2, depth=2, norm="batch"),
        ["down.0", "down.1", "down.2", "up.0–merge.0", "up.1–merge.1", "head"],
    ),
    "yolo": (
        lambda: YOLO(
            in_channels=3,
            num_classes=3,
            width=2,
            depth=1,
            stride=8,
            radius=1.0,
            confidence_threshold=0.1,
            nms_iou=0.5,
            max_detections=9,
        ),
        ["backbone.0", "backbone.1", "backbone.2–head.0", "head.1"],
    ),
    "conv_autoencoder": (
        lambda: ConvAutoencoder(in_channels=1, image_size=(16, 16), bottleneck=4, width=2),
        ["encoder", "decoder"],
    ),
    "torchvision resnet50": (models.resnet50, RESNET),
    # one stage holds far more than half of all its parameters, and is a stage all the same
    "torchvision resnet152": (models.resnet152, RESNET),
    "torchvision vgg16": (
        models.vgg16,
        [
            "features.0–features.2",
            "features.5–features.7",
            "features.10–features.14",
            "features.17–features.21",
            "features.24–features.28",
            "classifier.0–classifier.3",
            "classifier.6",
        ],
    ),
    # pools without weights stand between its last convolution and its head
    "vgg11 for small pictures": (
        lambda: VGG(in_channels=3, num_classes=10, image_size=(32, 32), configuration="A", norm="none", head="small"),
        [
            "features.0",
            "features.3",
            "features.6–features.8",
            "features.11–features.13",
            "features.16–features.18",
            "classifier.1",
        ],
    ),
    "torchvision squeezenet1_0": (
        models.squeezenet1_0,
        ["features.0", "features.3–features.5", "features.7–features.10", "features.12", "classifier.1"],
    ),
    "torchvision mobilenet_v2": (
        models.mobilenet_v2,
        [
            "features.0–features.1",
            "features.2–features.3",
            "features.4–features.6",
            "features.7–features.13",
            "features.14–features.18",
            "classifier.1",
        ],
    ),
    "timm tf_efficientnet_lite0": (
        lambda: timm.create_model("tf_efficientnet_lite0"),
        ["conv_stem–blocks.0", "blocks.1", "blocks.2", "blocks.3–blocks.4", "blocks.5–conv_head", "classifier"],
    ),
    "timm convnext_atto": (
        lambda: timm.create_model("convnext_atto"),
        ["stem–stages.0", "stages.1", "stages.2", "stages.3", "head.fc"],
    ),
    "timm vit, which halves nothing after its patches": (
        lambda: timm.create_model("vit_tiny_patch16_224", depth=3),
        ["patch_embed", "blocks.0", "blocks.1", "blocks.2", "head"],
    ),
}


def made(name: str) -> nn.Module:
    with torch.device("meta"):  # shapes are enough, and VGG's weights would take half a gigabyte
        return KNOWN[name][0]()


@pytest.mark.parametrize("name", KNOWN)
def test_known_nets(name: str) -> None:
    assert [stage.name for stage in stages_of(made(name))] == KNOWN[name][1]


@pytest.mark.parametrize("name", KNOWN)
def test_every_parameter_and_norm_is_in_one_stage(name: str) -> None:
    net = made(name)
    stages = stages_of(net)
    held = [one for stage in stages for one, _ in stage.parameters(net)]
    assert sorted(held) == sorted(one for one, _ in net.named_parameters())
    for one, _ in net.named_buffers():
        assert sum(stage.holds(one) for stage in stages) == 1, one
    modules = [module for stage in stages for module in stage.modules(net)]
    assert len(modules) == len({id(module) for module in modules})


def test_what_has_no_weights_beside_the_head_is_the_heads() -> None:
    assert head_of(made("torchvision vgg16")).parts == (
        "classifier.4",
        "classifier.5",
        "classifier.6",
    )
    assert head_of(made("torchvision squeezenet1_0")).parts == tuple(f"classifier.{i}" for i in range(4))
    assert head_of(made("torchvision resnet50")).parts == ("fc",)


def test_of_two_heads_both_are_the_head() -> None:
    with torch.device("meta"):
        net = timm.create_model("deit_tiny_distilled_patch16_224", depth=1)
    assert head_of(net).parts == ("head", "head_dist")


def test_a_part_is_no_other_one_that_begins_alike() -> None:
    net = nn.Sequential(*(nn.Linear(2, 2) for _ in range(11)))
    stages = stages_of(net)
    assert [name for name, _ in stages[1].parameters(net)] == ["1.weight", "1.bias"]


def test_a_net_that_is_a_head_alone_has_one_stage() -> None:
    assert [stage.parts for stage in stages_of(nn.Sequential(nn.Flatten(), nn.Linear(2, 2)))] == [("0", "1")]


def test_a_net_without_weights_has_no_head() -> None:
    with pytest.raises(ValueError, match="no layer with weights"):
        stages_of(nn.Sequential(nn.ReLU()))

"""The table of nets with published weights: what torchvision says of them, and the net itself."""

from __future__ import annotations

import json
import socket

import pytest
from torchvision import models

from cnnexp.anatomy.pretrained import DEPTHS, _followed, depths, pretrained_nets
from cnnexp.report.pretrained import PretrainedNet


@pytest.fixture(scope="module")
def nets() -> dict[str, PretrainedNet]:
    def refuse(*_: object) -> None:
        raise AssertionError("the table needs no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        return {net.name: net for net in pretrained_nets()}


def test_figures_that_are_known_elsewhere(nets: dict[str, PretrainedNet]) -> None:
    resnet = nets["resnet50"]
    assert (resnet.parameters, resnet.depth, resnet.option) == (25_557_032, 50, "resnet50")
    assert resnet.words == ["model=resnet50", f"model.weights={resnet.weights}"]
    assert nets["vgg16"].parameters == 138_357_544 and nets["vgg16"].depth == 16
    assert 520 < nets["vgg16"].file_mb < 530, "four bytes for each of its parameters"
    assert nets["inception_resnet_v2"].parameters == 55_843_464 and nets["inception_resnet_v2"].top1 is None


def test_every_classifier_with_weights_is_there(nets: dict[str, PretrainedNet]) -> None:
    assert {net.name for net in nets.values() if net.library == "torchvision"} == {
        name for name in models.list_models(module=models) if list(models.get_model_weights(name))
    }
    assert sum(net.library == "timm" for net in nets.values()) >= 7
    for net in nets.values():
        if net.name == "googlenet":  # its file has the auxiliary heads too
            continue
        assert 0.9 < net.file_mb * 2**20 / (4 * net.parameters) < 1.2, net.name


def test_a_net_of_ours_that_is_another_one_is_not_named(nets: dict[str, PretrainedNet]) -> None:
    """torchvision's AlexNet is the one of 2014; ours is as published."""
    assert nets["alexnet"].option is None
    assert nets["alexnet"].words[:2] == ["model=torchvision", "model.name=alexnet"]
    assert nets["legacy_xception"].option == "xception"


@pytest.mark.parametrize("name", ["alexnet", "regnet_y_400mf", "shufflenet_v2_x0_5"])
def test_depths_that_were_written_down_are_the_nets(name: str) -> None:
    assert json.loads(DEPTHS.read_text())["torchvision"][name] == _followed("torchvision", name)


@pytest.mark.slow
def test_all_depths_that_were_written_down_are_the_nets() -> None:
    written = json.loads(DEPTHS.read_text())
    for library, found in depths().items():
        assert {name: written[library].get(name, depth) for name, depth in found.items()} == found, "run `make docs`"

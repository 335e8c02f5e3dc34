from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision import models

from cnnexp.errors import InputError
from cnnexp.models.of_torchvision import published, torchvision_net


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_0", "mobilenet_v3_small", "shufflenet_v2_x0_5", "googlenet"])
def test_logits_for_the_datas_classes(name: str) -> None:
    net = torchvision_net(name=name, in_channels=3, num_classes=7, image_size=(224, 224)).eval()
    assert net(torch.rand(2, 3, 64, 64)).shape == (2, 7)


def test_the_published_number_of_parameters() -> None:
    counted = {
        name: sum(
            p.numel()
            for p in torchvision_net(name=name, in_channels=3, num_classes=1000, image_size=(224, 224)).parameters()
        )
        for name in ("squeezenet1_0", "mobilenet_v2")
    }
    assert counted == {"squeezenet1_0": 1_248_424, "mobilenet_v2": 3_504_872}  # the table of torchvision's weights


def test_grey_pictures() -> None:
    net = torchvision_net(name="resnet18", in_channels=1, num_classes=3, image_size=(224, 224))
    like = models.resnet18().conv1
    assert isinstance(net.conv1, nn.Conv2d)
    assert (net.conv1.stride, net.conv1.padding, net.conv1.bias) == (like.stride, like.padding, None)
    assert net.eval()(torch.rand(2, 1, 64, 64)).shape == (2, 3)


def test_dropout() -> None:
    net = torchvision_net(name="squeezenet1_0", in_channels=3, num_classes=3, image_size=(224, 224), dropout=0.2)
    assert [one.p for one in net.modules() if isinstance(one, nn.Dropout)] == [0.2]
    with pytest.raises(InputError, match=r"dropout=0\.2: resnet18 has no place"):
        torchvision_net(name="resnet18", in_channels=3, num_classes=3, image_size=(224, 224), dropout=0.2)


def test_an_unknown_name() -> None:
    with pytest.raises(InputError, match=r"model\.name=resnet19: torchvision has no such classifier; did you mean"):
        torchvision_net(name="resnet19", in_channels=3, num_classes=3, image_size=(224, 224))
    with pytest.raises(InputError, match="no such classifier"):  # a detector
        torchvision_net(name="fasterrcnn_resnet50_fpn", in_channels=3, num_classes=3, image_size=(224, 224))


def test_what_is_said_of_weights() -> None:
    said = published("IMAGENET1K_V1", name="squeezenet1_0")
    assert (said.resize_px, said.crop_px, said.interpolation) == (256, 224, "bilinear")
    assert (len(said.classes), said.classes[0], said.classes[217]) == (1000, "tench", "English springer")
    assert published("torchvision", name="resnet50").source.endswith("IMAGENET1K_V2")
    with pytest.raises(InputError, match=r"no such weights for squeezenet1_0; known are .*IMAGENET1K_V1"):
        published("V2", name="squeezenet1_0")


def test_they_come_through_torchs_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    state = models.squeezenet1_0().state_dict()
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(state, tmp_path / "hub" / "checkpoints" / "squeezenet1_0-b66bff10.pth")
    found = published("torchvision", name="squeezenet1_0").load()
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(InputError, match=r"download\.pytorch\.org.* could not be had .*model\.weights=FILE"):
        published("DEFAULT", name="squeezenet1_0").load()

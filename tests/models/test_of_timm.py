from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models import of_timm
from cnnexp.models.of_timm import published, timm_net


def test_logits_for_the_datas_classes() -> None:
    net = timm_net(name="tf_efficientnet_lite0", in_channels=1, num_classes=7, image_size=(224, 224)).eval()
    assert net(torch.rand(2, 1, 64, 64)).shape == (2, 7)
    whole = timm_net(name="tf_efficientnet_lite0", in_channels=3, num_classes=1000, image_size=(224, 224))
    assert sum(p.numel() for p in whole.parameters()) == 4_652_008  # as its authors count


def test_dropout() -> None:
    net: Any = timm_net(name="tf_efficientnet_lite0", in_channels=3, num_classes=7, image_size=(224, 224), dropout=0.4)
    assert net.drop_rate == 0.4


def test_an_unknown_name() -> None:
    with pytest.raises(InputError, match=r"model\.name=resnet19: timm has no such classifier; did you mean"):
        timm_net(name="resnet19", in_channels=3, num_classes=3, image_size=(224, 224))


def test_what_is_said_of_weights() -> None:
    said = published("timm", name="tf_efficientnet_lite0")
    assert (said.mean, said.std, said.resize_px, said.crop_px) == ((0.5,) * 3, (0.5,) * 3, 256, 224)
    assert (len(said.classes), said.classes[0], said.interpolation) == (1000, "tench", "bicubic")
    with pytest.raises(InputError, match="no such weights for resnet18; did you mean a1_in1k"):
        published("a1_in1", name="resnet18")


def test_they_come_through_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def create(name: str, pretrained: bool) -> nn.Module:
        asked.append((name, pretrained))
        if name.endswith("a2_in1k"):
            raise OSError("no way to the hub")
        return nn.Linear(2, 2)

    says = published("a1_in1k", name="resnet18"), published("a2_in1k", name="resnet18")
    monkeypatch.setattr(of_timm.timm, "create_model", create)
    assert list(says[0].load()) == ["weight", "bias"]
    with pytest.raises(InputError, match=r"timm could not get resnet18\.a2_in1k .*no way to the hub.*FILE"):
        says[1].load()
    assert asked == [("resnet18.a1_in1k", True), ("resnet18.a2_in1k", True)]
    assert timm.is_model("resnet18")

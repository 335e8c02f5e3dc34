"""R3D-18: torchvision's net and number of parameters, other channels and strides, what is published."""

from __future__ import annotations

import pytest
import torch
from torchvision.models.video import r3d_18 as of_torchvision

from cnnexp.errors import InputError
from cnnexp.models.r3d_18 import published, r3d_18
from tests.models.made import counted


def test_the_published_number_of_parameters() -> None:
    assert counted(lambda: r3d_18(in_channels=3, num_classes=400)) == 33_371_472


def test_it_is_torchvisions_net_by_its_names() -> None:
    theirs = of_torchvision(weights=None, num_classes=5).eval()
    ours = r3d_18(in_channels=3, num_classes=5).eval()
    ours.load_state_dict(theirs.state_dict())
    clip = torch.randn(1, 3, 4, 32, 32)
    assert torch.equal(ours(clip), theirs(clip))


def test_other_channels_and_strides() -> None:
    with torch.device("meta"):
        net = r3d_18(in_channels=1, num_classes=8, stem_stride=(2, 4, 4))
        assert net.stem(torch.empty(1, 1, 16, 32, 32)).shape == (1, 64, 8, 8, 8)  # type: ignore[operator]
        assert net(torch.empty(2, 1, 16, 32, 32)).shape == (2, 8)
    for stride in ((1, 2), (0, 2, 2)):
        with pytest.raises(InputError, match=r"model.stem_stride=\["):
            r3d_18(in_channels=3, num_classes=8, stem_stride=stride)  # type: ignore[arg-type]


def test_what_is_published() -> None:
    for name in (None, "torchvision", "DEFAULT", "KINETICS400_V1"):
        found = published(name)
        assert (len(found.classes), found.crop_px, found.clip) == (400, 112, (16, (128, 171)))
        assert found.mean == (0.43216, 0.394666, 0.37645)
    with pytest.raises(InputError, match=r"model.weights=KINETICS400_V2: no file, .* known are .*KINETICS400_V1"):
        published("KINETICS400_V2")

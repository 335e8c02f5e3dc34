from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.builders.by_stage import match_by_stage
from cnnexp.errors import InputError
from cnnexp.models.resnet_cifar import CifarResNet
from cnnexp.models.vgg import VGG


def vgg(configuration: Any, **changes: Any) -> VGG:
    arguments = {"in_channels": 3, "num_classes": 10, "image_size": (32, 32), "norm": "none", "head": "small"}
    with torch.device("meta"):
        return VGG(configuration=configuration, **(arguments | changes))


def convolutions(net: nn.Module) -> list[str]:
    return [name for name, module in net.named_modules() if isinstance(module, nn.Conv2d)]


@pytest.mark.parametrize(
    ("source", "target", "counterparts"),
    [
        # Stage and position of each of the source's convolutions, and the number that this place has in the target.
        ("A", "B", [0, 2, 4, 5, 6, 7, 8, 9]),
        ("B", "D", [0, 1, 2, 3, 4, 5, 7, 8, 10, 11]),
        ("A", "E", [0, 2, 4, 5, 8, 9, 12, 13]),
        ("A-LRN", "B", [0, 2, 4, 5, 6, 7, 8, 9]),
    ],
)
@pytest.mark.parametrize("head", ["small", "imagenet"])
def test_every_convolution_of_a_shallower_vgg_goes_over(
    source: str, target: str, counterparts: list[int], head: str
) -> None:
    shallow, deep = vgg(source, head=head), vgg(target, head=head)
    names, said = match_by_stage(deep, shallow, shallow.state_dict())
    theirs, own = convolutions(shallow), convolutions(deep)
    expected = {own[number]: name for number, name in zip(counterparts, theirs, strict=True)}
    linear = [name for name, module in shallow.named_modules() if isinstance(module, nn.Linear)]
    found = {mine.rpartition(".")[0]: given.rpartition(".")[0] for mine, given in names.items()}
    assert found == expected | {name: name for name in linear}, "the heads are the same"
    assert {name.rpartition(".")[2] for name in names} == {"weight", "bias"}
    assert (
        said == f"{len(theirs)} of its {len(theirs)} convolutions and {len(linear)} of its {len(linear)} linear layers"
    )


def test_a_1x1_convolution_is_no_start_for_a_3x3_one() -> None:
    names, said = match_by_stage(vgg("D"), vgg("C"), vgg("C").state_dict())
    assert said == "10 of its 13 convolutions and 1 of its 1 linear layers"
    assert [name for name in convolutions(vgg("D")) if f"{name}.weight" not in names] == [
        "features.14",
        "features.21",
        "features.28",
    ]


def test_norms_go_over_with_their_statistics() -> None:
    names, _ = match_by_stage(vgg("B", norm="batch"), vgg("A", norm="batch"), vgg("A", norm="batch").state_dict())
    assert names["features.8.running_mean"] == "features.5.running_mean"
    assert names["features.8.num_batches_tracked"] == "features.5.num_batches_tracked"


def test_other_classes_leave_the_head_fresh() -> None:
    names, said = match_by_stage(vgg("B", num_classes=7), vgg("A"), vgg("A").state_dict())
    assert "classifier.1.weight" not in names
    assert said == "8 of its 8 convolutions and 0 of its 1 linear layers"


def test_any_family_with_the_same_stages() -> None:
    """Of ResNet-20's three blocks a stage, each goes into the same block of ResNet-32, which has five."""
    shallow, deep = (CifarResNet(in_channels=3, num_classes=10, depth=depth) for depth in (20, 32))
    names, said = match_by_stage(deep, shallow, shallow.state_dict())
    assert all(mine == given for mine, given in names.items()) and len(names) == len(shallow.state_dict())
    assert said == "19 of its 19 convolutions and 1 of its 1 linear layers"


def test_other_stages_are_refused() -> None:
    with pytest.raises(InputError, match=re.escape("the net has 6 stages (features.0–features.2")) as refused:
        match_by_stage(vgg("B"), vgg("A", head="imagenet"), {})
    assert "the run's has 7" in str(refused.value)
    assert len(refused.value.lines) == 1

"""Inception v1 against the paper's table and the figures of its module 3a."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnexp.errors import InputError
from cnnexp.models.auxiliary import weight_of
from cnnexp.models.inception import MODULES, SMALLEST_PX, InceptionModule, InceptionV1
from cnnexp.models.stages import stages_of
from tests.models.made import counted, learns, meta_shapes, parameters


def inception_v1(**changes: Any) -> InceptionV1:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=1000, image_size=(224, 224), modules="reduced")
    return InceptionV1(**(arguments | dict(auxiliary_heads=False, stem="auto", dropout=0.4) | changes))


def on_meta(**changes: Any) -> InceptionV1:
    with torch.device("meta"):
        return inception_v1(**changes)


@pytest.mark.parametrize(("heads", "count"), [(False, 6_998_552), (True, 13_378_280)])
def test_parameter_counts(heads: bool, count: int) -> None:
    assert counted(lambda: inception_v1(auxiliary_heads=heads)) == count


def test_maps_of_every_module_are_the_papers() -> None:
    names = ["begin", *(f"inception.{name}" for name in MODULES)]
    found = meta_shapes(inception_v1, names, (3, 224, 224))
    widths = [192, 256, 480, 512, 512, 512, 528, 832, 832, 1024]
    sides = [28, 28, 28, 14, 14, 14, 14, 14, 7, 7]
    assert list(found.values()) == [(width, side, side) for width, side in zip(widths, sides, strict=True)]


@pytest.mark.parametrize(
    ("form", "maps", "multiplications"), [("reduced", 256, 128_049_152), ("naive", 416, 303_464_448)]
)
def test_module_3a(form: Any, maps: int, multiplications: int) -> None:
    with torch.device("meta"):
        module = InceptionModule(192, MODULES["3a"], form)
        counter = FlopCounterMode(display=False)
        with counter:
            assert module(torch.empty(1, 192, 28, 28)).shape == (1, maps, 28, 28)
    assert counter.get_total_flops() == 2 * multiplications
    if form == "reduced":
        assert parameters(module) == 163_696


def test_branches_stand_side_by_side() -> None:
    torch.manual_seed(0)
    module, x = InceptionModule(8, (4, 2, 6, 3, 5, 7), "reduced"), torch.randn(2, 8, 9, 9)
    found = module(x)
    ends = [4, 10, 15, 22]
    for branch, start, end in zip(module.children(), [0, *ends], ends, strict=False):
        assert torch.equal(found[:, start:end], branch(x))
    naive = InceptionModule(8, (4, 2, 6, 3, 5, 7), "naive")(x)
    assert torch.equal(naive[:, 15:], nn.functional.max_pool2d(x, 3, 1, 1)) and naive.shape[1] == 15 + 8


def test_heads_answer_in_training_only() -> None:
    torch.manual_seed(0)
    net = inception_v1(auxiliary_heads=True, num_classes=4, image_size=(32, 32))
    x = torch.randn(2, 3, 32, 32)
    answers = net.train()(x)
    assert isinstance(answers, tuple) and [tuple(one.shape) for one in answers] == [(2, 4)] * 3
    assert isinstance(net.eval()(x), torch.Tensor) and weight_of(net) == 0.3
    without = inception_v1(num_classes=4, image_size=(32, 32))
    assert isinstance(without.train()(x), torch.Tensor) and weight_of(without) is None


def test_a_head_sees_4x4_means_of_512_and_528_maps() -> None:
    net = on_meta(auxiliary_heads=True)
    given = [head.get_submodule("conv.0").in_channels for head in net.heads.values()]
    assert given == [512, 528]
    assert [head.get_submodule("fc").in_features for head in net.heads.values()] == [128 * 4 * 4] * 2


@pytest.mark.parametrize(("heads", "modules"), [(True, "reduced"), (False, "naive")])
def test_every_weight_learns(heads: bool, modules: str) -> None:
    torch.manual_seed(0)
    net = inception_v1(auxiliary_heads=heads, modules=modules, num_classes=4, image_size=(12, 12), in_channels=1)
    learns(net, torch.randn(4, 1, 12, 12))


def test_the_stem_fits_the_picture() -> None:
    assert on_meta(image_size=(64, 80)).stem == "small" and on_meta(image_size=(65, 80)).stem == "imagenet"
    found = meta_shapes(lambda: inception_v1(image_size=(32, 32)), ["begin", "inception.5b"], (3, 32, 32))
    assert found == {"begin": (192, 32, 32), "inception.5b": (1024, 8, 8)}


@pytest.mark.parametrize(("stem", "heads"), list(SMALLEST_PX))
def test_the_smallest_picture_passes_and_one_pixel_less_is_refused(stem: str, heads: bool) -> None:
    smallest = SMALLEST_PX[stem, heads]
    with torch.device("meta"):
        net = inception_v1(stem=stem, auxiliary_heads=heads, image_size=(smallest, smallest)).train()
        answers = net(torch.empty(2, 3, smallest, smallest))
    assert len(answers) == 3 if heads else answers.shape == (2, 1000)
    with pytest.raises(InputError, match=rf"inception_v1 .*stem for {stem} pictures takes .* at least {smallest} "):
        on_meta(stem=stem, auxiliary_heads=heads, image_size=(smallest - 1, 300))


@pytest.mark.parametrize("heads", [False, True])
def test_stages_are_the_resolutions_and_every_weight_lies_in_one(heads: bool) -> None:
    net = on_meta(auxiliary_heads=heads)
    stages = stages_of(net)
    assert [len(stage.parts) for stage in stages] == [1, 2, 7 if heads else 5, 2, 2]
    assert stages[-1].holds("linear.weight") and stages[2].holds("inception.4c.branch1.0.weight")
    for name, _ in net.named_parameters():
        assert sum(stage.holds(name) for stage in stages) == 1, name

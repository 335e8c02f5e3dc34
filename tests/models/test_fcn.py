"""FCN: the paper's figures and crops, VGG's logits in it, and what a 16s and an 8s begin with."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from cnnexp.models.bilinear import BilinearUpsampling
from cnnexp.models.fcn import FCN, published, renamed
from cnnexp.models.stages import stages_of
from tests.models.made import counted, learns


def fcn(**changes: Any) -> Any:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=5, stride=8, width=2)
    return FCN(**(arguments | changes))


def test_the_papers_net_has_134_million_parameters() -> None:
    """VGG-16's convolutions, FC6 and FC7 as convolutions, scores of 21 classes; the last step is fixed."""
    before, convolutions = 3, 0
    for width, count in zip((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), strict=True):
        for _ in range(count):
            convolutions += 9 * before * width + width
            before = width
    hidden = (49 * 512 * 4096 + 4096) + (4096 * 4096 + 4096)
    whole = convolutions + hidden + 4096 * 21 + 21
    vgg16 = dict(backbone="vgg16", width=None, num_classes=21)
    assert counted(lambda: fcn(stride=32, **vgg16)) == whole == 134_346_581
    pool4, pool3, doubling = 512 * 21 + 21, 256 * 21 + 21, 21 * 21 * 4 * 4
    assert counted(lambda: fcn(stride=16, **vgg16)) == whole + pool4 + doubling
    assert counted(lambda: fcn(stride=8, **vgg16)) == whole + pool4 + pool3 + 2 * doubling
    assert counted(lambda: fcn(stride=32, upsampling="learnt", **vgg16)) == whole + 21 * 21 * 64 * 64


@pytest.mark.parametrize(("stride", "crop", "skips"), [(32, 19, {}), (16, 27, {16: 5}), (8, 31, {16: 5, 8: 9})])
def test_crops_of_the_published_net(stride: int, crop: int, skips: dict[int, int]) -> None:
    """The offsets of the layer `crop` in the paper's program."""
    head = fcn(stride=stride, padding=100).head
    assert (head.crop, head.offsets) == (crop, skips)


@pytest.mark.parametrize("padding", [1, 80, 81, 100])
@pytest.mark.parametrize("stride", [32, 16, 8])
def test_every_size_passes(stride: int, padding: int) -> None:
    net = fcn(stride=stride, padding=padding).eval()
    for size in [(33, 47), (96, 65), *([] if padding == 81 else [(1, 1), (5, 70)])]:
        assert net(torch.rand(1, 3, *size)).shape == (1, 5, *size)


@pytest.mark.parametrize(("stride", "padding"), [(32, 1), (16, 1), (8, 1), (8, 100)])
def test_the_answer_lies_where_the_picture_does(stride: int, padding: int) -> None:
    """The gradient of an answer is as large to the left of it as to the right, where all weights are alike."""
    net = fcn(stride=stride, padding=padding, norm="none", upsampling="fixed", num_classes=1, width=1).eval()
    with torch.no_grad():
        for name, one in net.named_parameters():
            one.fill_(0.0 if name.endswith("bias") else 1 / one[0].numel())
    net.features = nn.Sequential(*(_mean_pool(one) for one in net.features))
    net.maps = lambda x: _maps(net, x)
    picture = torch.ones(1, 3, 640, 640, requires_grad=True)
    answer = net(picture)
    answer[0, 0, 304:336, 304:336].sum().backward()  # 32 rows about the middle: every phase of the grid once
    assert picture.grad is not None
    weights = picture.grad.sum((0, 1, 3))
    centre = (weights * (torch.arange(640) + 0.5)).sum() / weights.sum()
    assert abs(float(centre) - 320) < 0.01


def _mean_pool(layer: nn.Module) -> nn.Module:
    return nn.AvgPool2d(2, ceil_mode=True) if isinstance(layer, nn.MaxPool2d) else layer


def _maps(net: Any, x: Tensor) -> dict[int, Tensor]:
    found, stride = {}, 1
    for layer in net.features:
        x = layer(x)
        if isinstance(layer, nn.AvgPool2d):
            stride *= 2
            found[stride] = x
    found[32] = net.fc7(net.fc6(x))
    return found


def narrow_vgg(width: int, classes: int) -> Any:
    """torchvision's VGG-16 with fewer maps and units."""
    plan = [one if one == "M" else one // 64 * width for one in torchvision.models.vgg.cfgs["D"]]
    net = torchvision.models.VGG(torchvision.models.vgg.make_layers(plan), classes, init_weights=False)
    hidden = 64 * width
    net.classifier[0] = nn.Linear(49 * 8 * width, hidden)
    net.classifier[3], net.classifier[6] = nn.Linear(hidden, hidden), nn.Linear(hidden, classes)
    return net.eval()


@pytest.mark.parametrize("width", [1, pytest.param(64, marks=pytest.mark.slow)])
def test_the_classifiers_logits_in_its_convolutions(width: int) -> None:
    """With torchvision's padding of 1 a 224x224 picture leaves 7x7 maps: in their middle FC6 sees all of them."""
    torch.manual_seed(0)
    vgg, picture = narrow_vgg(width, 5), torch.randn(1, 3, 224, 224)
    net = fcn(stride=32, backbone="vgg16", width=width, padding=1).eval()
    net.load_state_dict(renamed(vgg.state_dict()))
    scores = net.head.score(net.maps(picture)[32])
    assert scores.shape == (1, 5, 7, 7)
    torch.testing.assert_close(scores[..., 3, 3], vgg(picture), rtol=1e-4, atol=1e-5)
    net.fc6.padding = (0, 0)  # the classifier has none
    torch.testing.assert_close(net.head.score(net.maps(picture)[32])[..., 0, 0], vgg(picture), rtol=1e-4, atol=1e-5)


def test_names_are_torchvisions() -> None:
    with torch.device("meta"):
        vgg, net = (
            torchvision.models.vgg16(num_classes=21),
            fcn(stride=32, backbone="vgg16", width=None, num_classes=21),
        )
        expected = {name: one.shape for name, one in renamed(vgg.state_dict()).items()}
    assert {name: one.shape for name, one in net.state_dict().items()} == expected
    assert expected["fc6.weight"] == (4096, 512, 7, 7)


@pytest.mark.parametrize("padding", [1, 100])
def test_a_finer_one_begins_where_the_coarser_ended(padding: int) -> None:
    """The skips' scores are zero, so the same scores are enlarged, in two steps or three.

    A tent of 2 and one of 16 are not quite one of 32: they blunt a peak. Where scores rise evenly all are exact.
    """
    torch.manual_seed(0)
    coarse, picture = fcn(stride=32, padding=padding).eval(), torch.rand(1, 3, 256, 320)
    for stride in (16, 8):
        fine = fcn(stride=stride, padding=padding).eval()
        missing = fine.load_state_dict(coarse.state_dict(), strict=False)
        assert missing.unexpected_keys == []
        assert {name.split(".")[1] for name in missing.missing_keys} <= {
            "score_pool4",
            "to_pool4",
            "score_pool3",
            "to_pool3",
        }
        before, after = coarse.maps(picture)[32], fine.maps(picture)[32]
        assert torch.equal(before, after)
        ramp = torch.arange(before.shape[-1])[None, None, None] + 3.0 * torch.arange(before.shape[-2])[:, None]
        maps = {32: ramp.expand_as(before), **{at: fine.maps(picture)[at] for at in (16, 8)}}
        with torch.no_grad():
            fine.head.score.weight.fill_(1 / before.shape[1])
            coarse.head.score.weight.copy_(fine.head.score.weight)
        found, expected = (net.head(maps, (256, 320)) for net in (fine, coarse))
        torch.testing.assert_close(found[..., 64:-64, 64:-64], expected[..., 64:-64, 64:-64], rtol=1e-4, atol=1e-4)
        coarse = fine


def test_the_sum_of_a_16s_by_hand() -> None:
    """On a padded FC6 the doubled scores lose one pixel at each edge, to lie over those of pool4."""
    torch.manual_seed(0)
    net = fcn(stride=16, norm="none").eval()
    nn.init.normal_(net.head.score_pool4.weight)
    picture = torch.rand(1, 3, 96, 64)
    maps = net.maps(picture)
    doubled = F.conv_transpose2d(net.head.score(maps[32]), net.head.to_pool4.weight, stride=2)
    summed = doubled[..., 1:7, 1:5] + F.conv2d(maps[16], net.head.score_pool4.weight)
    expected = BilinearUpsampling(5, 16, learnt=False)(summed)[..., 8:104, 8:72]
    torch.testing.assert_close(net(picture), expected)


def test_what_learns() -> None:
    learns(fcn(stride=32), torch.rand(2, 3, 64, 64))
    names = {
        how: {n for n, _ in fcn(upsampling=how).head.named_parameters()} for how in ("fixed", "published", "learnt")
    }
    assert names["published"] - names["fixed"] == {"to_pool4.weight", "to_pool3.weight"}
    assert names["learnt"] - names["published"] == {"to_picture.weight"}


def test_stages_and_rows() -> None:
    net = fcn()
    assert [stage.parts[0].split(".")[0] for stage in stages_of(net)] == ["features"] * 5 + ["fc6", "head"]
    assert set(net.class_rows([1, 0])) == {"head.score", "head.score_pool4", "head.score_pool3"}


def test_weights_are_published_for_vgg16_alone() -> None:
    assert published("imagenet", backbone="small", norm=None) is None
    found = published("imagenet", backbone="vgg16", norm=None)
    assert found is not None and found.classes == () and "VGG16_Weights.IMAGENET1K_V1" in found.source
    with_norms = published(None, backbone="vgg16", norm="batch")
    assert with_norms is not None and "VGG16_BN_Weights" in with_norms.source

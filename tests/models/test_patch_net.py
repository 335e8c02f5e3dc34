"""The patch net: as convolutions and window by window the same; what it draws, and what it is refused for."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.builders.begun import Start
from cnnexp.builders.starting import put_start
from cnnexp.errors import InputError
from cnnexp.models.fovea import FOVEATES, foveated
from cnnexp.models.patch_net import UNSAID, PatchNet, draw
from tests.training.processes import together


def patch_net(**changes: Any) -> PatchNet:
    arguments: dict[str, Any] = dict(
        in_channels=1,
        num_classes=3,
        image_size=(40, 40),
        window=17,
        kernels=(4, 4),
        widths=(4, 5),
        hidden=6,
        windows=12,
        as_frequent=False,
        stride=None,
        foveate="none",
        norm="batch",
    )
    torch.manual_seed(0)
    net = PatchNet(**(arguments | changes))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return net.eval()


def window_by_window(net: PatchNet, x: Tensor) -> Tensor:
    """Each pixel's window cut out of the mirrored picture by numpy, and through plain layers of torch."""
    half, functional = net.window // 2, torch.nn.functional
    larger = np.pad(x.numpy(), ((0, 0), (0, 0), (half, half), (half, half)), mode="reflect")
    height, width = x.shape[-2:]
    cut = [larger[0, :, r : r + net.window, c : c + net.window] for r in range(height) for c in range(width)]
    maps = torch.from_numpy(np.stack(cut))
    for conv, norm in zip(net.convs, net.norms, strict=True):
        maps = functional.max_pool2d(norm(functional.conv2d(maps, conv.weight, conv.bias)).relu(), 2)
    hidden = functional.linear(maps.flatten(1), net.dense.weight.flatten(1), net.dense.bias).relu()
    logits = functional.linear(hidden, net.head.weight[..., 0, 0], net.head.bias)
    return logits.T.view(1, -1, height, width)


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize(("window", "kernels", "widths"), [(17, (4, 4), (4, 5)), (21, (2, 3, 3), (3, 4, 5))])
@torch.no_grad()
def test_as_convolutions_it_answers_as_window_by_window(
    norm: str, window: int, kernels: tuple[int, ...], widths: tuple[int, ...]
) -> None:
    net = patch_net(norm=norm, window=window, kernels=kernels, widths=widths)
    picture = torch.randn(1, 1, 23, 26)
    expected = window_by_window(net, picture)
    assert expected.std() > 0.01
    torch.testing.assert_close(net(picture), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [2, 4])
@torch.no_grad()
def test_with_a_stride_every_so_many_pixels_are_exact_and_the_others_between_them(stride: int) -> None:
    net, dense, picture = patch_net(stride=stride), patch_net(), torch.randn(2, 1, 23, 26)
    answer, exact = net(picture), dense(picture)
    torch.testing.assert_close(answer[..., ::stride, ::stride], exact[..., ::stride, ::stride])
    middle = (answer[..., 0:-stride:stride, ::stride] + answer[..., stride::stride, ::stride]) / 2
    between = answer[..., stride // 2 :: stride, ::stride][..., : middle.shape[-2], :]
    torch.testing.assert_close(between, middle)


def test_the_published_table() -> None:
    """N4: 92 46 42 21 18 9 6 3 1 1, and its weights by hand."""
    sides: list[int] = []
    net = patch_net(
        num_classes=2, image_size=(95, 95), window=95, kernels=(4, 5, 4, 4), widths=(48,) * 4, hidden=200, norm="none"
    )
    for layer in [*net.convs, net.dense, net.head]:
        layer.register_forward_hook(lambda _layer, _given, maps: sides.append(maps.shape[-1]))
    assert net.of_windows(torch.zeros(1, 1, 95, 95), 16).shape == (1, 2, 1, 1)
    assert sides == [92, 42, 18, 6, 1, 1]
    convolutions = (16 + 1) * 48 + (25 * 48 + 1) * 48 + 2 * (16 * 48 + 1) * 48
    assert sum(one.numel() for one in net.parameters()) == convolutions + (9 * 48 + 1) * 200 + 201 * 2


def test_windows_are_drawn_evenly_from_the_classes_of_a_picture() -> None:
    mask = torch.full((3, 20, 20), UNSAID)
    mask[0, :, :10], mask[0, 3, 12], mask[1] = 0, 2, 1
    draws = torch.tensor([5, 6, 7])
    places, classes = draw(mask, draws, 30)
    assert places[:, 0].bincount().tolist() == [30, 30], "none of a picture without a class"
    assert classes.bincount().tolist() == [15, 30, 15]
    assert torch.equal(mask[tuple(places.T)], classes)
    assert set(map(tuple, places[classes == 2].tolist())) == {(0, 3, 12)}
    rows = draw(mask, draws, 4000)[0][2000 + 2000 :, 1].double()
    assert abs(float(rows.mean()) - 9.5) < 0.3 and rows.unique().numel() == 20, "anywhere within a class"
    alone = draw(mask[:1], draws[:1], 30)[0]
    assert torch.equal(alone, places[:30]), "whatever batch the picture is in"
    assert not torch.equal(draw(mask[:1], draws[1:2], 30)[0], alone)


@torch.no_grad()
def test_drawn_windows_are_answered_as_whole_pictures_are() -> None:
    net, picture = patch_net(), torch.randn(2, 1, 30, 24)
    mask, draws = torch.randint(3, (2, 30, 24)), torch.tensor([1, 2])
    logits, classes = net.drawn(picture, mask, draws)
    places, _ = draw(mask, draws, 12)
    expected = net(picture)[places[:, 0], :, places[:, 1], places[:, 2]]
    torch.testing.assert_close(logits[..., 0, 0], expected)
    assert torch.equal(classes[:, 0, 0], mask[tuple(places.T)])


@torch.no_grad()
def test_answers_are_as_frequent_as_the_classes_were() -> None:
    """By Bayes: windows one to one, pixels three to one, so the odds of the first class are three times as high."""
    net, plain = patch_net(as_frequent=True, num_classes=2), patch_net(num_classes=2)
    picture, mask = torch.randn(1, 1, 20, 20), torch.zeros(1, 20, 20, dtype=torch.int64)
    mask[:, 15:] = 1
    net.train().drawn(picture, mask, torch.tensor([3]))
    plain.load_state_dict(net.eval().state_dict())
    odds, even = (one(picture).softmax(1) for one in (net, plain))
    torch.testing.assert_close(odds[:, 0] / odds[:, 1], 3 * even[:, 0] / even[:, 1], rtol=1e-4, atol=0)


def test_several_processes_have_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, mask, draws = torch.randn(4, 1, 20, 20), torch.randint(3, (4, 20, 20)), torch.arange(4)
    mask[:2, 3:] = UNSAID
    whole, *nets = (patch_net(as_frequent=True).train() for _ in range(3))
    whole.drawn(picture, mask, draws)
    parts = [slice(0, 2), slice(2, 4)]
    together(
        [partial(net.drawn, picture[part], mask[part], draws[part]) for net, part in zip(nets, parts, strict=True)],
        monkeypatch,
    )
    for net in nets:
        assert torch.equal(net.head.counted, whole.head.counted) and torch.equal(net.head.shown, whole.head.shown)


def test_counts_go_with_the_head() -> None:
    """Fresh where another run has other classes, so that its weights are no other net's."""
    net, other = patch_net(num_classes=2), patch_net(num_classes=3)
    net.head.counted += 5
    begun = Start("a run")
    put_start(other, net.state_dict(), begun, "patch_net")
    assert "head.counted" in begun.fresh and not other.head.counted.any()


def test_a_fovea_keeps_the_middle_and_what_is_constant() -> None:
    windows = torch.randn(3, 2, 33, 33)
    for foveate in FOVEATES:
        ones = foveated(torch.ones(1, 1, 33, 33), foveate)
        torch.testing.assert_close(ones, torch.ones(1, 1, 33, 33))
        torch.testing.assert_close(foveated(windows, foveate)[..., 16, 16], windows[..., 16, 16])
    assert foveated(windows, "none") is windows
    blurred = foveated(windows, "blur")
    torch.testing.assert_close(blurred[..., 12:21, 12:21], windows[..., 12:21, 12:21])
    assert blurred[..., 0, :].std() < 0.3 < blurred[..., 8, 8:25].std()


def test_sampling_enlarges_the_middle_to_twice_its_size_and_keeps_the_rim() -> None:
    ramp = torch.linspace(-1, 1, 33).expand(1, 1, 33, 33)
    seen = foveated(ramp, "sampling")[0, 0, 0]
    assert seen[[0, 16, 32]].tolist() == pytest.approx([-1, 0, 1], abs=1e-6)
    assert float(seen[17] - seen[16]) == pytest.approx(0.5 / 16, rel=0.05)


@pytest.mark.parametrize("foveate", ["blur", "both"])
@torch.no_grad()
def test_foveated_windows_are_answered_one_by_one(foveate: str) -> None:
    net, picture = patch_net(foveate=foveate, stride=4), torch.randn(2, 1, 23, 26)
    mask = torch.zeros(2, 23, 26, dtype=torch.int64)
    logits, _ = net.drawn(picture, mask, torch.tensor([1, 2]))
    places, _ = draw(mask, torch.tensor([1, 2]), 12)
    exact = patch_net(foveate=foveate, stride=1)(picture)
    torch.testing.assert_close(logits[..., 0, 0], exact[places[:, 0], :, places[:, 1], places[:, 2]])
    torch.testing.assert_close(net(picture)[..., ::4, ::4], exact[..., ::4, ::4])
    assert patch_net(foveate=foveate, kernels=(4, 4, 2), widths=(2, 2, 2), window=21).stride == 8


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (dict(window=18), "model.window=18: a pooling by 2 does not divide the 15 pixels .*; take 17"),
        (dict(window=5), "model.window=5: .*; take 13"),
        (dict(widths=(4,)), "model.widths: 1 numbers, and model.kernels has 2"),
        (dict(image_size=(16, 40)), r"data.image_size=\[16,40\]: smaller than .*model.window=17; .*=\[17,40\]"),
        (dict(stride=3), "model.stride=3: take a power of 2 up to 4"),
        (dict(windows=0), "model.windows=0"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        patch_net(**wrong)
    assert len(caught.value.lines) == 1

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.anatomy.trace import traced
from cnnexp.commands.techniques.patches import _field
from cnnexp.visualize.patch_sheet import CELL_PX, PatchRow, patches_image
from cnnexp.visualize.patches import OUTSIDE, Peaks, cut, peaks
from cnnexp.visualize.scores import Tapped

LAYERS = ["0", "2", "3", "5"]


def padded_net() -> nn.Sequential:
    """Strides, poolings, padding in every convolution: total stride 8, and its units begin at odd pixels."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 5, stride=2, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True)]
    layers += [nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(inplace=True), nn.AvgPool2d(2), nn.Conv2d(8, 4, 1)]
    return nn.Sequential(*layers).double().eval()


def maps(net: nn.Module, layer: str, x: Tensor) -> Tensor:
    with Tapped(net, layer) as tapped, torch.no_grad():
        net(x)
        return tapped.output


def test_a_patch_alone_gives_the_answer_that_it_gave_in_its_picture() -> None:
    """Where no padding is seen. A patch begins so many pixels earlier that its units stand on the strides again."""
    net = padded_net()
    x = torch.randn(12, 3, 64, 72, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    calls = traced(net, x[:1]).modules
    found = peaks(net, lambda start, stop: x[start:stop], len(x), LAYERS)
    held = 0
    for one in found:
        rows, columns = (place.axis for place in calls[one.layer].seen)
        for channel in range(one.values.shape[1]):
            for picture in one.strongest(channel, 3):
                top, left, bottom, right = _field(calls[one.layer], one.place(picture, channel))
                first = [next(at for at in range(99) if axis.first(at) >= 0) for axis in (rows, columns)]
                top, left = top - rows.first(first[0]), left - columns.first(first[1])
                if top < 0 or left < 0 or bottom >= 64 or right >= 72:
                    continue
                patch = x[picture : picture + 1, :, top : bottom + 1, left : right + 1]
                patch = nn.functional.pad(patch, (0, 40, 0, 40))  # so that the poolings behind it find something
                alone = maps(net, one.layer, patch)[0, channel, first[0], first[1]]
                assert float(alone) == pytest.approx(one.values[picture, channel], rel=1e-5)
                held += 1
    assert held > 40


def test_one_pixel_less_and_the_answer_is_another() -> None:
    """The boxes are not too large: each of their edges is seen."""
    net = padded_net()
    x = torch.randn(1, 3, 64, 72, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    call = traced(net, x).modules["3"]
    top, left, bottom, right = _field(call, (6, 7))
    x.requires_grad_()
    with Tapped(net, "3") as tapped:
        net(x)
        (grad,) = torch.autograd.grad(tapped.output[0, :, 6, 7].square().sum(), x)
    rows, columns = grad.abs().sum((0, 1, 3)).nonzero().flatten(), grad.abs().sum((0, 1, 2)).nonzero().flatten()
    assert top <= rows[0] and rows[-1] <= bottom and left <= columns[0] and columns[-1] <= right
    assert bottom - top + 1 == 5 + 2 * 2 + 2 * 4  # 5, then a pool of 3 at stride 2, then 3 at stride 4
    assert (rows[-1] - rows[0] + 1) >= 0.8 * (bottom - top + 1)


def test_peaks_are_the_largest_answers_of_each_picture() -> None:
    net = padded_net()
    x = torch.randn(30, 3, 40, 40, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (one,) = peaks(net, lambda start, stop: x[start:stop], len(x), ["3"])
    whole = maps(net, "3", x)
    assert np.allclose(one.values, whole.amax((2, 3)))
    row, column = one.place(29, 5)
    assert float(whole[29, 5, row, column]) == pytest.approx(one.values[29, 5])
    order = one.strongest(5, 30)
    assert sorted(order) == list(range(30)), "a picture gives one patch"
    assert (np.diff(one.values[order, 5]) <= 0).all()


def test_the_choosiest_channels_by_hand() -> None:
    """Of ten pictures two wake channel 0; all wake channel 1 alike; channel 2 never answers; 3 is woken by one only."""
    values = np.zeros((10, 4), np.float32)
    values[:2, 0] = 5
    values[:, 1] = 1
    values[:, 2] = -1
    values[0, 3] = 9
    one = Peaks("conv", (1, 1), values, np.zeros((10, 4), np.int64))
    assert one.choosy(4, 2) == [0, 3]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((1, 1, 2, 3), [[5, 6, 7], [9, 10, 11]]),
        ((-1, 2, 0, 4), [[OUTSIDE] * 3, [2, 3, OUTSIDE]]),
        ((-9, 0, 9, 1), [[0, 1], [4, 5], [8, 9]]),  # higher than the picture
    ],
)
def test_patches_are_cut(box: tuple[int, int, int, int], expected: list[list[int]]) -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
    assert cut(picture, box)[..., 0].tolist() == expected


def test_a_sheet() -> None:
    rows = [PatchRow(["conv1", "sees 5×5"], [np.zeros((5, 5, 3), np.uint8)] * 4), PatchRow(["channel 2"], [])]
    sheet = patches_image(rows, "a title")
    assert 4 * CELL_PX < sheet.width < 8 * CELL_PX

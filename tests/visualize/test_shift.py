from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnexp.visualize.maps import Maps, layers_with_maps
from cnnexp.visualize.shift import DOWN, RIGHT, interior, measure, moved
from cnnexp.visualize.shift_chart import shift_image

SIZE = (40, 44)


def pooled_net() -> nn.Module:
    """Total stride 4, padding in every convolution, global average pooling."""
    torch.manual_seed(0)
    maps = [nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    maps += [nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    return nn.Sequential(*maps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3)).double().eval()


def noise(count: int = 3) -> Tensor:
    return torch.randint(256, (count, 2, *SIZE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def prepare(pictures: Tensor) -> Tensor:
    return pictures.double() / 255


@pytest.mark.parametrize("axis", [DOWN, RIGHT])
def test_maps_move_exactly_by_multiples_of_the_total_stride_away_from_the_border(axis: int) -> None:
    net = pooled_net()
    layers = layers_with_maps(net, prepare(noise()))
    assert [(layer.name, layer.stride) for layer in layers] == [
        ("0", (1, 1)),
        ("2", (2, 2)),
        ("3", (2, 2)),
        ("5", (4, 4)),
    ]
    shifts = list(range(9))
    result = measure(net, prepare, noise(), None, shifts, layers, axis)
    for layer in layers:
        for shift, value in zip(shifts, result.differences[layer.name], strict=True):
            assert value is not None
            if shift % layer.stride[axis] == 0:
                assert value < 1e-12
            else:
                assert value > 0.1
        assert all(value > 0.01 for value in result.everywhere[layer.name][1:])  # the border is seen
    assert result.accuracy is None
    assert result.agreement[0] == 1


@pytest.mark.parametrize("axis", [DOWN, RIGHT])
@pytest.mark.parametrize("shift", [0, 4, 8])
def test_the_interior_is_where_the_maps_agree_and_not_beyond(axis: int, shift: int) -> None:
    """Against the maps themselves: random pictures agree by accident nowhere."""
    net = pooled_net()
    layers = layers_with_maps(net, prepare(noise()))
    other = torch.cat([noise(), 255 - noise()])
    inside = interior(net, layers, prepare(other).shape, shift, axis)
    with Maps(net, [layer.name for layer in layers]) as maps, torch.no_grad():
        net(prepare(other))
        before = {layer.name: maps[layer.name] for layer in layers}
        net(prepare(moved(other, shift, axis)))
        for layer in layers:
            steps = shift // layer.stride[axis]
            side = before[layer.name].shape[axis - 2]
            first = before[layer.name].narrow(axis - 2, 0, side - steps)
            second = maps[layer.name].narrow(axis - 2, steps, side - steps)
            same = ((first - second).abs() < 1e-12).all(dim=(0, 1, 3 if axis == DOWN else 2))
            places = inside[layer.name][: side - steps]
            assert places.sum() >= side - steps - 8
            assert bool((same | ~places).all())  # all that is inside agrees
            if shift:
                assert not same[0]  # and the first place, which sees padding, does not


def test_between_two_places_maps_are_interpolated() -> None:
    """A ramp stays a ramp under a convolution, and is met exactly at half a step."""
    net = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.Flatten(), nn.LazyLinear(2)).double()
    ramp = torch.arange(30, dtype=torch.uint8).expand(1, 1, 20, 30) * 8
    with torch.no_grad():
        net(ramp.double())
    layers = layers_with_maps(net, ramp.double())
    result = measure(net, lambda pictures: pictures.double(), ramp, None, [0, 1, 3], layers, RIGHT)
    assert result.differences["0"] == pytest.approx([0, 0, 0], abs=1e-12)


def test_what_sees_the_border_everywhere_is_not_measured() -> None:
    class Global(nn.Module):
        """Scales maps by their mean, as squeeze-and-excitation does."""

        def forward(self, x: Tensor) -> Tensor:
            return x * x.mean((2, 3), keepdim=True)

    net = nn.Sequential(nn.Conv2d(2, 2, 1), Global(), nn.Conv2d(2, 2, 1), nn.Flatten(), nn.Linear(2 * 40 * 44, 2))
    net = net.double().eval()
    layers = layers_with_maps(net, prepare(noise()))
    result = measure(net, prepare, noise(), None, [0, 2], layers, RIGHT)
    assert result.differences["0"] == [0, 0]
    assert result.differences["2"] == [None, None]
    assert result.everywhere["2"][0] == 0
    assert result.everywhere["2"][1] == pytest.approx(0.04, abs=0.03)  # its mean hardly changes


def test_the_answer_is_followed() -> None:
    """A net that looks at the leftmost pixel alone: a bright column that moves away takes the answer with it."""

    class Leftmost(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            bright = x[:, 0, 0, 3]
            return torch.stack([bright, 1 - bright], 1) * 10

    pictures = torch.zeros(4, 1, 5, 9, dtype=torch.uint8)
    pictures[:3, :, :, 3] = 255
    labels = torch.tensor([0, 0, 1, 1])
    result = measure(Leftmost(), lambda p: p.double() / 255, pictures, labels, [0, 1], [], RIGHT)
    assert result.agreement == [1, 0.25]
    assert result.accuracy == [0.75, 0.5]
    sure = torch.tensor([10.0, 0]).softmax(0)
    assert result.probability == pytest.approx([sure[0].item(), (3 * sure[1] + sure[0]).item() / 4])
    assert result.differences == {}


def test_moving_repeats_the_edge() -> None:
    picture = torch.arange(6).view(1, 1, 2, 3)
    assert moved(picture, 1, RIGHT)[0, 0].tolist() == [[0, 0, 1], [3, 3, 4]]
    assert moved(picture, 1, DOWN)[0, 0].tolist() == [[0, 1, 2], [0, 1, 2]]
    with pytest.raises(ValueError, match="a shift by 3 of a picture with 3 pixels"):
        moved(picture, 3, RIGHT)


def test_the_chart_has_a_panel_for_maps_where_there_are_any() -> None:
    net = pooled_net()
    layers = layers_with_maps(net, prepare(noise()))
    result = measure(net, prepare, noise(), torch.zeros(3, dtype=torch.int64), [0, 4], layers, RIGHT)
    without = measure(net, prepare, noise(), None, [0, 4], [], RIGHT)
    assert shift_image(result, RIGHT, "a net").width > 1.5 * shift_image(without, RIGHT, "a net").width

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.visualize.aims import Aims, best_of, channels, classes, evenly, usual_layer
from cnnexp.visualize.ascent import Climb, Climbed, ascend, blurred, bounds, noise, penalised, smoothed
from cnnexp.visualize.ascent_sheet import Ascended, median_ratio, sheet, table

LOW, HIGH = torch.full((1, 2, 1, 1), -1.0), torch.full((1, 2, 1, 1), 1.0)


def last(steps: object) -> Climbed:
    *_, result = steps  # type: ignore[misc]
    assert isinstance(result, Climbed)
    return result


def test_the_gradient_of_score_and_penalties_by_hand() -> None:
    """Of w·I − λ‖I‖² − μ Σ differences² it is w − 2λI − 2μ Σ (I − neighbour) over the up to four neighbours."""
    x = torch.tensor([[[[1.0, 3.0, 2.0], [0.0, 5.0, 4.0]]]], requires_grad=True)
    w = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    value = penalised(lambda x: (w * x).flatten(1).sum(1), x, 0.5, 0.25)
    squares, differences = 1 + 9 + 4 + 25 + 16, (1 + 4 + 4) + (4 + 1 + 25 + 1)
    assert value.item() == 1 + 6 + 6 + 25 + 24 - 0.5 * squares - 0.25 * differences
    (gradient,) = torch.autograd.grad(value.sum(), x)
    apart = [[(1 - 3) + (1 - 0), (3 - 1) + (3 - 2) + (3 - 5), (2 - 3) + (2 - 4)]]
    apart += [[(0 - 1) + (0 - 5), (5 - 3) + (5 - 0) + (5 - 4), (4 - 2) + (4 - 5)]]
    expected = w - 2 * 0.5 * x.detach() - 2 * 0.25 * torch.tensor([[apart]], dtype=torch.float32)
    assert torch.equal(gradient, expected)


def test_a_picture_climbs_to_the_maximum_that_is_known() -> None:
    """w·I − λ‖I‖² is highest at I = w / 2λ; steps end with a fifth of their first length, so near that."""
    w = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0)).clamp(-0.9, 0.9)
    start = torch.zeros(1, 2, 4, 4)
    found = last(ascend(lambda x: (w * x).flatten(1).sum(1), start, LOW, HIGH, Climb(steps=400, rate=0.01, l2=0.5)))
    assert found.dead == [False]
    assert (found.pictures - w).square().mean().sqrt() < 0.01


def test_each_step_goes_as_far_as_it_says_whatever_the_score_s_scale() -> None:
    w = torch.tensor([3.0, -4.0]).view(1, 2, 1, 1)
    for scale in (1.0, 1e-6):
        steps = ascend(
            lambda x, s=scale: s * (w * x).flatten(1).sum(1), torch.zeros(1, 2, 1, 1), LOW, HIGH, Climb(1, 0.05)
        )
        moved = last(steps).pictures
        # root mean square 0.05 of a range of 2, along w, whose own is √12.5
        torch.testing.assert_close(moved, 0.1 * w / 12.5**0.5)


def test_values_stay_within_the_picture_s_range() -> None:
    found = last(ascend(lambda x: 9 * x.flatten(1).sum(1), torch.zeros(1, 2, 3, 3), LOW, HIGH, Climb(50, 0.5)))
    assert torch.equal(found.pictures, torch.ones(1, 2, 3, 3))


def test_a_dead_start_is_told_and_the_others_move() -> None:
    def score(x: Tensor) -> Tensor:
        return (x - torch.tensor([2.0, -2.0]).view(2, 1, 1, 1)).relu().flatten(1).sum(1)

    found = last(ascend(score, torch.zeros(2, 2, 3, 3), LOW, HIGH, Climb(3, 0.1)))
    assert found.dead == [True, False]
    assert not found.pictures[0].any() and found.pictures[1].all()
    with_penalty = last(ascend(score, torch.full((2, 2, 3, 3), 0.5), LOW, HIGH, Climb(3, 0.1, l2=1.0)))
    assert with_penalty.dead == [True, False], "a penalty's gradient is none of the score's"
    assert not torch.equal(with_penalty.pictures[0], torch.full((2, 3, 3), 0.5)), "which moves the picture all the same"


def test_what_wakes_on_the_way_is_not_dead() -> None:
    """Up to 0.5 the score is 0; the penalty leads below that."""

    def score(x: Tensor) -> Tensor:
        return (0.5 - x).relu().flatten(1).sum(1)

    steps = [one.dead for one in ascend(score, torch.full((1, 2, 3, 3), 0.6), LOW, HIGH, Climb(4, 0.05, l2=1.0))]
    assert steps[0] == [True] and steps[-1] == [False]


def test_jitter_moves_the_picture_back_again() -> None:
    """A score that looks at one place only draws around it as far as the jitter goes, and no further."""

    def score(x: Tensor) -> Tensor:
        return x[:, 0, 5, 5]

    found = last(ascend(score, torch.zeros(1, 2, 11, 11), LOW, HIGH, Climb(300, 0.001, jitter=2, seed=1)))
    touched = found.pictures[0, 0] > 0
    expected = torch.zeros(11, 11, dtype=torch.bool)
    expected[3:8, 3:8] = True
    assert torch.equal(touched, expected)


def test_smoothing_divides_each_frequency() -> None:
    """A wave of 4 periods over 16 pixels has f = 1/4, so that f^-1 makes it 4 times as large; a constant has 1/16."""
    wave = torch.cos(2 * torch.pi * 4 * torch.arange(16.0).double() / 16).expand(16, 16)[None, None].contiguous()
    torch.testing.assert_close(smoothed(wave, 1.0), 4 * wave)
    torch.testing.assert_close(smoothed(wave, 2.0), 16 * wave)
    torch.testing.assert_close(smoothed(wave**0, 1.0), 16 * wave**0)


def test_blur_is_a_gaussian() -> None:
    """Beside NumPy's convolution along both axes, of a point far from the edge."""
    point = torch.zeros(1, 2, 21, 21)
    point[0, 1, 10, 10] = 1
    places = np.arange(-6, 7)
    weights = np.exp(-(places**2) / (2 * 2.0**2))
    weights /= weights.sum()
    found = blurred(point, 2.0)
    np.testing.assert_allclose(found[0, 1, 4:17, 4:17], np.outer(weights, weights), atol=1e-6)
    assert not found[0, 0].any()
    torch.testing.assert_close(blurred(torch.ones(1, 1, 9, 9), 2.0), torch.ones(1, 1, 9, 9))


def test_noise_is_a_function_of_the_seed_around_grey() -> None:
    shape = (2, 50, 50)
    one = noise(shape, LOW, HIGH, 3)
    assert torch.equal(one, noise(shape, LOW, HIGH, 3)) and not torch.equal(one, noise(shape, LOW, HIGH, 4))
    assert abs(one.mean()) < 0.002 and one.std() == pytest.approx(0.04, rel=0.05)
    in_parts = noise(shape, torch.zeros(1, 2, 1, 1), HIGH, 3)
    assert in_parts.mean() == pytest.approx(0.5, abs=0.01)


def test_bounds_are_what_black_and_white_become() -> None:
    low, high = bounds(lambda x: (x.float() / 255 - 0.5) / 0.25, torch.empty(1, 3, 4, 4, dtype=torch.uint8))
    assert torch.equal(low, torch.full((1, 3, 1, 1), -2.0)) and torch.equal(high, torch.full((1, 3, 1, 1), 2.0))


def rectified_net() -> nn.Sequential:
    """Ends as SqueezeNet does, and is dead: no logit is above 0 for any picture."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 1), nn.ReLU(inplace=True))
    with torch.no_grad():
        net[2].bias.fill_(-100.0)  # type: ignore[operator,union-attr]
    return nn.Sequential(*net, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def test_a_net_that_ends_in_a_rectifier_is_ascended_before_it() -> None:
    net, x = rectified_net(), noise((1, 8, 8), LOW[:, :1], HIGH[:, :1], 0)
    assert not net(x).any()
    aims = classes(net, ("a", "b", "c"), [2, 0], x)
    assert aims.note == "The net ends in a rectifier: the scores are those before it, of 2." and aims.names == [
        "c",
        "a",
    ]
    start = x.expand(2, -1, -1, -1)
    expected = net[2](net[1](net[0](x))).mean((2, 3))[0, [2, 0]]
    torch.testing.assert_close(aims.own(start), expected)
    found = last(ascend(aims.own, start, LOW[:, :1], HIGH[:, :1], Climb(20, 0.05)))
    assert found.dead == [False, False] and (aims.own(found.pictures) > expected + 0.01).all()
    blind = Aims(net, [2, 0], ["c", "a"], "")
    assert last(ascend(blind.own, start, LOW[:, :1], HIGH[:, :1], Climb(2, 0.05))).dead == [True, True]
    assert classes(nn.Sequential(*net, nn.Linear(3, 3)), ("a", "b", "c"), [1], x).note is None


def test_aims_are_channels_or_one_neuron_of_each() -> None:
    net = rectified_net()
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    maps = net[0](x)
    of_channels = channels(net, "0", (4, 6, 6), [1, 3, 0])
    torch.testing.assert_close(of_channels.each(x), maps[:, [1, 3, 0]].mean((2, 3)))
    torch.testing.assert_close(of_channels.own(x), maps[[0, 1, 2], [1, 3, 0]].mean((1, 2)))
    one = channels(net, "0", (4, 6, 6), [1, 3, 0], (2, 5))
    torch.testing.assert_close(one.each(x), maps[:, [1, 3, 0], 2, 5])
    assert one.names[0] == "channel 1 at 2,5"
    before = channels(net, "1", (4, 6, 6), [1])
    torch.testing.assert_close(before.each(x), maps[:, [1]].mean((2, 3)))
    assert before.note is not None


@pytest.mark.parametrize(
    ("layer", "shape", "numbers", "place", "says"),
    [
        ("0", (4, 6, 6), [5000], (), "--channel 5000: 0 has channels 0 to 3"),
        ("0", (4, 6, 6), [1], (6, 0), "--unit 6,0: maps of 0 go from 0,0 to 5,5"),
        ("5", (3,), [1], (1, 1), "--unit 1,1: 5 has no maps"),
    ],
)
def test_what_is_not_there_is_refused(
    layer: str, shape: tuple[int, ...], numbers: list[int], place: tuple[int, ...], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        channels(rectified_net(), layer, shape, numbers, place)


def test_the_best_photograph_of_each_aim() -> None:
    net = nn.Conv2d(1, 2, 1)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
        net.bias.zero_()  # type: ignore[union-attr]
    photos = torch.tensor([0.0, 3.0, -5.0, 1.0]).view(4, 1, 1, 1)
    values, places = best_of(Aims(net, [0, 1], ["up", "down"], ""), photos, at_once=3)
    assert values.tolist() == [3, 5] and places.tolist() == [1, 2]


class Coder(nn.Module):
    bottleneck = 3

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 6))
        self.decoder = nn.Linear(3, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x)[:, :3])  # type: ignore[no-any-return]


def test_the_usual_layer_is_a_code_or_where_maps_are_smallest() -> None:
    x = torch.zeros(1, 1, 8, 8)
    assert usual_layer(Coder(), x) == ("encoder", (3,)), "the variances of a variational code are no numbers in it"
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(2, 5, 3, padding=1))
    assert usual_layer(nn.Sequential(*net, nn.Conv2d(5, 4, 1)), x) == ("2", (5, 4, 4))
    assert usual_layer(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), x) is None


def test_evenly() -> None:
    assert (evenly(3, 10), evenly(1000, 4), evenly(9, 1)) == ([0, 1, 2], [0, 333, 666, 999], [0])


def test_table_and_sheet() -> None:
    rows = [
        Ascended("a", 0.1, 12.0, False, probability=0.996, photo="test 3", photo_score=2.0),
        Ascended("b" * 60, 0.1, 9.0, True, probability=0.5, photo="test 4", photo_score=-1.0),
        Ascended("c", 0.1, 8.0, False, probability=0.5, photo="test 4", photo_score=2.0),
    ]
    assert median_ratio(rows) == 5, "of 6 and 4; nothing is divided by what is not above 0"
    lines = table(rows)
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["a", "0.1", "12", "0.9960", "2", "6.0"] and lines[2].split()[-1] == "-"
    assert "1 of 3: the score had no gradient at any step, and nothing was climbed." in lines
    picture = np.zeros((100, 100, 3), np.uint8)
    alone, compared = sheet(rows, [picture] * 3), sheet(rows, [picture] * 3, [picture] * 3)
    assert compared.width == alone.width and compared.height == 2 * alone.height
    assert sheet(rows[:1], [picture[:32, :32]]).width > 150, (
        "a name and a probability stand whole below a small picture"
    )

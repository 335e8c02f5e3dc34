from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnexp.visualize.deepdream import Dream, dream, norm, resized, sizes, strength, zoom
from cnnexp.visualize.until import before_last_rectifier, shapes_of, until

LOW, HIGH = torch.full((1, 3, 1, 1), -2.0), torch.full((1, 3, 1, 1), 2.0)


def net() -> nn.Sequential:
    """Its head takes pictures of 16×16 alone."""
    torch.manual_seed(0)
    maps = [nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3)]
    return nn.Sequential(*maps, nn.Flatten(), nn.Linear(8 * 6 * 6, 2)).eval()


def photo(height: int = 23, width: int = 31) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(2)) - 0.5


def last(steps: object) -> Tensor:
    *_, result = steps  # type: ignore[misc]
    assert isinstance(result, Tensor)
    return result


def test_the_score_is_half_of_the_mean_square_and_its_gradient_the_answers_own() -> None:
    """For a = x the gradient of ½ mean(a²) is a / n."""
    x = torch.tensor([[[[1.0, -2.0]], [[3.0, 0.0]]]], requires_grad=True)
    score = strength(lambda given: given)
    assert score(x).item() == (1 + 4 + 9) / 8 and norm(score, x) == pytest.approx((14 / 4) ** 0.5)
    (gradient,) = torch.autograd.grad(score(x).sum(), x)
    assert torch.equal(gradient, x.detach() / 4)
    assert strength(lambda given: given, channel=1)(x).item() == 9 / 4


def test_of_a_rectifier_what_it_shuts_out_is_not_dreamt_of() -> None:
    """The norm is that of ReLU(z), and a picture in which z is below 0 everywhere has nothing to follow."""
    model, x = net(), photo()
    score = strength(until(model, "1"))
    with torch.no_grad():
        assert norm(score, x) == pytest.approx(float(model[0](x).relu().square().mean().sqrt()))
        model[0].bias.fill_(-100.0)  # type: ignore[operator,union-attr]
    assert torch.equal(last(dream(score, x, LOW, HIGH, Dream(steps=2, rate=0.1, octaves=1))), x)


def test_sizes_go_up_to_the_picture_s_own() -> None:
    assert sizes(360, 480, 3, 2.0) == [(90, 120), (180, 240), (360, 480)]
    assert sizes(7, 5, 1, 1.4) == [(7, 5)]


def test_no_step_gives_the_picture_back_to_the_bit() -> None:
    how = Dream(steps=0, rate=0.1, octaves=3)
    assert list(dream(strength(until(net(), "3")), photo(), LOW, HIGH, how)) == []
    # and what is not added to is not changed by going through the sizes
    still = last(dream(lambda x: 0 * x.flatten(1).sum(1), photo(), LOW, HIGH, Dream(steps=1, rate=0.1, octaves=3)))
    assert torch.equal(still, photo())


def test_one_step_by_hand() -> None:
    """Along the gradient less its mean over the picture, 0.01 of the range of 4 on average."""
    weight = torch.arange(12.0).view(1, 3, 2, 2)
    found = last(
        dream(lambda x: (weight * x).flatten(1).sum(1), torch.zeros(1, 3, 2, 2), LOW, HIGH, Dream(1, 0.01, 1, jitter=0))
    )
    one = torch.tensor([[-1.5, -0.5], [0.5, 1.5]])
    torch.testing.assert_close(found, (0.04 * one).expand(1, 3, 2, 2))


def test_the_layer_answers_more_and_size_and_mean_colour_stay() -> None:
    score = strength(until(net(), "3"))
    found = last(dream(score, photo(), LOW, HIGH, Dream(steps=10, rate=0.02, octaves=2, jitter=2)))
    assert found.shape == photo().shape, "of a size that the net's head refuses"
    assert norm(score, found) > 2 * norm(score, photo())
    # where nothing is cut off at black and white; enlarging moves a mean by some thousandths
    far = last(dream(score, photo(), 10 * LOW, 10 * HIGH, Dream(steps=10, rate=0.002, octaves=2, jitter=2)))
    torch.testing.assert_close(far.mean((2, 3)), photo().mean((2, 3)), atol=0.02, rtol=0)
    again = last(dream(score, photo(), LOW, HIGH, Dream(steps=10, rate=0.02, octaves=2, jitter=2)))
    assert torch.equal(found, again)


def test_what_a_small_size_added_is_enlarged_into_the_next() -> None:
    """A score that pays at the small size alone leaves its mark, enlarged, on the large one."""

    def score(x: Tensor) -> Tensor:
        return x[:, 0, :4].flatten(1).sum(1) if x.shape[2] == 8 else 0 * x.flatten(1).sum(1)

    grey = torch.zeros(1, 3, 16, 16)
    found = last(dream(score, grey, LOW, HIGH, Dream(1, 0.1, 2, scale=2.0, jitter=0)))
    assert (found[0, 0, :6] > 0).all() and (found[0, 0, 10:] < 0).all() and not found[0, 1:].any()


def test_a_zoom_moves_into_the_middle() -> None:
    """Without steps a frame is the middle of the last one: a ramp from -1 to 1 goes from -½ to ½ at twice the size."""
    ramp = torch.linspace(-1, 1, 41).expand(1, 3, 41, 41)
    frames = list(zoom(lambda x: x.flatten(1).sum(1), ramp, LOW, HIGH, Dream(0, 0.1, 1), 3, 2.0))
    assert len(frames) == 3 and torch.equal(frames[0], ramp)
    torch.testing.assert_close(frames[1][0, 0, 20], ramp[0, 0, 20] / 2, atol=1e-4, rtol=0)
    torch.testing.assert_close(frames[2][0, 0, 20], ramp[0, 0, 20] / 4, atol=1e-4, rtol=0)


def test_resized_is_itself_at_its_own_size() -> None:
    assert resized(photo(), (23, 31)) is not None and torch.equal(resized(photo(), (23, 31)), photo())
    assert resized(photo(), (10, 12)).shape == (1, 3, 10, 12)


def test_a_net_is_run_as_far_as_the_layer() -> None:
    model, x = net(), photo(16, 16)
    torch.testing.assert_close(until(model, "0")(x), model[0](x))
    torch.testing.assert_close(until(model, "1")(x), model[0](x).relu())
    torch.testing.assert_close(until(model, "1", before_rectifier=True)(x), model[0](x))
    torch.testing.assert_close(until(model, "5")(x), model(x))
    assert not model[3]._forward_hooks and not model[1]._forward_pre_hooks
    with pytest.raises(RuntimeError):
        until(model, "5")(photo())
    assert shapes_of(model, x) == {
        "0": (6, 16, 16),
        "1": (6, 16, 16),
        "2": (6, 8, 8),
        "3": (8, 6, 6),
        "4": (288,),
        "5": (2,),
    }
    assert before_last_rectifier(model, x) is None
    assert before_last_rectifier(nn.Sequential(*model, nn.ReLU()), x) == "5"

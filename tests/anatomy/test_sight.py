"""Operations beside convolutions and poolings: what their outputs see, against the support of the gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.anatomy.places import Seen
from cnnexp.anatomy.trace import traced

C, H, W = 2, 6, 8
WEIGHT = torch.rand(W, 5, dtype=torch.float64) + 0.1


class Called(nn.Module):
    """A function as a net."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def weight_of(x: Tensor) -> Tensor:
    return WEIGHT.to(x.device)


EXACT: dict[str, Callable[[Tensor], Tensor]] = {
    "flattened maps": lambda x: x.flatten(2),
    "all in a row": lambda x: x.flatten(1),
    "there and back": lambda x: x.flatten(1).unflatten(1, (C, H, W)),
    "tokens": lambda x: x.flatten(2).transpose(1, 2),
    "channels last": lambda x: x.permute(0, 2, 3, 1),
    "exchanged sides": lambda x: x.transpose(2, -1),
    "a dimension more": lambda x: x.unsqueeze(1),
    "and taken away": lambda x: x.unsqueeze(-2).squeeze(-2),
    "all that are 1": lambda x: x[:, :1].squeeze(),
    "the last rows": lambda x: x[:, :, -3:],
    "every second column": lambda x: x[..., 1::2],
    "a slice of the channels": lambda x: x[:, 1:],
    "mean of the rows": lambda x: x.mean(2),
    "mean of the columns, kept": lambda x: x.sum(-1, keepdim=True),
    "largest of all": lambda x: x.pow(2).sum((2, 3)),
    "channels summed": lambda x: x.sum(1),
    "length of the columns": lambda x: x.norm(dim=3),
    "softmax of the rows": lambda x: (3 * x).softmax(2),
    "softmax of the channels": lambda x: (3 * x).softmax(1),
    "padded with zeros": lambda x: F.pad(x, (2, 1, 1, 0)),
    "channels to pixels": lambda x: F.pixel_shuffle(x.repeat(1, 2, 1, 1), 2),
    "times a matrix": lambda x: x @ weight_of(x),
    "a matrix times it": lambda x: weight_of(x).T[:, :H] @ x,
    "beside its mean": lambda x: x + x.mean((2, 3), keepdim=True),
    "beside the mean of each row": lambda x: x * x.mean(3, keepdim=True),
    "enlarged to corners": lambda x: F.interpolate(x, (11, 15), mode="bilinear", align_corners=True),
    "repeated": lambda x: F.interpolate(x, scale_factor=2),
}  # fmt: skip
ROUGH: dict[str, Callable[[Tensor], Tensor]] = {
    "mirrored": lambda x: x.flip(3),
    "summed up so far": lambda x: x.cumsum(3),
    "sorted": lambda x: x.sort(2).values,
    "one row": lambda x: x.select(2, 1),
    "one above the other": lambda x: torch.cat([x, 2 * x], 2),
    "rolled": lambda x: x.roll(2, 3),
    "gathered": lambda x: x[..., torch.arange(W - 1, -1, -1, device=x.device)],
    "rows cut in two": lambda x: x.reshape(1, C, H, 2, W // 2).flatten(3),
    "pixels to channels": lambda x: F.pixel_unshuffle(x, 2),
    "across itself": lambda x: x @ x.transpose(2, 3),
    "by its frequencies": lambda x: torch.fft.irfft(torch.fft.rfft(x) * 1.5, n=W),
}
"""Operations that move positions about: they may be said to see more than they do."""


def seen_of(function: Callable[[Tensor], Tensor]) -> Seen:
    return traced(Called(function), torch.empty(1, C, H, W, dtype=torch.float64, device="meta")).modules[""].seen


def spans_and_supports(function: Callable[[Tensor], Tensor]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """For every number of the output and both axes: the pixels it is said to see, and those with a gradient."""
    seen = seen_of(function)
    assert len(seen) == 2
    x = torch.rand(1, C, H, W, dtype=torch.float64, requires_grad=True)
    output = function(x)
    each = torch.eye(output.numel(), dtype=torch.float64).view(-1, *output.shape)
    (gradients,) = torch.autograd.grad(output, x, each, is_grads_batched=True)
    found = []
    for number, gradient in enumerate(gradients[:, 0].abs().sum(1)):
        at, support = np.unravel_index(number, output.shape), (gradient > 1e-12).nonzero()
        if not len(support):
            continue  # a zero of a padding
        for axis, place in enumerate(seen):
            where = 0 if place.dim is None else int(at[place.dim]) // place.inner % place.count
            least, most = support[:, axis].aminmax()
            found.append((place.axis.within(where, (H, W)[axis]), (int(least), int(most))))
    assert found
    return found


@pytest.mark.parametrize("name", EXACT)
def test_it_is_the_support_of_the_gradient(name: str) -> None:
    assert all(said == true for said, true in spans_and_supports(EXACT[name]))


@pytest.mark.parametrize("name", ROUGH)
def test_nothing_that_is_seen_is_left_out(name: str) -> None:
    for (first, last), (least, most) in spans_and_supports(ROUGH[name]):
        assert first <= least and most <= last


@pytest.mark.parametrize("of", [lambda x: x.flatten(2), lambda x: x.transpose(2, 3).flatten(2)])
def test_a_convolution_over_flattened_maps_sees_across_the_end_of_a_row(of: Callable[[Tensor], Tensor]) -> None:
    """Three neighbours there may be the end of one row and the beginning of the next."""

    def convolved(x: Tensor) -> Tensor:
        return F.conv1d(of(x), torch.ones(1, C, 3, dtype=x.dtype, device=x.device))

    for (first, last), (least, most) in spans_and_supports(convolved):
        assert first <= least and most <= last


def test_a_padding_by_the_edge_s_own_pixels_counts_as_one_of_zeros() -> None:
    for mode in ("reflect", "replicate"):
        assert seen_of(lambda x, mode=mode: F.pad(x, (2, 1, 1, 1), mode=mode)) == seen_of(  # type: ignore[misc]
            lambda x: F.pad(x, (2, 1, 1, 1))
        )


def test_words_keep_their_place_through_an_embedding() -> None:
    net = nn.Sequential(nn.Embedding(10, 4), Called(lambda x: x.transpose(1, 2)), nn.Conv1d(4, 3, 3)).to("meta")
    (place,) = traced(net, torch.empty(1, 7, dtype=torch.int64, device="meta")).modules[""].seen
    assert (place.dim, place.count) == (2, 5)
    assert [place.axis.within(i, 7) for i in (0, 4)] == [(0, 2), (4, 6)]


def test_what_has_nothing_of_the_picture_sees_nothing() -> None:
    assert seen_of(lambda x: torch.ones(1, C, H, W, device=x.device) * 2) == ()

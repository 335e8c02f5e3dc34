"""A net that cannot take its samples: who says so, and that a trained run does not fail for want of a figure."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from cnnexp.anatomy.subject import Subject, described, multiply_adds_of
from cnnexp.errors import InputError


def subject(net: nn.Module, shape: tuple[int, ...] = (3, 8, 8), refused: str = "", batch_size: int = 2) -> Subject:
    def example(count: int, device: torch.device | str) -> tuple[Tensor, ...]:
        return (torch.empty(count, *shape, device=device),)

    def refuse() -> None:
        if refused:
            raise InputError(refused)

    return Subject(
        "mine",
        net.to("meta"),
        shape,
        "CxHxW",
        example,
        batch_size,
        partial(torch.optim.SGD, lr=0.1),
        make=lambda: net,
        refuse=refuse,
    )


def test_a_sample_that_is_too_small_is_refused_in_the_net_s_own_words() -> None:
    with pytest.raises(InputError, match=r"^the smallest it takes is 3x9x9$"):
        described(subject(nn.Conv2d(3, 4, 9), refused="the smallest it takes is 3x9x9"))


def test_what_nobody_foresaw_names_the_sample_and_torchs_reason() -> None:
    with pytest.raises(InputError, match=r"^model=mine takes no sample of 3x8x8 \(") as refused:
        described(subject(nn.Sequential(nn.Flatten(), nn.Linear(10, 2))))
    (line,) = str(refused.value).splitlines()
    assert "give another size with --input CxHxW" in line and len(line) < 300
    assert isinstance(refused.value.__cause__, RuntimeError)


class Broken(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise KeyError("a mistake of the net's own")


def test_a_mistake_in_a_net_is_not_taken_for_a_size() -> None:
    with pytest.raises(KeyError, match="a mistake of the net's own"):
        described(subject(Broken()))


def test_a_step_that_cannot_be_made_is_null_and_the_rest_is_described() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.Flatten())
    content = described(subject(net, batch_size=1))
    assert content["training"] is None, "batch norm of a single value"
    assert content["totals"]["multiply_adds"] == 4 * 3 * 64
    assert described(subject(net, batch_size=2))["training"]["bytes"] > 0


def test_without_a_step_nothing_is_said_of_it() -> None:
    assert "training" not in described(subject(nn.Conv2d(3, 4, 3)), with_step=False)


def test_no_figure_is_no_failure() -> None:
    assert multiply_adds_of({"choices": {"model": "mine"}, "data": {}}) is None

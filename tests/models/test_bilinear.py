"""Transposed convolutions that interpolate, against torch's interpolation."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from cnnexp.models.bilinear import BilinearUpsampling, bilinear_kernel


def test_the_tent_by_hand() -> None:
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    torch.testing.assert_close(bilinear_kernel(2), torch.outer(tent, tent))


@pytest.mark.parametrize("factor", [2, 8, 16, 32])
@pytest.mark.parametrize("learnt", [False, True])
def test_equals_interpolation_in_the_interior(factor: int, learnt: bool) -> None:
    maps = torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    raised = BilinearUpsampling(3, factor, learnt)(maps)
    assert raised.shape == (2, 3, 6 * factor, 8 * factor)
    expected = F.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
    rim, half = factor // 2, factor // 2  # in the half stride at each edge one neighbour lies outside
    found = raised[..., half + rim : -half - rim, half + rim : -half - rim]
    torch.testing.assert_close(found, expected[..., rim:-rim, rim:-rim])


def test_what_lies_outside_is_zero() -> None:
    raised = BilinearUpsampling(1, 2, learnt=False)(torch.ones(1, 1, 1, 1))
    torch.testing.assert_close(raised[0, 0], bilinear_kernel(2))


def test_only_a_learnt_one_has_weights_and_mixes_maps() -> None:
    assert list(BilinearUpsampling(3, 2, learnt=False).state_dict()) == []
    learnt = BilinearUpsampling(3, 2, learnt=True)
    assert {name: tuple(one.shape) for name, one in learnt.named_parameters()} == {"weight": (3, 3, 4, 4)}
    learnt(torch.rand(1, 3, 2, 2))[:, 0].sum().backward()
    assert learnt.weight.grad is not None and learnt.weight.grad[1, 0].any(), "from every map to every map"

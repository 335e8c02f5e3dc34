"""What is cut out of maps, held to torchvision's kernel."""

from __future__ import annotations

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from cnnexp.models.roi_pool import RoIPool

SIZE = (40, 56)


def maps() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"0": (3, 4, 10, 14), "1": (3, 4, 5, 7)}
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for name, shape in shapes.items()
    }


def boxes(counts: tuple[int, ...]) -> list[torch.Tensor]:
    """Of all sizes, and some that reach out of the picture on each side."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for count in counts:
        corner = torch.rand(count, 2, generator=generator, dtype=torch.float64) * torch.tensor([60.0, 44.0]) - 8
        made.append(torch.cat([corner, corner + torch.rand(count, 2, generator=generator) * 70], dim=1))
    return made


@pytest.mark.parametrize("counts", [(5, 0, 9), (0, 0, 0), (1, 1, 1)])
def test_values_and_gradients_are_those_of_torchvision(counts: tuple[int, ...]) -> None:
    found = []
    for kind in (MultiScaleRoIAlign, RoIPool):
        given = maps()
        cut = kind(["0", "1"], 3, 2, canonical_scale=16)(given, boxes(counts), [SIZE] * 3)
        assert cut.shape == (sum(counts), 4, 3, 3)
        (cut * torch.arange(3.0)).square().sum().backward()
        found.append((cut.detach(), *(one.grad for one in given.values())))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_both_maps_are_looked_at() -> None:
    """A small box and a large one; otherwise the comparison above would say little."""
    given = maps()
    pool = RoIPool(["0", "1"], 3, 2, canonical_scale=16)
    one = torch.tensor([[4.0, 4.0, 10.0, 10.0]], dtype=torch.float64)
    pool(given, [one, one[:0], 3 * one], [SIZE] * 3).sum().backward()
    assert all(bool((each.grad != 0).any()) for each in given.values() if each.grad is not None)
    assert all(each.grad is not None for each in given.values())

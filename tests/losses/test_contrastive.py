"""The contrastive loss by hand and in a loop over pairs, with its gradient by differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cnnexp.losses.contrastive import Contrastive
from tests.losses.metric_losses import directions, slope, truth_of


def by_hand(rows: NDArray[np.float64], identity: list[int], margin: float) -> float:
    alike, apart = [], []
    for a in range(len(rows)):
        for b in range(a):
            distance = float(np.linalg.norm(rows[a] - rows[b]))
            if identity[a] == identity[b]:
                alike.append(distance**2 / 2)
            else:
                apart.append(max(0.0, margin - distance) ** 2 / 2)
    return sum(sum(kind) / len(kind) for kind in (alike, apart) if kind)


def test_three_samples_by_hand() -> None:
    """At 0°, 60° and 90°, the first two one: 1²/2, and of the others (1 - √2 < 0, so 0) and (1 - 0.5176)²/2."""
    rows = torch.tensor([[math.cos(math.radians(one)), math.sin(math.radians(one))] for one in (0, 60, 90)])
    term = Contrastive(margin=1.0)(rows, truth_of([0, 0, 1]), True)
    assert term.mean.item() == pytest.approx(0.5 + (1 - math.sqrt(2 - math.sqrt(3))) ** 2 / 4, abs=1e-6)
    assert (term.name, term.count) == ("contrastive", 3)


@pytest.mark.parametrize("identity", [[0, 0, 0, 1, 1, 2, 3], [0, 1, 2, 3], [0, 0, 0]])
@pytest.mark.parametrize("margin", [0.5, 1.0, 2.0])
def test_the_mean_and_its_gradient_are_those_of_a_loop(identity: list[int], margin: float) -> None:
    rows = directions(len(identity), 4)
    given = torch.from_numpy(rows).requires_grad_()
    term = Contrastive(margin=margin)(given, truth_of(identity), True)
    assert term.mean.item() == pytest.approx(by_hand(rows, identity, margin), abs=1e-9)
    term.mean.backward()
    assert given.grad is not None
    tangent = given.grad.numpy() - (given.grad.numpy() * rows).sum(1, keepdims=True) * rows
    np.testing.assert_allclose(tangent, slope(lambda moved: by_hand(moved, identity, margin), rows), atol=1e-6)


@pytest.mark.parametrize("margin", [0.0, 2.5])
def test_another_margin_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match=r"loss\.margin"):
        Contrastive(margin=margin)

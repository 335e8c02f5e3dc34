"""ArcFace with NumPy by angles, forward and the gradients of embeddings and directions by differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cnnexp.losses.arcface import Arcface
from tests.losses.metric_losses import directions, slope, truth_of

OWN = [0, 1, 2, 2, 0]


def by_hand(
    rows: NDArray[np.float64], centres: NDArray[np.float64], own: list[int], margin: float, scale: float
) -> float:
    """The angle of each pair from arccos; beyond π the straight line that goes on."""
    losses = []
    for row, number in zip(rows, own, strict=True):
        logits = []
        for place, centre in enumerate(centres):
            cosine = float(row @ centre / np.linalg.norm(centre))
            angle = math.acos(cosine)
            if place == number:
                cosine = math.cos(angle + margin) if angle + margin < math.pi else cosine - margin * math.sin(margin)
            logits.append(scale * cosine)
        losses.append(-logits[number] + math.log(sum(math.exp(one) for one in logits)))
    return sum(losses) / len(losses)


def made(margin: float, scale: float, centres: NDArray[np.float64]) -> Arcface:
    loss = Arcface(num_classes=len(centres), embedding=centres.shape[1], margin=margin, scale=scale).double()
    with torch.no_grad():
        loss.directions.copy_(torch.from_numpy(centres))
    return loss


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.2])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_the_loss_and_its_gradients_are_those_of_angles(margin: float, scale: float) -> None:
    rows, centres = directions(len(OWN), 4), 1.7 * directions(3, 4, seed=1)
    rows[0] = (
        -centres[0] / np.linalg.norm(centres[0]) * 0.999 + 0.001 * rows[0]
    )  # its angle and the margin are beyond π
    rows[0] /= np.linalg.norm(rows[0])
    loss, given = made(margin, scale, centres), torch.from_numpy(rows).requires_grad_()
    term = loss(given, truth_of(OWN), True)
    assert (term.name, term.count) == ("arcface", len(OWN))
    assert term.mean.item() == pytest.approx(by_hand(rows, centres, OWN, margin, scale), rel=1e-9)
    term.mean.backward()
    assert given.grad is not None and loss.directions.grad is not None
    tangent = given.grad.numpy() - (given.grad.numpy() * rows).sum(1, keepdims=True) * rows
    np.testing.assert_allclose(
        tangent, slope(lambda moved: by_hand(moved, centres, OWN, margin, scale), rows), atol=1e-5 * scale
    )
    unit = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    along = slope(lambda moved: by_hand(rows, moved, OWN, margin, scale), unit) / 1.7
    np.testing.assert_allclose(loss.directions.grad.numpy(), along, atol=1e-5 * scale)


def test_without_margin_it_is_cross_entropy_of_cosines() -> None:
    rows, centres = torch.from_numpy(directions(5, 4)), torch.from_numpy(directions(3, 4, seed=1))
    found = made(0.0, 10.0, centres.numpy())(rows, truth_of(OWN), True).mean
    torch.testing.assert_close(found, functional.cross_entropy(10 * rows @ centres.T, torch.tensor(OWN)))


def test_an_embedding_on_its_direction_has_a_finite_gradient() -> None:
    centres = directions(3, 4, seed=1)
    loss, given = made(0.5, 30.0, centres), torch.from_numpy(centres[[0, 1, 2]]).requires_grad_()
    loss(given, truth_of([0, 1, 2]), True).mean.backward()
    assert given.grad is not None and given.grad.isfinite().all()


@pytest.mark.parametrize(
    ("changes", "part"),
    [({"margin": 1.6}, "loss.margin=1.6"), ({"margin": -0.1}, "loss.margin"), ({"scale": 0.0}, "loss.scale")],
)
def test_what_makes_no_loss_is_refused(changes: dict[str, float], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        Arcface(num_classes=3, embedding=4, **{"margin": 0.5, "scale": 30.0, **changes})

"""torch's optimizers, as cnnexp makes them, against the published updates worked by hand on a quadratic."""

from __future__ import annotations

import pytest
import torch

from cnnexp.builders.binding import bind_run
from cnnexp.config.compose import compose_run

CURVES = (1.0, 4.0)
"""f(w) = sum of curve * w² / 2, whose gradient is curve * w."""
START = (2.0, -1.0)


def steps_of(words: list[str], count: int) -> list[list[float]]:
    """The weights after each step of the optimizer that these words compose."""
    config = compose_run(["model=lenet5", "data=mnist5k", *words])
    weights = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    (make,) = bind_run(config).optimizers.values()
    optimizer = make([weights])
    found = []
    for _ in range(count):
        weights.grad = torch.tensor(CURVES, dtype=torch.float64) * weights.detach()
        optimizer.step()
        found.append(weights.detach().tolist())
    return found


def test_adam_with_bias_correction_as_published() -> None:
    """Kingma and Ba 2014, algorithm 1: m / (1 - b1^t) and v / (1 - b2^t), not divided by b^t."""
    lr, b1, b2, eps = 0.1, 0.9, 0.999, 1e-8
    expected, weights, m, v = [], list(START), [0.0, 0.0], [0.0, 0.0]
    for t in (1, 2, 3):
        for i, curve in enumerate(CURVES):
            gradient = curve * weights[i]
            m[i], v[i] = b1 * m[i] + (1 - b1) * gradient, b2 * v[i] + (1 - b2) * gradient**2
            weights[i] -= lr * (m[i] / (1 - b1**t)) / ((v[i] / (1 - b2**t)) ** 0.5 + eps)
        expected.append(list(weights))
    found = steps_of(["optimizer=adam", "optimizer.lr=0.1"], 3)
    assert [one for row in found for one in row] == pytest.approx([one for row in expected for one in row], rel=1e-9)
    assert expected[0] == pytest.approx([1.9, -0.9])  # the first corrected step has the length lr


def test_momentum_in_torchs_form() -> None:
    """v = m v + g and w = w - lr v, by hand for the first weight: g = 2, then 1.8, then ..."""
    found = [row[0] for row in steps_of(["optimizer=sgd", "optimizer.lr=0.1", "optimizer.momentum=0.5"], 3)]
    # v = 2 -> w = 1.8; v = 1 + 1.8 = 2.8 -> w = 1.52; v = 1.4 + 1.52 = 2.92 -> w = 1.228
    assert found == pytest.approx([1.8, 1.52, 1.228])


def test_the_other_form_of_momentum_is_a_smaller_rate() -> None:
    """Many slides have v = m v + (1 - m) g: the same path at lr * (1 - m) in torch's form."""
    weight, v, path = START[0], 0.0, []
    for _ in range(3):
        v = 0.5 * v + (1 - 0.5) * weight
        weight -= 0.2 * v
        path.append(weight)
    found = [row[0] for row in steps_of(["optimizer=sgd", "optimizer.lr=0.1", "optimizer.momentum=0.5"], 3)]
    assert found == pytest.approx(path)


def test_nesterov_looks_ahead() -> None:
    words = ["optimizer=sgd", "optimizer.lr=0.1", "optimizer.momentum=0.5", "optimizer.nesterov=true"]
    # v = 2, step along g + 0.5 v = 3 -> w = 1.7; v = 1 + 1.7 = 2.7, step along 1.7 + 1.35 = 3.05 -> w = 1.395
    assert [row[0] for row in steps_of(words, 2)] == pytest.approx([1.7, 1.395])


def test_rmsprop_by_hand() -> None:
    # v = 0.1 * 4 = 0.4, w = 2 - 0.1 * 2 / sqrt(0.4)
    found = steps_of(["optimizer=rmsprop", "optimizer.lr=0.1", "optimizer.alpha=0.9"], 1)[0][0]
    assert found == pytest.approx(2 - 0.1 * 2 / 0.4**0.5, rel=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop", "nadam", "radam", "adagrad", "adadelta", "adamax"])
def test_every_optimizer_goes_down(name: str) -> None:
    rate = "1.0" if name == "adadelta" else "0.05"
    last = steps_of([f"optimizer={name}", f"optimizer.lr={rate}"], 50)[-1]
    value = sum(curve * weight**2 / 2 for curve, weight in zip(CURVES, last, strict=True))
    assert value < sum(curve * weight**2 / 2 for curve, weight in zip(CURVES, START, strict=True))

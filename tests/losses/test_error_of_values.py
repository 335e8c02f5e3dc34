"""Errors of numbers by hand."""

from __future__ import annotations

import pytest
import torch

from cnnexp.losses.error_of_values import ErrorOfValues, Kind

ANSWER, VALUE = torch.tensor([[0.5, 1.0], [2.0, -3.0]]), torch.tensor([[0.0, 1.0], [-1.0, -1.0]])
"""Errors of 0.5, 0, 3 and 2."""


@pytest.mark.parametrize(
    ("kind", "mean"),
    [
        ("squared", (0.25 + 0 + 9 + 4) / 4),
        ("absolute", (0.5 + 0 + 3 + 2) / 4),
        ("huber", (0.125 + 0 + 1.5 * (3 - 0.75) + 1.5 * (2 - 0.75)) / 4),
    ],
)
def test_it_is_a_mean_over_samples_and_their_numbers(kind: Kind, mean: float) -> None:
    term = ErrorOfValues(kind, delta=1.5)(ANSWER, {"value": VALUE}, train=True)
    assert term.mean.item() == pytest.approx(mean)
    assert (term.name, term.count) == (f"{kind}_error", 2)


@pytest.mark.parametrize("given", [{"kind": "cubed"}, {"delta": 0.0}])
def test_what_it_cannot_be(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="loss"):
        ErrorOfValues(**given)  # type: ignore[arg-type]

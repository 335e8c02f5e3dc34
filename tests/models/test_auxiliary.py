"""What a net says of its auxiliary heads; torchvision's nets say it too, in words of their own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.models.auxiliary import parts_of, split_answer, weight_of


def saying(**attributes: Any) -> nn.Module:
    net = nn.Identity()
    for name, value in attributes.items():
        setattr(net, name, value)
    return net


@pytest.mark.parametrize(
    ("attributes", "weight"),
    [
        ({}, None),
        ({"auxiliary_weight": None}, None),
        ({"auxiliary_weight": "0.3"}, None),
        ({"auxiliary_weight": 0.3}, 0.3),
        ({"auxiliary_weight": 1}, 1.0),
        ({"auxiliary_weight": 0}, 0.0),
    ],
)
def test_a_weight_is_a_number_and_nothing_is_not_zero(attributes: dict[str, Any], weight: float | None) -> None:
    found = weight_of(saying(**attributes))
    assert found == weight and (found is None or isinstance(found, float))


def test_parts_are_beginnings_of_names_and_not_of_words() -> None:
    (part,) = parts_of(saying(auxiliary_parts=("aux1",)))
    assert "aux1.fc.weight".startswith(part) and not "aux10.fc.weight".startswith(part)
    assert parts_of(saying()) == ()


def test_the_logits_are_first_in_an_answer() -> None:
    logits, *others = torch.arange(3.0).unbind()
    assert split_answer((logits, *others)) == (logits, tuple(others))
    assert split_answer(logits) == (logits, ())
    found = split_answer((logits,))
    assert found == (logits, ())

"""Which terms are learnt, and by which training and validation are compared."""

from __future__ import annotations

import pytest
import torch

from cnnexp.losses.term import Term
from cnnexp.tasks.output import StepOutput, total


def term(value: float, judged: bool = True) -> Term:
    return Term("loss", torch.tensor(value, requires_grad=True), 4, judged)


def test_auxiliary_heads_are_learnt_and_not_judged() -> None:
    output = StepOutput([term(1.0), term(0.25, judged=False), term(2.0)])
    assert float(output.loss.detach()) == 3.0
    assert float(output.learnt.detach()) == 3.25
    output.learnt.backward()
    assert [float(one.mean.grad) for one in output.terms] == [1.0, 1.0, 1.0]


def test_a_single_term_is_the_loss_itself() -> None:
    output = StepOutput([term(1.0)])
    assert output.loss is output.learnt is output.terms[0].mean, "no kernel more"


def test_scalars_are_added_in_their_order() -> None:
    """Floats are not associative: another order is another loss in its last bit."""
    values = [torch.tensor(one) for one in (1e8, -1e8, 1.0)]
    assert float(total(values)) == 1.0 and float(total(reversed(values))) == 0.0


def test_nothing_is_no_loss() -> None:
    with pytest.raises(ValueError):
        total([])

from __future__ import annotations

import torch

from cnnexp.losses.absolute_error import AbsoluteError


def test_the_mean_of_all_values() -> None:
    answer, truth = torch.tensor([[0.0, 0.5], [1.0, 0.25]]), torch.tensor([[0.5, 0.5], [0.0, 0.5]])
    term = AbsoluteError()(answer, {"picture": truth}, train=True)
    assert (term.name, float(term.mean), term.count) == ("absolute_error", (0.5 + 0 + 1 + 0.25) / 4, 2)

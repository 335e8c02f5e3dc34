"""The term of a net's auxiliary heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cnnexp.errors import RunFailed
from cnnexp.losses.term import Term

AUXILIARY = "auxiliary_loss"


def with_auxiliary(answer: Sequence[Term], heads: Sequence[Term], weight: float | None) -> list[Term]:
    """The terms of a net's answer, and that of its auxiliary heads: the sum of theirs times the net's weight for them.

    Raises:
        RunFailed: the net says no weight; the terms are means over several counts, which one term cannot have.
    """
    if not heads:
        return list(answer)
    if weight is None:
        raise RunFailed(
            f"the net answered with {len(heads) // len(answer)} tensors behind its logits; to have them learnt as "
            "auxiliary heads it needs an attribute auxiliary_weight, a number"
        )
    count = answer[0].count
    if any(one.count is not count and not (isinstance(count, int) and one.count == count) for one in answer):
        raise RunFailed("loss=combined: its parts have several counts, and the net's auxiliary heads have one")
    mean = weight * torch.stack([one.mean for one in heads]).sum()
    return [*answer, Term(AUXILIARY, mean, count, judged=False)]

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.glove import GloVe
from tests.models.test_cooccurrence import TEXTS, V, counted


def net(**changes: Any) -> GloVe:
    torch.manual_seed(0)
    made = GloVe(**(dict(vocabulary=V, width=3, window=2, x_max=2.0, alpha=0.75) | changes))
    for table in (made.embedding, made.context, made.bias, made.context_bias):
        torch.nn.init.normal_(table.weight)
    return made


def objective(made: GloVe, window: int = 2) -> float:
    """J, entry by entry: equation 8 with the weights of equation 9."""
    w, tilde = made.embedding.weight.detach().numpy(), made.context.weight.detach().numpy()
    b, b_tilde = made.bias.weight.detach().numpy()[:, 0], made.context_bias.weight.detach().numpy()[:, 0]
    counts, total = counted(TEXTS, window), 0.0
    for i, j in zip(*np.nonzero(counts), strict=True):
        f = min(1.0, (counts[i, j] / made.x_max) ** made.alpha)
        total += f * (w[i] @ tilde[j] + b[i] + b_tilde[j] - np.log(counts[i, j])) ** 2
    return total


def test_all_texts_at_once_are_the_papers_objective() -> None:
    made = net()
    made.count([TEXTS])
    mean, count = made.losses(TEXTS)["least_squares"]
    entries = np.count_nonzero(counted(TEXTS, 2))
    assert float(count) == pytest.approx(entries)
    assert mean.item() == pytest.approx(objective(made) / entries, rel=1e-5)


def test_the_parts_of_an_epoch_add_up_to_it() -> None:
    made = net()
    made.count(TEXTS.split(2))
    found = [made.losses(text)["least_squares"] for text in TEXTS.split(1)]
    assert sum(mean.item() * float(count) for mean, count in found) == pytest.approx(objective(made), rel=1e-5)
    assert sum(float(count) for _, count in found) == pytest.approx(made.counted.entries)  # type: ignore[union-attr]


def test_gradients_are_those_of_the_objective() -> None:
    made = net()
    made.count([TEXTS])
    mean, count = made.losses(TEXTS)["least_squares"]
    (mean * count).backward()
    found = made.context.weight.grad
    assert found is not None
    for word, number in ((2, 0), (3, 2)):
        sides = []
        for step in (1e-3, -1e-3):
            with torch.no_grad():
                made.context.weight[word, number] += step
                sides.append(objective(made))
                made.context.weight[word, number] -= step
        assert float(found[word, number]) == pytest.approx((sides[0] - sides[1]) / 2e-3, rel=1e-2)
    assert not found[:2].any(), "padding and unknown words do not learn"


def test_pairs_that_were_not_counted_are_left_out() -> None:
    made = net()
    made.count([TEXTS[:1]])
    alone = made.losses(TEXTS[:1])["least_squares"]
    strange = torch.cat([TEXTS[:1], torch.tensor([[4, 6, 4, 6, 0, 0, 0]])])
    assert made.losses(strange)["least_squares"][1] == alone[1]
    mean, count = made.losses(strange[1:])["least_squares"]
    assert (mean.item(), count.item()) == (0, 0)


def test_a_words_vector_is_the_sum_of_both_tables() -> None:
    made = net()
    assert torch.equal(made(TEXTS), (made.embedding.weight + made.context.weight)[TEXTS])


@pytest.mark.parametrize("changes", [{"window": 0}, {"x_max": 0.0}, {"alpha": -1.0}])
def test_what_makes_no_net_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"model.{next(iter(changes))}="):
        net(**changes)

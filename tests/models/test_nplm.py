from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.nplm import NPLM

X = torch.tensor([[2, 3, 1, 4], [5, 5, 0, 0]])


def net(**changes: Any) -> NPLM:
    torch.manual_seed(0)
    made = NPLM(**(dict(vocabulary=6, occurrences=(3, 9, 2, 2, 0), words=3, width=4, hidden=5, direct=True) | changes))
    if made.direct is not None:
        torch.nn.init.normal_(made.direct.weight)
    return made.eval()


@pytest.mark.parametrize("direct", [True, False])
def test_the_answer_is_the_papers_equation(direct: bool) -> None:
    made = net(direct=direct)
    table, (h, d) = made.embedding.weight.detach().numpy(), (one.detach().numpy() for one in made.hidden.parameters())
    u, b = (one.detach().numpy() for one in made.linear.parameters())
    found = made(X).detach().numpy()
    for row, text in enumerate(X.tolist()):
        for place in range(len(text)):
            before = [0, 0, *text][place : place + 2]
            x = np.concatenate([table[word] if word else np.zeros(4) for word in before])
            y = b + u @ np.tanh(d + h @ x)
            if made.direct is not None:
                y = y + made.direct.weight.detach().numpy() @ x
            assert np.allclose(found[row, place], y, atol=1e-5)


def test_the_words_before_each_place_and_behind_the_end() -> None:
    assert net().contexts(X)[0].tolist() == [[0, 0], [0, 2], [2, 3], [3, 1], [1, 4]]
    assert net(words=2).contexts(X)[1].tolist() == [[0], [5], [5], [0], [0]]


def test_it_begins_with_how_often_words_occur() -> None:
    made = net(direct=False)
    torch.nn.init.zeros_(made.linear.weight)
    said = made(X).softmax(2)[0, 0]
    assert said.tolist() == pytest.approx([3 / 17, 9 / 17, 2 / 17, 2 / 17, 1 / 17]), "once, where it never occurs"


def test_a_text_is_answered_the_same_beside_longer_ones() -> None:
    made = net()
    assert torch.allclose(made(X)[1:, :2], made(X[1:, :2]))


@pytest.mark.parametrize("changes", [{"words": 1}, {"hidden": 0}])
def test_what_makes_no_net_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"model.{next(iter(changes))}="):
        net(**changes)

from __future__ import annotations

from typing import Any

import pytest
import torch

from cnnexp.errors import InputError
from cnnexp.models.two_towers import TwoTowers

SMALL: dict[str, Any] = dict(
    first_vocabulary=9, second_vocabulary=9, num_classes=2, width=5, windows=[1, 2], maps=3, code=4, hidden=6
)
FIRST = torch.tensor([[2, 3, 4, 0], [5, 0, 0, 0]])
SECOND = torch.tensor([[6, 7], [8, 2]])


def test_one_tower_reads_both_texts() -> None:
    net = TwoTowers(**SMALL, shared=True).eval()
    u, v = net.codes(FIRST, FIRST)
    assert net.second is None and torch.equal(u, v) and u.shape == (2, 4)
    own = TwoTowers(**SMALL, shared=False).eval()
    u, v = own.codes(FIRST, FIRST)
    assert not torch.allclose(u, v)
    assert sum(p.numel() for p in own.first.parameters()) * 2 + sum(
        p.numel() for part in (own.compare, own.head) for p in part.parameters()
    ) == sum(p.numel() for p in own.parameters())


@pytest.mark.parametrize("join", ["all", "concatenation", "difference", "product"])
def test_what_is_compared(join: Any) -> None:
    net = TwoTowers(**{**SMALL, "hidden": 0}, shared=False, join=join).eval()
    u, v = net.codes(FIRST, SECOND)
    parts = {"concatenation": (u, v), "difference": ((u - v).abs(),), "product": (u * v,)}
    joined = torch.cat((u, v, (u - v).abs(), u * v) if join == "all" else parts[join], 1)
    torch.testing.assert_close(net(FIRST, SECOND), joined @ net.head.weight.T + net.head.bias)
    if join in ("difference", "product"):
        shared = TwoTowers(**SMALL, shared=True, join=join).eval()
        torch.testing.assert_close(shared(FIRST, SECOND), shared(SECOND, FIRST))


def test_padding_says_nothing() -> None:
    net = TwoTowers(**SMALL, shared=False).eval()
    longer = torch.nn.functional.pad(SECOND, (0, 5))
    torch.testing.assert_close(net(FIRST, SECOND), net(FIRST, longer))


def test_one_tower_cannot_read_two_vocabularies() -> None:
    with pytest.raises(InputError, match=r"model\.shared=false, or data\.alike"):
        TwoTowers(**{**SMALL, "second_vocabulary": 7}, shared=True)

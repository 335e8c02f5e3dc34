from __future__ import annotations

from torch import nn

from cnnexp.builders.begun import Start
from cnnexp.builders.counted_anew import count_anew
from tests.models.test_patch_net import patch_net


def test_counts_of_other_data_are_no_weights() -> None:
    net = patch_net()
    net.head.counted += 5
    net.head.shown += 2
    weight = net.head.weight.clone()
    begun = Start("a run", loaded=["head.weight", "head.counted", "head.shown"], fresh=["head.bias"])
    count_anew(net, begun)
    assert not net.head.counted.any() and not net.head.shown.any() and net.head.weight.equal(weight)
    assert (begun.loaded, begun.fresh) == (["head.weight"], ["head.bias", "head.counted", "head.shown"])


def test_a_net_that_counts_nothing() -> None:
    begun = Start("a run", loaded=["weight", "bias"])
    count_anew(nn.Linear(1, 1), begun)
    assert (begun.loaded, begun.fresh) == (["weight", "bias"], [])

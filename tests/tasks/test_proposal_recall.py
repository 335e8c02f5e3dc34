"""True boxes among the first proposals, counted by hand."""

from __future__ import annotations

import math

import torch

from cnnexp.tasks.proposal_recall import FIRST, ProposalRecall


def test_counted_by_hand() -> None:
    """Of three objects one is met exactly, one by half (IoU 0.5), one by a third; a crowd is not asked for."""
    recall = ProposalRecall()
    true = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [60, 0, 70, 10]])
    proposals = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 5], [45, 0, 55, 10]])
    recall.update([{"proposals": proposals}], [{"boxes": true, "iscrowd": torch.tensor([0, 0, 0, 1])}])
    assert recall.compute() == 2 / 3
    recall.update([{"proposals": proposals}], [{"boxes": true[:0]}])
    assert recall.compute() == 2 / 3, "a picture without objects changes nothing"
    recall.reset()
    assert math.isnan(recall.compute())


def test_only_the_first_ones_count() -> None:
    recall, true = ProposalRecall(), torch.tensor([[0.0, 0, 10, 10]])
    late = torch.cat([torch.tensor([[50.0, 50, 60, 60]]).expand(FIRST, 4), true])
    recall.update([{"proposals": late}], [{"boxes": true}])
    assert recall.compute() == 0
    recall.update([{"proposals": late[1:]}], [{"boxes": true}])
    assert recall.compute() == 0.5

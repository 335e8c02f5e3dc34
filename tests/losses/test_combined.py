"""Losses added up: by their weights, each over its own count, whatever a batch is cut into."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from cnnexp.augmentation.motion import VOID
from cnnexp.errors import InputError
from cnnexp.losses.combined import Combined
from cnnexp.losses.dice import Dice
from cnnexp.losses.pixel_cross_entropy import PixelCrossEntropy
from cnnexp.losses.pixel_focal import PixelFocal
from cnnexp.losses.term import Loss, Term
from cnnexp.tasks.segmentation import Segmentation
from cnnexp.training.learner import Learner
from tests.tasks import tiny
from tests.training.learning import STILL, Plain, assert_near, gradients, learn, learner
from tests.training.processes import together


def combined() -> Combined:
    parts: dict[str, Loss] = {"pixel_cross_entropy": PixelCrossEntropy(), "dice": Dice()}
    return Combined(parts=parts, weights={"pixel_cross_entropy": 2.0, "dice": 0.5})


class Unforeseen(Loss):
    """A loss that knows no count in advance."""

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        return Term("some", answer.mean(), answer.sum().detach())


def test_terms_are_the_parts_times_their_weights() -> None:
    loss, answer = combined(), torch.randn(4, 3, 8, 8)
    truth = {"mask": tiny.samples(4, void=0.4)["mask"]}
    entropy, dice = loss.terms(answer, truth, True)
    assert loss.term_names == (entropy.name, dice.name) == ("cross_entropy", "dice_loss")
    of_entropy, of_dice = PixelCrossEntropy()(answer, truth, True), Dice()(answer, truth, True)
    assert torch.equal(entropy.mean, 2 * of_entropy.mean) and torch.equal(dice.mean, 0.5 * of_dice.mean)
    assert loss.counts(truth) == {"cross_entropy": of_entropy.count, "dice_loss": of_dice.count}


def test_parts_of_one_name_have_those_of_their_files() -> None:
    parts: dict[str, Loss] = {"first": PixelCrossEntropy(), "second": PixelCrossEntropy(), "own": Unforeseen()}
    assert Combined(parts=parts, weights=dict.fromkeys(parts, 1.0)).term_names == ("first", "second", "own")


def test_class_weights_go_to_the_parts_that_take_them() -> None:
    parts: dict[str, Loss] = {"dice": Dice(), "own": Unforeseen()}
    loss = Combined(parts=parts, weights=dict.fromkeys(parts, 1.0))
    loss.weigh(torch.tensor([1.0, 2.0, 3.0]))
    assert loss.parts["dice"].class_weights.tolist() == [1, 2, 3]  # type: ignore[union-attr, operator]


def uneven(weighed: bool) -> tuple[Segmentation, dict[str, Tensor]]:
    """Void is spread unevenly, and a sample is all void, so that the counts of the two terms go different ways."""
    loss = combined()
    if weighed:
        loss.weigh(torch.tensor([0.5, 2.0, 0.0]))
    batch = tiny.batch(6)
    batch["mask"][0, 2:], batch["mask"][3] = VOID, VOID
    return tiny.task(Segmentation, tiny.pixel_net(), loss=loss), batch


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize(("world", "parts"), [(1, 3), (1, 6), (2, 1), (3, 1), (2, 3)])
def test_cut_or_divided_a_batch_has_the_gradients_of_the_whole(
    weighed: bool, world: int, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, batch = uneven(weighed)
    prepared = task.prepare(batch, False)
    expected = torch.autograd.grad(task.step(prepared, "train").learnt, list(task.net.parameters()))
    ranks = [learner(copy.deepcopy(task), optimizer=STILL, accumulate=parts) for _ in range(world)]
    size = 6 // world
    shares = [{name: one[size * k : size * (k + 1)] for name, one in batch.items()} for k in range(world)]
    works = [partial(learn, rank, share, Plain(world)) for rank, share in zip(ranks, shares, strict=True)]
    if world == 1:
        works[0]()
    else:
        together(works, monkeypatch)
    mean = [torch.stack(one).mean(0) for one in zip(*(gradients(rank.task.net) for rank in ranks), strict=True)]
    assert_near(mean, expected)


def test_a_part_that_only_a_forward_pass_counts_is_not_cut() -> None:
    parts: dict[str, Loss] = {"dice": Dice(), "own": Unforeseen()}
    task = tiny.task(Segmentation, tiny.pixel_net(), loss=Combined(parts=parts, weights=dict.fromkeys(parts, 1.0)))
    with pytest.raises(InputError, match=r"accumulate=2: .*cannot be cut"):
        Learner(task, tiny.recipe(accumulate=2))
    Learner(tiny.task(Segmentation, tiny.pixel_net(), loss=combined()), tiny.recipe(accumulate=2))


def test_focal_beside_dice_in_a_volume() -> None:
    parts: dict[str, Loss] = {"pixel_focal": PixelFocal(gamma=2.0, num_classes=2), "dice": Dice()}
    loss = Combined(parts=parts, weights=dict.fromkeys(parts, 1.0))
    terms = loss.terms(torch.zeros(2, 2, 3, 4, 4), {"mask": torch.randint(2, (2, 3, 4, 4))}, True)
    assert [term.name for term in terms] == ["focal", "dice_loss"]

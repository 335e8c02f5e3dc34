"""A step of every optimizer: gradients against those of a whole batch, parts that learn in turn, what is refused."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.augmentation.motion import VOID
from cnnexp.errors import InputError
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Stage, StepOutput, Task
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.detection import Detection
from cnnexp.tasks.segmentation import Segmentation
from cnnexp.training.learner import Learner
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization
from cnnexp.training.schedules import Cosine
from tests.tasks import tiny
from tests.training.learning import STILL, Batch, Plain, assert_near, gradients, learn, learner
from tests.training.made import RARE, Halves, InTurn, PixelsAndPicture, Scaled, Several, Unforeseen
from tests.training.processes import together

# --- what the optimizers are given ------------------------------------------------------------------------------------


def test_frozen_weights_are_not_given_to_the_optimizer() -> None:
    task = tiny.task(Segmentation, tiny.pixel_net())
    frozen = next(task.net.parameters()).requires_grad_(False)
    given = learner(task).optimizers[""].param_groups[0]["params"]
    assert len(given) == 3
    assert all(parameter is not frozen for parameter in given)


def test_a_loss_with_weights_of_its_own_learns_them() -> None:
    task = tiny.task(Classification, tiny.linear_net(), loss=Scaled())
    assert task.loss is not None
    factor, batch = next(task.loss.parameters()), tiny.batch(8)
    made = learner(task)
    held = [weight for group in made.optimizers[""].param_groups for weight in group["params"]]
    assert sum(weight is factor for weight in held) == 1 and len(held) == 3
    logits = task.net(task.prepare(batch, train=False)["image"])
    one = torch.ones(3, requires_grad=True)
    (slope,) = torch.autograd.grad(functional.cross_entropy(logits * one, batch["label"]), one)
    learn(made, batch)
    torch.testing.assert_close(factor.detach(), 1 - 0.1 * slope)


def test_the_weights_of_a_loss_decay_as_the_nets_do_and_vectors_do_not() -> None:
    decaying = partial(torch.optim.SGD, lr=0.1, weight_decay=0.5)
    made = learner(tiny.task(Classification, tiny.linear_net(), loss=Scaled()), optimizer=decaying)
    decays = {
        weight.shape: group["weight_decay"] for group in made.optimizers[""].param_groups for weight in group["params"]
    }
    assert decays == {(3, 64): 0.5, (3,): 0.0}


@pytest.mark.parametrize("parts", [1, 3])
def test_the_weights_of_a_loss_learn_from_all_parts_of_a_batch(parts: int) -> None:
    task = tiny.task(Classification, tiny.linear_net(), loss=Scaled())
    made = learner(task, accumulate=parts, optimizer=STILL)
    learn(made, tiny.batch(8))
    whole = learner(copy.deepcopy(task), optimizer=STILL)
    learn(whole, tiny.batch(8))
    assert_near(gradients(made.task.loss), gradients(whole.task.loss))


# --- terms of different counts ----------------------------------------------------------------------------------------


def batch_of(labels: Sequence[int], void: Sequence[float]) -> Batch:
    """Samples of these classes, each with that part of its pixels void."""
    batch = tiny.batch(len(labels), void=0.0)
    chance = torch.rand(batch["mask"].shape, generator=torch.Generator().manual_seed(1))
    batch["mask"][chance < torch.tensor(void)[:, None, None]] = VOID
    return {**batch, "label": torch.tensor(labels)}


UNEVEN: dict[str, Batch] = {
    "of all something in each half": batch_of([0, 2, 1, 0, 2, 2, 2, 1], [0.2] * 8),
    "the rare class in one half only": batch_of([0, 1, 1, 0, 2, 2, 2, 1], [0.1] * 4 + [0.9] * 4),
    "nothing but void in one half": batch_of([0, 2, 1, 0, 2, 2, 2, 1], [1.1] * 4 + [0.1] * 4),
    "no rare class anywhere": batch_of([0, 1, 1, 0, 1, 0, 1, 1], [0.5, 0.0] * 4),
    "nothing to count in the last sample": batch_of([0, 2, 1, 0, 2, 2, 2, 1], [0.3] * 7 + [1.1]),
}


def by_hand(task: Task, batch: Batch) -> tuple[list[Tensor], float]:
    """Gradient and loss of a whole batch: each term's items one by one, their sum over how many they are."""
    batch = task.prepare(batch, train=False)
    pixels, picture = task.net(batch["image"])
    surprise = -picture.log_softmax(1).gather(1, batch["label"][:, None]).flatten()
    mask = batch["mask"].long()
    of_pixels = -pixels.log_softmax(1).gather(1, mask.where(mask != VOID, 0)[:, None])[:, 0]
    items = [surprise, of_pixels[mask != VOID], surprise[batch["label"] == RARE]]
    loss = torch.stack([one.mean() for one in items if len(one)]).sum()
    return list(torch.autograd.grad(loss, list(task.net.parameters()))), float(loss.detach())


@pytest.mark.parametrize("case", UNEVEN)
@pytest.mark.parametrize("kind", [Several, Unforeseen])
def test_each_term_is_a_mean_over_its_own_items(case: str, kind: type[Several]) -> None:
    task, batch = tiny.task(kind, PixelsAndPicture()), UNEVEN[case]
    expected, loss = by_hand(task, batch)
    learnt = learn(learner(task, optimizer=STILL), batch)
    assert_near(gradients(task.net), expected)
    assert learnt.loss.item() == pytest.approx(loss, rel=1e-5) and learnt.penalty is None


@pytest.mark.parametrize("case", UNEVEN)
@pytest.mark.parametrize("parts", [2, 3, 8])
def test_each_term_is_weighed_by_its_own_count_where_a_batch_is_cut(case: str, parts: int) -> None:
    task, batch, engine = tiny.task(Several, PixelsAndPicture()), UNEVEN[case], Plain()
    expected, loss = by_hand(task, batch)
    learnt = learn(learner(task, optimizer=STILL, accumulate=parts), batch, engine)
    assert_near(gradients(task.net), expected)
    assert learnt.loss.item() == pytest.approx(loss, rel=1e-5)
    assert engine.asked == [False] * (len(engine.asked) - 1) + [True] and len(engine.asked) > 1


@pytest.mark.parametrize("case", UNEVEN)
@pytest.mark.parametrize(
    ("kind", "world", "parts"), [(Several, 2, 1), (Several, 4, 1), (Unforeseen, 2, 1), (Several, 2, 2), (Several, 2, 4)]
)
def test_several_processes_have_the_gradient_of_one(
    case: str, kind: type[Several], world: int, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, batch = tiny.task(kind, PixelsAndPicture()), UNEVEN[case]
    expected, loss = by_hand(task, batch)
    size = 8 // world
    ranks = [learner(copy.deepcopy(task), optimizer=STILL, accumulate=parts) for _ in range(world)]
    works = [
        partial(learn, rank, tiny.part_of(batch, size * place, size * (place + 1)), Plain(world))
        for place, rank in enumerate(ranks)
    ]
    learnt = together(works, monkeypatch)
    mean = [torch.stack(one).mean(0) for one in zip(*(gradients(rank.task.net) for rank in ranks), strict=True)]
    assert_near(mean, expected)
    assert torch.stack([one.loss for one in learnt]).mean().item() == pytest.approx(loss, rel=1e-5)


def test_what_processes_bring_is_summed_in_every_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the processes of these tests do meet."""

    def work(value: float) -> list[float]:
        total = torch.tensor(value)
        torch.distributed.all_reduce(total)
        again = total.clone()
        torch.distributed.all_reduce(again)
        return [float(total), float(again)]

    assert together([partial(work, value) for value in (1.0, 2.0, 5.0)], monkeypatch) == [[8.0, 24.0]] * 3


class Read(Several):
    """The counts as whole numbers, which a single process may read."""

    def counts(self, batch: Batch) -> dict[str, int | Tensor]:
        return {name: int(count) for name, count in super().counts(batch).items() if name != "pixel"}

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        counts = self.counts(batch)
        terms = [term for term in super().step(batch, stage).terms if term.name in counts]
        return StepOutput([Term(term.name, term.mean, counts[term.name]) for term in terms])


def test_counts_that_happen_to_be_one_in_a_part_are_weighed_as_the_others() -> None:
    """All samples of the first part are of the rare class, so both terms count two there."""
    task, batch = tiny.task(Read, PixelsAndPicture()), batch_of([2, 2, 0, 1, 0, 2], [0.0] * 6)
    learn(learner(task, optimizer=STILL), batch)
    expected = gradients(task.net)
    learn(learner(task, optimizer=STILL, accumulate=3), batch)
    assert_near(gradients(task.net), expected)


def test_a_batch_is_not_cut_where_only_a_forward_pass_knows_the_counts() -> None:
    task = tiny.task(Unforeseen, PixelsAndPicture())
    with pytest.raises(InputError, match=r"accumulate=4: .*cannot be cut; take accumulate=1 and a smaller batch_size"):
        Learner(task, tiny.recipe(accumulate=4))
    Learner(task, tiny.recipe(accumulate=1))
    Learner(tiny.task(Several, PixelsAndPicture()), tiny.recipe(accumulate=4))


@pytest.mark.parametrize("known", [True, False])
def test_a_detector_says_whether_its_counts_are_one(known: bool) -> None:
    net = tiny.grid_net()
    net.counts_in_advance = known  # type: ignore[misc]
    task = tiny.task(Detection, net)
    assert task.counts_in_advance == known
    if not known:
        with pytest.raises(InputError, match="accumulate=2"):
            Learner(task, tiny.recipe(accumulate=2))


# --- clipping, limits and penalties -----------------------------------------------------------------------------------


def test_a_long_gradient_is_clipped_with_its_penalty() -> None:
    clipped = Regularization(Penalty(0.0, 10.0), gradient_clip_norm=0.01)
    task = tiny.task(Segmentation, tiny.pixel_net())
    learn(learner(task, regularization=clipped), tiny.batch(8))
    assert torch.cat([one.flatten() for one in gradients(task.net)]).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_gradients_are_seen_with_the_penalty_and_before_they_are_clipped() -> None:
    task, seen = tiny.task(Segmentation, tiny.pixel_net()), []
    made = learner(task, regularization=Regularization(Penalty(0.0, 10.0), gradient_clip_norm=0.01))
    made.gradients_seen = lambda: seen.append(gradients(task.net))
    batch = task.prepare(tiny.batch(8), train=True)
    weights = list(task.net.parameters())
    loss = task.step(batch, "train").loss + 10 * sum(one.square().sum() for one in weights if one.ndim > 1)
    expected = torch.autograd.grad(loss, weights)
    made.learn(batch, Plain(), lambda output: None)
    assert len(seen) == 1
    assert_near(seen[0], expected)


def test_units_are_kept_short() -> None:
    task = tiny.task(Classification, tiny.linear_net())
    learn(learner(task, regularization=Regularization(Penalty(0.0, 0.0), max_norm=0.3)), tiny.batch(8))
    norms = task.net[1].weight.norm(dim=1)  # type: ignore[index]
    assert float(norms.max().detach()) <= 0.3 * (1 + 1e-5)


# --- parts that learn in turn -----------------------------------------------------------------------------------------


def in_turn(rates: tuple[float, float] = (0.1, 0.3), **changes: Any) -> tuple[Halves, Learner]:
    net = Halves()
    made = {name: partial(torch.optim.SGD, lr=rate) for name, rate in zip(InTurn.turns, rates, strict=True)}
    return net, learner(tiny.task(InTurn, net), optimizers=made, **changes)


def weights_of(part: nn.Module) -> list[Tensor]:
    return [weight.detach().clone() for weight in part.parameters()]


@pytest.mark.parametrize("parts", [1, 3])
def test_each_optimizer_changes_its_own_part_and_the_second_finds_what_the_first_made(parts: int) -> None:
    net, made = in_turn(accumulate=parts)
    batch = tiny.batch(8)
    other, image = copy.deepcopy(net), tiny.task(InTurn, Halves()).prepare(batch, train=False)["image"]
    losses = []
    for part, rate, answer in ((other.first, 0.1, other.first), (other.second, 0.3, other)):
        loss = functional.cross_entropy(answer(image), batch["label"])
        losses.append(float(loss.detach()))
        slopes = torch.autograd.grad(loss, list(part.parameters()))
        with torch.no_grad():
            for weight, slope in zip(part.parameters(), slopes, strict=True):
                weight -= rate * slope
    outputs: list[Any] = []
    learnt = made.learn(made.task.prepare(batch, True), Plain(), outputs.append)  # type: ignore[attr-defined]
    torch.testing.assert_close(weights_of(net), weights_of(other), rtol=1e-5, atol=1e-7)
    assert learnt.loss.item() == pytest.approx(sum(losses), rel=1e-5)
    assert [output.terms[0].name for output in outputs] == ["first"] * parts + ["second"] * parts


@pytest.mark.parametrize("still", [0, 1])
def test_an_optimizer_that_stands_still_leaves_its_part_where_it_is(still: int) -> None:
    net, made = in_turn((0.0, 0.1) if still == 0 else (0.1, 0.0))
    before = [weights_of(part) for part in (net.first, net.second)]
    learn(made, tiny.batch(8))
    same = [
        all(torch.equal(one, other) for one, other in zip(old, weights_of(part), strict=True))
        for old, part in zip(before, (net.first, net.second), strict=True)
    ]
    assert same == [still == 0, still == 1]


def test_both_optimizers_follow_the_schedule() -> None:
    _, made = in_turn(schedule=Cosine(final=0.0), epochs=2)
    for step, factor in ((0, 1.0), (3, 0.5)):
        made.set_rates(step // 3, step % 3, 3)
        rates = [group["lr"] for optimizer in made.optimizers.values() for group in optimizer.param_groups]
        assert rates == pytest.approx([0.1 * factor, 0.3 * factor])


def moved(before: Sequence[Tensor], part: nn.Module) -> float:
    steps = [(one - other).flatten() for one, other in zip(before, weights_of(part), strict=True)]
    return float(torch.cat(steps).norm())


def test_each_parts_gradient_is_clipped_by_itself() -> None:
    net, made = in_turn(regularization=Regularization(Penalty(0.0, 0.0), gradient_clip_norm=0.01))
    before = [weights_of(part) for part in (net.first, net.second)]
    learn(made, tiny.batch(8))
    assert [moved(*one) for one in zip(before, (net.first, net.second), strict=True)] == pytest.approx(
        [0.1 * 0.01, 0.3 * 0.01], rel=1e-3
    )


def test_each_part_is_penalised_once() -> None:
    l1 = 0.01
    plain, penalised = in_turn(), in_turn(regularization=Regularization(Penalty(l1, 0.0)))
    penalty = sum(l1 * float(part[1].weight.detach().abs().sum()) for part in (plain[0].first, plain[0].second))  # type: ignore[index]
    signs = plain[0].first[1].weight.detach().sign()  # type: ignore[index]
    without, learnt = learn(plain[1], tiny.batch(8)), learn(penalised[1], tiny.batch(8))
    assert without.penalty is None and learnt.penalty is not None
    assert learnt.penalty.item() == pytest.approx(penalty, rel=1e-6)
    assert learnt.loss.item() == pytest.approx(without.loss.item() + penalty, rel=2e-3), "the second turn finds others"
    first, other = (one[0].first[1].weight.detach() for one in (plain, penalised))  # type: ignore[index]
    torch.testing.assert_close(other, first - 0.1 * l1 * signs)


def test_the_average_takes_a_batch_once() -> None:
    net, made = in_turn(regularization=Regularization(Penalty(0.0, 0.0), ema_decay=0.9))
    assert made.average is not None
    before = weights_of(net)
    learn(made, tiny.batch(8))
    assert int(made.average.steps) == 1
    expected = [
        0.1 * one + 0.9 * other for one, other in zip(before, weights_of(net), strict=True)
    ]  # d = 1/10 at first
    torch.testing.assert_close(weights_of(made.average.averaged), expected)


def test_gradients_are_seen_in_every_turn_and_of_its_own_part() -> None:
    """Those of the second loss reach the first part too, which does not learn by them."""
    net, made = in_turn()
    seen: list[list[bool]] = []
    made.gradients_seen = lambda: seen.append([weight.grad is not None for weight in net.parameters()])
    learn(made, tiny.batch(8))
    assert seen == [[True, True, False, False], [False, False, True, True]]


def test_the_weights_of_a_loss_are_the_last_optimizers() -> None:
    task = InTurn(tiny.parts(InTurn, Halves(), loss=Scaled()))
    made = learner(task, optimizers={name: partial(torch.optim.SGD, lr=0.1) for name in InTurn.turns})
    counts = [sum(len(group["params"]) for group in one.param_groups) for one in made.optimizers.values()]
    assert counts == [2, 3]

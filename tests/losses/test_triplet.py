"""Triplets by hand and in loops over them with NumPy, the gradient by differences; two processes as one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnexp.losses.contrastive import Contrastive
from cnnexp.losses.triplet import Triplet
from tests.losses.metric_losses import directions, slope, truth_of

MININGS = ("batch_hard", "semi_hard", "all")


def triplets(
    rows: NDArray[np.float64], identity: list[int], mining: str, squared: bool
) -> Iterator[tuple[float, float]]:
    """d(a, p) and d(a, n) of each triplet that counts, one anchor after another."""
    places = range(len(rows))

    def distance(a: int, b: int) -> float:
        found = float(np.square(rows[a] - rows[b]).sum())
        return found if squared else math.sqrt(found)

    for a in places:
        like = [distance(a, p) for p in places if p != a and identity[p] == identity[a]]
        other = [distance(a, n) for n in places if identity[n] != identity[a]]
        if not like or not other:
            continue
        if mining == "batch_hard":
            yield max(like), min(other)
        elif mining == "semi_hard":
            for one in like:
                yield one, min((n for n in other if n > one), default=max(other))
        else:
            yield from ((one, n) for one in like for n in other)


def by_hand(
    rows: NDArray[np.float64], identity: list[int], mining: str, margin: float | None, squared: bool
) -> tuple[float, int]:
    """The mean, and how many are behind it."""
    found = [p - n for p, n in triplets(rows, identity, mining, squared)]
    losses = [math.log1p(math.exp(one)) if margin is None else max(0.0, one + margin) for one in found]
    if mining == "all":
        losses = [one for one in losses if one > 0]
    return (sum(losses) / len(losses) if losses else 0.0), len(losses)


def test_three_samples_by_hand() -> None:
    """At 0°, 60° and 90°; the first two are one. d² = 2 - 2 cos: 1 between them, 2 and 2 - √3 = 0.268 to the third, so
    the losses are max(0, 1 - 2 + 0.2) = 0 and 1 - 0.268 + 0.2 = 0.932."""
    rows = torch.tensor([[math.cos(math.radians(one)), math.sin(math.radians(one))] for one in (0, 60, 90)])
    term = Triplet(mining="batch_hard", margin=0.2, squared=True)(rows, truth_of([0, 0, 1]), True)
    assert term.mean.item() == pytest.approx((0 + 1 - (2 - math.sqrt(3)) + 0.2) / 2, abs=1e-6)
    assert (term.name, int(term.count)) == ("triplet", 2), "the third has none that is like it"


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("margin", [0.2, 1.0, None])
@pytest.mark.parametrize("squared", [True, False])
def test_the_mean_and_its_gradient_are_those_of_a_loop(mining: str, margin: float | None, squared: bool) -> None:
    identity = [0, 0, 0, 1, 1, 2, 2, 2, 3]
    rows = directions(len(identity), 4)
    loss = Triplet(mining=mining, margin=margin, squared=squared)
    given = torch.from_numpy(rows).requires_grad_()
    term = loss(given, truth_of(identity), True)
    expected, count = by_hand(rows, identity, mining, margin, squared)
    assert (term.mean.item(), int(term.count)) == (pytest.approx(expected, abs=1e-9), count)
    term.mean.backward()
    assert given.grad is not None
    # distances are 2 - 2 a·b there, which is |a - b|² on the sphere alone: gradients agree along it
    along = slope(lambda moved: by_hand(moved, identity, mining, margin, squared)[0], rows)
    tangent = given.grad.numpy() - (given.grad.numpy() * rows).sum(1, keepdims=True) * rows
    np.testing.assert_allclose(tangent, along, atol=1e-6)


def test_a_sample_that_comes_twice_is_no_pair_with_itself() -> None:
    rows = torch.from_numpy(directions(4, 3))
    rows[1] = rows[0]
    truth = {"identity": torch.tensor([0, 0, 1, 1]), "sample": torch.tensor([7, 7, 8, 9])}
    for mining in MININGS:
        term = Triplet(mining=mining, margin=2.0, squared=True)(rows, truth, True)
        counted = {"batch_hard": 2, "semi_hard": 2, "all": 4}
        assert int(term.count) == counted[mining], "the two of identity 1 alone are anchors"


@pytest.mark.parametrize("mining", MININGS)
def test_a_batch_without_triplets_has_no_loss_and_no_gradient(mining: str) -> None:
    for identity in ([0, 1, 2], [0, 0, 0]):
        rows = torch.from_numpy(directions(3, 3)).requires_grad_()
        term = Triplet(mining=mining, margin=0.2, squared=False)(rows, truth_of(identity), True)
        term.mean.backward()
        assert term.mean.item() == 0 and int(term.count) == 0
        assert rows.grad is not None and not rows.grad.any()


def test_equal_embeddings_have_a_finite_gradient() -> None:
    rows = torch.ones(4, 3, dtype=torch.float64).div(math.sqrt(3)).requires_grad_()
    for loss in (Triplet(mining="batch_hard", margin=0.2, squared=False), Contrastive(margin=1.0)):
        loss(rows, truth_of([0, 0, 1, 1]), True).mean.backward()
        assert rows.grad is not None and rows.grad.isfinite().all()


@pytest.mark.parametrize(
    ("changes", "part"), [({"mining": "hard"}, "loss.mining=hard: expected one of"), ({"margin": 0.0}, "loss.margin=0")]
)
def test_what_makes_no_loss_is_refused(changes: dict[str, object], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        Triplet(**{"mining": "all", "margin": 0.2, "squared": True, **changes})  # type: ignore[arg-type]


IDENTITY = [0, 0, 1, 1, 2, 0, 1, 2]


def _gradient(losses: list[torch.nn.Module], rows: Tensor, truth: dict[str, Tensor], weight: Tensor) -> Tensor:
    """Of one layer's weights, as a process has it from its own share."""
    answer = functional.normalize(rows @ weight, dim=1)
    torch.stack([loss(answer, truth, True).mean for loss in losses]).sum().backward()
    assert weight.grad is not None
    return weight.grad


def _losses() -> list[torch.nn.Module]:
    minings = [Triplet(mining=mining, margin=1.0, squared=False) for mining in MININGS]
    return [*minings, Contrastive(margin=1.5)]


def _process(rank: int, meeting: str, found: Tensor) -> None:
    distributed.init_process_group("gloo", f"file://{meeting}", world_size=2, rank=rank)
    rows, weight = torch.from_numpy(directions(8, 3)), torch.eye(3, dtype=torch.float64).requires_grad_()
    share = slice(4 * rank, 4 * rank + 4)
    truth = {key: value[share] for key, value in truth_of(IDENTITY).items()}
    found[rank] = _gradient(_losses(), rows[share], truth, weight)
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_one(tmp_path: Path) -> None:
    """Averaged over them, as DDP does it, though pairs lie across the two."""
    found = torch.zeros(2, 3, 3, dtype=torch.float64).share_memory_()
    multiprocessing.spawn(_process, (str(tmp_path / "meeting"), found), nprocs=2)  # type: ignore[no-untyped-call]
    weight = torch.eye(3, dtype=torch.float64).requires_grad_()
    expected = _gradient(_losses(), torch.from_numpy(directions(8, 3)), truth_of(IDENTITY), weight)
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(found.mean(0), expected)

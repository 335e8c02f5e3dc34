"""Sums of an epoch against numpy and scikit-learn; over two processes, and through a checkpoint."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, top_k_accuracy_score
from torch import Tensor

from cnnexp.losses.term import Term
from cnnexp.tasks import means
from cnnexp.tasks.means import Confusion, Hits, LossMeans, Sums

GENERATOR = np.random.default_rng(0)


def classes_of(count: int, classes: int = 7) -> Tensor:
    return torch.from_numpy(GENERATOR.integers(0, classes, count))


def terms(**given: tuple[float, int | Tensor]) -> list[Term]:
    """By name a mean and the count behind it."""
    return [Term(name, torch.tensor(mean), count) for name, (mean, count) in given.items()]


def test_loss_means_weigh_batches_by_their_count() -> None:
    losses = LossMeans(["box", "class"])
    losses.update(terms(box=(1.0, 3), **{"class": (1.0, 3)}))
    losses.update(terms(box=(9.0, torch.tensor(1)), **{"class": (-4.0, torch.tensor(1))}))
    box, other = (3 + 9) / 4, (3 - 4) / 4
    assert losses.compute() == {"loss": box + other, "box": box, "class": other}
    losses.reset()
    losses.update(terms(box=(1.5, 2)))
    assert losses.compute() == {"loss": 1.5, "box": 1.5, "class": 0.0}


def test_each_term_is_weighed_by_its_own_count() -> None:
    losses = LossMeans(["pixels", "objects"])
    losses.update(terms(pixels=(2.0, 100), objects=(5.0, torch.tensor(1))))
    losses.update(terms(pixels=(4.0, 300), objects=(0.0, torch.tensor(0))))
    losses.update(terms(pixels=(6.0, 100), objects=(1.0, torch.tensor(3))))
    pixels, objects = (200 + 1200 + 600) / 500, (5 + 3) / 4
    assert losses.compute() == {"loss": pixels + objects, "pixels": pixels, "objects": objects}


def test_a_single_term_is_the_loss_whatever_it_is_called() -> None:
    losses = LossMeans(["loss"])
    losses.update(terms(cross_entropy=(2.0, 3)))
    losses.update(terms(squared_error=(5.0, torch.tensor(1))))
    assert losses.compute() == {"loss": (2 * 3 + 5) / 4}


def test_a_term_that_nobody_announced_is_an_error() -> None:
    with pytest.raises(ValueError):
        LossMeans(["box", "class"]).update(terms(objectness=(1.0, 1)))


def test_a_batch_without_items_counts_its_sum_and_no_item() -> None:
    """Its loss is a sum divided by 1: the empty cells of a detector."""
    losses = LossMeans(["loss"])
    losses.update(terms(loss=(4.0, torch.tensor(0))))
    losses.update(terms(loss=(2.0, torch.tensor(5))))
    assert losses.compute() == {"loss": (4 + 2 * 5) / 5}


def test_loss_means_of_nothing_are_zero() -> None:
    assert LossMeans(["penalty"]).compute() == {"loss": 0.0}
    assert LossMeans(["box", "class"]).compute() == {"loss": 0.0, "box": 0.0, "class": 0.0}


def test_many_small_losses_do_not_drift() -> None:
    values = GENERATOR.random(5_000)
    losses = LossMeans(["loss"])
    for value in values:
        losses.update([Term("loss", torch.tensor(value, dtype=torch.float32), 100)])
    assert losses.compute()["loss"] == pytest.approx(values.astype(np.float32).astype(np.float64).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (("loss",), [12.0, 8.0]),
        (("objectness", "box", "class"), [21.0, 6.0, 12.0, 3.0, 8.0]),
    ],
)
def test_the_state_of_an_earlier_version_goes_on(names: tuple[str, ...], state: list[float]) -> None:
    """It held the loss, its parts and one count: eight items so far."""
    losses = LossMeans(names)
    losses.load_state_dict({"_extra_state": torch.tensor(state, dtype=torch.float64)})
    for _ in range(2):
        sums = state[1:-1] if len(names) > 1 else state[:1]
        means = dict(zip(names, (one / 8 for one in sums), strict=True))
        assert losses.compute() == {"loss": sum(means.values()), **(means if len(names) > 1 else {})}
        losses.load_state_dict(losses.state_dict())  # in the new form
    losses.update(terms(**dict.fromkeys(names, (2.0, 8))))
    found = losses.compute()
    assert found["loss"] == pytest.approx(sum((one + 16) / 16 for one in sums))


def test_confusion_is_that_of_sklearn() -> None:
    confusion, all_targets, all_predictions = Confusion(7), [], []
    for count in (13, 1, 40):
        targets, predictions = classes_of(count), classes_of(count)
        confusion.update(predictions, targets)
        all_targets += targets.tolist()
        all_predictions += predictions.tolist()
    expected = confusion_matrix(all_targets, all_predictions, labels=range(7))
    assert np.array_equal(confusion.compute().numpy(), expected)
    assert confusion.compute().dtype == torch.int64


def test_void_is_left_out_of_the_confusion() -> None:
    confusion = Confusion(3, void=255)
    confusion.update(torch.tensor([[0, 1], [2, 2]]), torch.tensor([[0, 255], [255, 1]]))
    assert confusion.compute().tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_hits_are_those_of_sklearn(k: int) -> None:
    hits, all_scores, all_targets = Hits(k), [], []
    for count in (30, 7):
        scores, targets = torch.from_numpy(GENERATOR.random((count, 7))), classes_of(count)
        hits.update(scores, targets)
        all_scores.append(scores)
        all_targets.append(targets)
    expected = top_k_accuracy_score(torch.cat(all_targets), torch.cat(all_scores), k=k, labels=range(7))
    assert hits.compute() == pytest.approx(expected, rel=1e-12)


def test_hits_count_every_part_of_a_sample() -> None:
    scores, targets = torch.from_numpy(GENERATOR.random((6, 7, 4))), classes_of(24).view(6, 4)
    hits = Hits(3)
    hits.update(scores, targets)
    flat = scores.movedim(1, 2).reshape(24, 7)
    assert hits.compute() == pytest.approx(top_k_accuracy_score(targets.flatten(), flat, k=3, labels=range(7)))


MAKE: dict[str, tuple[Callable[[], Sums], Callable[[Sums, int], None]]] = {
    "loss": (
        lambda: LossMeans(["loss"]),
        lambda one, i: one.update(terms(loss=(0.1 * i, i + 1))),  # type: ignore[operator]
    ),
    "terms": (
        lambda: LossMeans(["box", "class"]),
        lambda one, i: one.update(terms(box=(0.1 * i, i + 1), **{"class": (2.0 - i, 3)})),  # type: ignore[operator]
    ),
    "confusion": (
        lambda: Confusion(4),
        lambda one, i: one.update(torch.tensor([i % 4, 3]), torch.tensor([i // 2 % 4, i % 4])),  # type: ignore[operator]
    ),
    "hits": (
        lambda: Hits(2),
        lambda one, i: one.update(torch.eye(4)[[i % 4, 1]], torch.tensor([1, i % 3])),  # type: ignore[operator]
    ),
}


@pytest.mark.parametrize("name", MAKE)
def test_sums_go_on_from_a_checkpoint(name: str) -> None:
    make, feed = MAKE[name]
    whole, first, second = make(), make(), make()
    for i in range(3):
        feed(whole, i)
        feed(first, i)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    feed(first, 7)  # what happens after a save does not change what was saved
    second.load_state_dict(torch.load(file, weights_only=True))
    for i in range(3, 6):
        feed(whole, i)
        feed(second, i)
    assert torch.equal(second.total(), whole.total())
    assert whole.total().abs().sum() > 0


def test_a_state_is_a_copy() -> None:
    hits = Hits(1)
    state = hits.state_dict()
    hits.update(torch.eye(2), torch.tensor([0, 1]))
    assert all(value.sum() == 0 for value in state.values())
    total = hits.total()
    hits.reset()
    assert total.tolist() == [2, 2]


class TwoProcesses:
    """Lets two lots of sums meet as two processes would: an all_reduce adds the other one's."""

    def __init__(self, ranks: list[Sums]) -> None:
        self.ranks = ranks
        self.rank = 0

    def all_reduce(self, sums: Tensor) -> None:
        self.ranks[1 - self.rank]._settle()
        sums += self.ranks[1 - self.rank]._sums


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[TwoProcesses]:
    make, _ = MAKE[request.param]
    both = TwoProcesses([make(), make()])
    monkeypatch.setattr(means.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(means.distributed, "get_backend", lambda: "gloo")
    monkeypatch.setattr(means.distributed, "get_rank", lambda: both.rank)
    monkeypatch.setattr(means.distributed, "all_reduce", both.all_reduce)
    yield both


@pytest.mark.parametrize(("two", "name"), [(name, name) for name in MAKE], indirect=["two"])
def test_two_processes_count_what_one_would_also_after_a_resume(two: TwoProcesses, name: str) -> None:
    make, feed = MAKE[name]
    alone = make()
    for i in range(4):
        feed(alone, i)
        feed(two.ranks[i % 2], i)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(means.distributed, "is_initialized", lambda: False)
        expected = alone.total()
    state = {}
    for two.rank in (0, 1):
        assert torch.equal(two.ranks[two.rank].total(), expected)
        state[two.rank] = two.ranks[two.rank].get_extra_state()
    two.ranks = [make(), make()]
    for two.rank in (0, 1):
        two.ranks[two.rank].set_extra_state(state[0])  # only rank 0 wrote a checkpoint
    assert torch.equal(two.ranks[two.rank].total(), expected)

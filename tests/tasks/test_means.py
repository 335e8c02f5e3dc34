"""Sums of an epoch against numpy and scikit-learn; over two processes, and through a checkpoint."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, top_k_accuracy_score
from torch import Tensor

from cnnexp.tasks import means
from cnnexp.tasks.means import Confusion, Hits, LossMeans, Sums

GENERATOR = np.random.default_rng(0)


def classes_of(count: int, classes: int = 7) -> Tensor:
    return torch.from_numpy(GENERATOR.integers(0, classes, count))


def test_loss_means_weigh_batches_by_their_count() -> None:
    losses = LossMeans(["box"])
    losses.update(torch.tensor(2.0), 3, {"box": torch.tensor(1.0)})
    losses.update(torch.tensor(5.0), torch.tensor(1), {"box": torch.tensor(9.0)})
    assert losses.compute() == {"loss": (2 * 3 + 5) / 4, "box": (3 + 9) / 4}
    losses.reset()
    losses.update(torch.tensor(1.5), 2, {})
    assert losses.compute() == {"loss": 1.5, "box": 0.0}


def test_a_batch_without_items_counts_its_sum_and_no_item() -> None:
    """Its loss is a sum divided by 1: the empty cells of a detector."""
    losses = LossMeans([])
    losses.update(torch.tensor(4.0), torch.tensor(0), {})
    losses.update(torch.tensor(2.0), torch.tensor(5), {})
    assert losses.compute() == {"loss": (4 + 2 * 5) / 5}


def test_loss_means_of_nothing_are_zero() -> None:
    assert LossMeans(["penalty"]).compute() == {"loss": 0.0, "penalty": 0.0}


def test_many_small_losses_do_not_drift() -> None:
    values = GENERATOR.random(5_000)
    losses = LossMeans([])
    for value in values:
        losses.update(torch.tensor(value, dtype=torch.float32), 100, {})
    assert losses.compute()["loss"] == pytest.approx(values.astype(np.float32).astype(np.float64).mean(), rel=1e-12)


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


MAKE: dict[str, tuple[Callable[[], Sums], Callable[[Sums, int], None]]] = {
    "loss": (
        lambda: LossMeans(["box"]),
        lambda one, i: one.update(torch.tensor(0.1 * i), i + 1, {"box": torch.tensor(2.0 - i)}),  # type: ignore[operator]
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

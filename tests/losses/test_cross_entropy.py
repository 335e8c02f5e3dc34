"""Cross entropy item by item: weights of classes, smoothing, blended samples, parts of a sample."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.losses.cross_entropy import CrossEntropy

WEIGHTS = (0.5, 2.0, 0.25)


def logits(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


def labels(*shape: int, seed: int = 1) -> Tensor:
    return torch.randint(3, shape, generator=torch.Generator().manual_seed(seed))


def assert_same(found: Tensor, expected: Tensor, of: Tensor) -> None:
    """In value and gradient."""
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, of)[0], torch.autograd.grad(expected, of)[0])


def test_it_is_a_mean_over_samples() -> None:
    answer, label = logits(8, 3), labels(8)
    term = CrossEntropy()(answer, {"label": label}, train=True)
    assert (term.name, term.count, term.judged) == ("cross_entropy", 8, True)
    assert_same(term.mean, -answer.log_softmax(1)[torch.arange(8), label].mean(), answer)


def test_it_is_a_mean_over_all_parts_of_samples() -> None:
    answer, label = logits(4, 3, 5), labels(4, 5)
    term = CrossEntropy()(answer, {"label": label}, train=True)
    assert term.count == 20
    assert_same(term.mean, -answer.log_softmax(1).gather(1, label[:, None]).mean(), answer)


@pytest.mark.parametrize("shape", [(8,), (4, 5)])
@pytest.mark.parametrize("given", [True, False])
def test_class_weights_are_those_of_torch(shape: tuple[int, ...], given: bool) -> None:
    answer, label = logits(shape[0], 3, *shape[1:]), labels(*shape)
    loss = CrossEntropy(class_weights=WEIGHTS if given else None)
    if not given:  # balanced: they are known when the data has been read
        loss.weigh(torch.tensor(WEIGHTS))
    term = loss(answer, {"label": label}, train=True)
    assert_same(term.mean, functional.cross_entropy(answer, label, torch.tensor(WEIGHTS)), answer)
    assert float(term.count) == pytest.approx(float(torch.tensor(WEIGHTS)[label].sum()), rel=1e-6)


def test_class_weights_may_be_whole_numbers() -> None:
    """A list such as [1,2,4] comes from a command line as whole numbers."""
    answer, label = logits(8, 3), labels(8)
    term = CrossEntropy(class_weights=(1, 2, 4))(answer, {"label": label}, train=True)
    assert_same(term.mean, functional.cross_entropy(answer, label, torch.tensor([1.0, 2.0, 4.0])), answer)


def test_labels_are_smoothed_in_training_only() -> None:
    answer, label = logits(8, 3), labels(8)
    loss = CrossEntropy(label_smoothing=0.3)
    target = functional.one_hot(label, 3) * 0.7 + 0.3 / 3
    assert_same(loss(answer, {"label": label}, True).mean, -(target * answer.log_softmax(1)).sum(1).mean(), answer)
    assert_same(loss(answer, {"label": label}, False).mean, functional.cross_entropy(answer, label), answer)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_blended_sample_is_of_both_classes_by_their_shares(weighted: bool) -> None:
    answer, own, other = logits(8, 3), labels(8), labels(8, seed=2)
    share = torch.linspace(0.5, 1, 8)
    truth = {"label": own, "mixed_label": other, "mix": share}
    term = CrossEntropy(class_weights=WEIGHTS if weighted else None)(answer, truth, train=True)
    weights = torch.tensor(WEIGHTS) if weighted else torch.ones(3)
    shares = share[:, None] * functional.one_hot(own, 3) + (1 - share[:, None]) * functional.one_hot(other, 3)
    expected = -(shares * weights * answer.log_softmax(1)).sum() / (shares * weights).sum()
    assert_same(term.mean, expected, answer)
    assert float(term.count) == pytest.approx(float((shares * weights).sum()), rel=1e-6)


def test_weights_are_no_part_of_a_checkpoint() -> None:
    """The configuration that is frozen has them, also where they were balanced."""
    assert CrossEntropy(class_weights=WEIGHTS).state_dict() == {}

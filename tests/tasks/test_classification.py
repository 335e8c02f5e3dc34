"""Cross entropy, accuracy and top-5 against scikit-learn; answers for people."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, top_k_accuracy_score
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.errors import RunFailed
from cnnexp.tasks.classification import Classification
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization
from tests.tasks import tiny

MANY = tuple(f"class {i}" for i in range(9))


def task(classes: tuple[str, ...] = MANY, **changes: object) -> Classification:
    parts = tiny.parts(tiny.linear_net(len(classes)), facts=tiny.facts(classes=classes), **changes)
    return tiny.alone(Classification(parts))


class WithHeads(nn.Module):
    """Logits, and in training those of two auxiliary heads."""

    def __init__(self, weight: float | None) -> None:
        super().__init__()
        self.heads = nn.ModuleList(tiny.linear_net(len(MANY)) for _ in range(3))
        for head in self.heads[1:]:
            nn.init.normal_(head[1].weight, std=0.1)  # type: ignore[index]
        if weight is not None:
            self.auxiliary_weight = weight

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        return tuple(head(x) for head in self.heads) if self.training else self.heads[0](x)


def with_heads(weight: float | None, **changes: object) -> Classification:
    return tiny.alone(Classification(tiny.parts(WithHeads(weight), facts=tiny.facts(classes=MANY), **changes)))


def labelled(count: int, seed: int) -> dict[str, torch.Tensor]:
    """Labels of all classes but the last."""
    generator = torch.Generator().manual_seed(seed)
    return {**tiny.batch(count, seed), "label": torch.randint(len(MANY) - 1, (count,), generator=generator)}


@torch.no_grad()
def test_scores_of_a_test_are_those_of_sklearn() -> None:
    classifying, batches = task(), [labelled(30, 1), labelled(11, 2)]
    for batch in batches:
        classifying.test_step(batch, 0)
    classifying.on_test_epoch_end()
    targets = torch.cat([batch["label"] for batch in batches]).numpy()
    scores = np.concatenate([classifying.predict(classifying.prepare(batch, False)["image"]) for batch in batches])
    results = classifying.results
    assert results["test/accuracy"] == pytest.approx(accuracy_score(targets, scores.argmax(1)))
    assert results["test/top5"] == pytest.approx(top_k_accuracy_score(targets, scores, k=5, labels=range(9)))
    assert 0 < results["test/accuracy"] < results["test/top5"] < 1
    matrix = confusion_matrix(targets, scores.argmax(1), labels=range(9))
    assert np.array_equal(classifying.tables["confusion"], matrix)
    recalls = np.array(classifying.vectors["test/accuracy"])
    assert recalls[:8] == pytest.approx(matrix.diagonal()[:8] / matrix.sum(1)[:8])
    assert np.isnan(recalls[8]), "a class without a sample has no accuracy"
    assert results["test/loss"] == pytest.approx(-np.log(scores[np.arange(41), targets]).mean(), rel=1e-5)


def test_top5_is_not_shown_where_it_says_nothing() -> None:
    few = task(tiny.CLASSES)
    with torch.no_grad():
        few.validation_step(tiny.batch(4), 0)
    few.read("val")
    assert set(few.results) == {"val/loss", "val/accuracy"}


def test_labels_are_smoothed_in_training_only() -> None:
    smoothed, batch = task(regularization=Regularization(Penalty(0.0, 0.0), label_smoothing=0.2)), labelled(16, 0)
    image = smoothed.prepare(batch, train=False)["image"]
    log_probability = smoothed.net(image).log_softmax(1)
    target = functional.one_hot(batch["label"], 9) * 0.8 + 0.2 / 9
    expected = -(target * log_probability).sum(1).mean()
    plain = -log_probability[torch.arange(16), batch["label"]].mean()
    with torch.no_grad():
        torch.testing.assert_close(smoothed.step(smoothed.prepare(batch, True), "train").loss, expected.detach())
        for stage in ("val", "test"):
            torch.testing.assert_close(smoothed._evaluate(batch, stage)[1].loss, plain.detach())
    assert abs(float((expected - plain).detach())) > 1e-3


def test_a_prediction_is_a_probability_for_each_class() -> None:
    classifying = task()
    image = classifying.prepare(tiny.batch(4), train=False)["image"]
    found = classifying.predict(image)
    assert [one.shape for one in found] == [(9,)] * 4
    assert all(one.sum() == pytest.approx(1, abs=1e-6) and one.min() > 0 for one in found)
    assert np.stack(found).argmax(1).tolist() == classifying.net(image).argmax(1).tolist()


def test_an_answer_names_the_five_best_classes() -> None:
    probability = np.array([0.05, 0.3, 0.01, 0.4, 0.02, 0.1, 0.07, 0.03, 0.02], dtype=np.float32)
    answer = task().answer(probability, np.zeros((8, 8, 1), np.uint8))
    assert (answer["label"], answer["probability"]) == ("class 3", 0.4)
    assert [one["label"] for one in answer["top"]] == ["class 3", "class 1", "class 5", "class 6", "class 0"]
    few = task(tiny.CLASSES).answer(np.array([0.2, 0.7, 0.1]), np.zeros((8, 8, 1), np.uint8))
    assert [one["label"] for one in few["top"]] == ["bee", "ant", "cat"]


def test_a_wrong_prediction_is_drawn_otherwise_than_a_right_one() -> None:
    picture, probability = np.full((8, 8, 1), 90, np.uint8), np.array([0.2, 0.7, 0.1])
    truths = [None, {"label": torch.tensor([1])}, {"label": torch.tensor([2])}]
    unknown, right, wrong = (task(tiny.CLASSES).image(picture, probability, truth) for truth in truths)
    assert min(unknown.size) > 64
    assert unknown.tobytes() == right.tobytes() != wrong.tobytes()


@pytest.mark.parametrize("accumulate", [1, 3])
def test_auxiliary_heads_are_learnt_by_their_weight_and_logged_apart(accumulate: int) -> None:
    several, batch = with_heads(0.3, accumulate=accumulate), labelled(16, 0)
    prepared = several.prepare(batch, train=True)
    losses = [functional.cross_entropy(answer, batch["label"]) for answer in several.net(prepared["image"])]
    parameters = list(several.net.parameters())
    expected = torch.autograd.grad(losses[0] + 0.3 * (losses[1] + losses[2]), parameters)
    several.optimize(prepared)
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    several.read("train")
    values = [float(loss.detach()) for loss in losses]
    assert several.results["train/loss"] == pytest.approx(values[0], rel=1e-5)
    assert several.results["train/auxiliary_loss"] == pytest.approx(0.3 * (values[1] + values[2]), rel=1e-5)
    assert several.auxiliaries is not None and several.auxiliaries.total().sum() == 0, "a new epoch begins empty"


@torch.no_grad()
def test_evaluation_knows_no_auxiliary_heads() -> None:
    several = with_heads(0.3).eval()
    several.validation_step(labelled(16, 0), 0)
    several.read("val")
    assert set(several.results) == {"val/loss", "val/accuracy", "val/top5"}


def test_auxiliary_heads_without_a_weight_are_refused() -> None:
    several = with_heads(None)
    with pytest.raises(RunFailed, match=r"2 tensors behind its logits.*auxiliary_weight"):
        several.optimize(several.prepare(labelled(4, 0), train=True))

"""Cross entropy, accuracy and top-5 against scikit-learn; auxiliary heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, top_k_accuracy_score
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.answers.label import Label
from cnnexp.data.facts import Facts
from cnnexp.errors import RunFailed
from cnnexp.fit.module import TaskModule
from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.tasks.classification import Classification
from tests.tasks import tiny

MANY = tuple(f"class {i}" for i in range(9))


def classifying(classes: tuple[str, ...] = MANY, **changes: object) -> TaskModule:
    return tiny.alone(tiny.module(Classification, tiny.linear_net(len(classes)), facts=named(classes), **changes))


def named(classes: tuple[str, ...]) -> Facts:
    return tiny.facts(targets={"label": Label(classes)})


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


def with_heads(weight: float | None, **changes: object) -> TaskModule:
    return tiny.alone(tiny.module(Classification, WithHeads(weight), facts=named(MANY), **changes))


def labelled(count: int, seed: int) -> dict[str, torch.Tensor]:
    """Labels of all classes but the last."""
    generator = torch.Generator().manual_seed(seed)
    return {**tiny.batch(count, seed), "label": torch.randint(len(MANY) - 1, (count,), generator=generator)}


@torch.no_grad()
def test_scores_of_a_test_are_those_of_sklearn() -> None:
    made, batches = classifying(), [labelled(30, 1), labelled(11, 2)]
    for batch in batches:
        made.test_step(batch, 0)
    made.on_test_epoch_end()
    targets = torch.cat([batch["label"] for batch in batches]).numpy()
    scores = np.concatenate([made.task.predict(made.task.prepare(batch, False)) for batch in batches])
    results = made.results
    assert results["test/accuracy"] == pytest.approx(accuracy_score(targets, scores.argmax(1)))
    assert results["test/top5"] == pytest.approx(top_k_accuracy_score(targets, scores, k=5, labels=range(9)))
    assert 0 < results["test/accuracy"] < results["test/top5"] < 1
    matrix = confusion_matrix(targets, scores.argmax(1), labels=range(9))
    assert np.array_equal(made.tables["confusion"], matrix)
    recalls = np.array(made.vectors["test/accuracy"])
    assert recalls[:8] == pytest.approx(matrix.diagonal()[:8] / matrix.sum(1)[:8])
    assert np.isnan(recalls[8]), "a class without a sample has no accuracy"
    assert results["test/loss"] == pytest.approx(-np.log(scores[np.arange(41), targets]).mean(), rel=1e-5)


def test_top5_is_not_shown_where_it_says_nothing() -> None:
    few = classifying(tiny.CLASSES)
    with torch.no_grad():
        few.validation_step(tiny.batch(4), 0)
    few.read("val")
    assert set(few.results) == {"val/loss", "val/accuracy"}


def test_labels_are_smoothed_in_training_only() -> None:
    smoothed, batch = classifying(loss=CrossEntropy(label_smoothing=0.2)), labelled(16, 0)
    image = smoothed.task.prepare(batch, train=False)["image"]
    log_probability = smoothed.net(image).log_softmax(1)
    target = functional.one_hot(batch["label"], 9) * 0.8 + 0.2 / 9
    expected = -(target * log_probability).sum(1).mean()
    plain = -log_probability[torch.arange(16), batch["label"]].mean()
    with torch.no_grad():
        learnt = smoothed.task.step(smoothed.task.prepare(batch, True), "train")
        torch.testing.assert_close(learnt.loss, expected.detach())
        for stage in ("val", "test"):
            torch.testing.assert_close(smoothed._evaluate(batch, stage)[1].loss, plain.detach())  # type: ignore[arg-type]
    assert abs(float((expected - plain).detach())) > 1e-3


def test_a_prediction_is_a_probability_for_each_class() -> None:
    task = tiny.task(Classification, tiny.linear_net(len(MANY)), facts=named(MANY))
    prepared = task.prepare(tiny.batch(4), train=False)
    found = task.predict(prepared)
    assert [one.shape for one in found] == [(9,)] * 4
    assert all(one.sum() == pytest.approx(1, abs=1e-6) and one.min() > 0 for one in found)
    assert np.stack(found).argmax(1).tolist() == task.net(prepared["image"]).argmax(1).tolist()


class Parts(nn.Module):
    """Logits (B, 3, 8) of each column of a picture."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Conv2d(1, 3, (tiny.SIDE, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).flatten(2)


def columnwise(count: int, seed: int) -> dict[str, Tensor]:
    label = torch.randint(3, (count, tiny.SIDE), generator=torch.Generator().manual_seed(seed))
    return {**tiny.batch(count, seed), "label": label}


@torch.no_grad()
def test_a_class_for_each_part_of_a_sample() -> None:
    made, batches = tiny.alone(tiny.module(Classification, Parts())), [columnwise(6, 1), columnwise(3, 2)]
    batches[1]["index"] += 6
    for batch in batches:
        made.test_step(batch, 0)
    made.on_test_epoch_end()
    targets = torch.cat([batch["label"] for batch in batches]).numpy()
    scores = np.stack([one for batch in batches for one in made.task.predict(made.task.prepare(batch, False))])
    best = scores.argmax(1)
    assert scores.shape == (9, 3, 8) and scores.sum(1) == pytest.approx(1, abs=1e-6)
    assert made.results["test/accuracy"] == pytest.approx(accuracy_score(targets.ravel(), best.ravel()))
    assert np.array_equal(made.tables["confusion"], confusion_matrix(targets.ravel(), best.ravel()))
    surprise = -np.log(np.take_along_axis(scores, targets[:, None], 1))
    assert made.results["test/loss"] == pytest.approx(surprise.mean(), rel=1e-5)
    rows = made.predictions
    assert (
        rows["index"].tolist() == [i for i in range(9) for _ in range(8)] and rows["part"].tolist() == [*range(8)] * 9
    )
    assert rows["target"].tolist() == targets.ravel().tolist() and rows["prediction"].tolist() == best.ravel().tolist()
    assert rows["probability"] == pytest.approx(scores.max(1).ravel(), rel=1e-5)
    counts = made.task.outcomes(made.task.step(made.task.prepare(batches[0], False), "test"))
    assert counts.tolist() == [[int(right), 8] for right in (best == targets)[:6].sum(1)]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_auxiliary_heads_are_learnt_by_their_weight_and_logged_apart(accumulate: int) -> None:
    several, batch = with_heads(0.3, accumulate=accumulate), labelled(16, 0)
    prepared = several.task.prepare(batch, train=True)
    losses = [functional.cross_entropy(answer, batch["label"]) for answer in several.net(prepared["image"])]
    parameters = list(several.net.parameters())
    expected = torch.autograd.grad(losses[0] + 0.3 * (losses[1] + losses[2]), parameters)
    several.training_step(batch, 0)
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
        several.training_step(labelled(4, 0), 0)


def test_data_of_fewer_classes_is_scored_over_all_outputs_and_over_its_own() -> None:
    """By hand: seven classes, of which the data has 1, 3 and 5."""
    facts = replace(named(MANY[:7]), shown=(1, 3, 5))
    task = tiny.task(Classification, tiny.linear_net(7), facts=facts)
    logits = torch.tensor(
        [
            [0.0, 9, 8, 7, 1, 2, 3],  # 1 is first of all
            [9.0, 1, 8, 7, 6, 5, 4],  # 3 is third of all, first of the three
            [9.0, 8, 7, 6, 5, 1, 4],  # 5 is last of all and of the three
        ]
    )
    batch = {**tiny.batch(3), "label": torch.tensor([1, 3, 5])}
    output, metrics = task.judge(logits, batch, "test"), task.build_metrics("test")
    task.update_metrics(metrics, output)
    values = task.read_metrics(metrics, "test").values
    assert set(values) == {"accuracy", "top5", "accuracy_of_3"}, "five of three classes would always be right"
    assert values["accuracy"] == pytest.approx(1 / 3) and values["accuracy_of_3"] == pytest.approx(2 / 3)
    assert values["top5"] == pytest.approx(2 / 3)
    assert "accuracy_of_3" not in task.build_metrics("train")

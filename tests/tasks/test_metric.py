"""Embeddings: what a step minimises, what a validation decides, and what pairs of a test come to."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from cnnexp.answers.identity import Identity
from cnnexp.errors import InputError
from cnnexp.losses.arcface import Arcface
from cnnexp.losses.triplet import Triplet
from cnnexp.tasks.metric import KNOWN, MetricLearning
from cnnexp.tasks.output import StepOutput
from cnnexp.tasks.pixel_rows import LARGEST_PX, rows_of_pixels
from tests.tasks import tiny

IDENTITY = Identity(tiny.CLASSES, trained=("ant", "cat"))
FACTS = replace(tiny.facts(), targets={"identity": IDENTITY})


def made(loss: Any = None, facts: Any = FACTS, false_accepts: float | None = None, size: int = 4) -> MetricLearning:
    loss = loss or Triplet(mining="all", margin=0.2, squared=True)
    parts = tiny.parts(MetricLearning, tiny.linear_net(size), facts=facts, loss=loss, target="identity")
    return MetricLearning(parts, embedding=size, false_accepts=false_accepts)


def rows(count: int, size: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings near one direction for each label."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(3, (count,), generator=generator)
    near = torch.randn(3, size, generator=generator)[label] + torch.randn(count, size, generator=generator)
    return torch.nn.functional.normalize(near, dim=1), label


def read(task: MetricLearning, stage: Any, embedding: torch.Tensor, label: torch.Tensor, order: Any = None) -> Any:
    """The readings of a stage, fed in two batches."""
    metrics, index = task.build_metrics(stage), torch.arange(len(label))
    places = index if order is None else order
    for part in (places[:7], places[7:]):
        task.update_metrics(metrics, StepOutput([], embedding[part], (index[part], label[part])))
    return task.read_metrics(metrics, stage)


def test_a_step_minimises_the_loss_of_directions_by_numbers_among_the_trained() -> None:
    torch.manual_seed(0)
    loss = Arcface(num_classes=2, embedding=4, margin=0.5, scale=10.0)
    task, given = made(loss), tiny.batch(6)
    given = task.prepare({**given, "label": torch.tensor([0, 2, 2, 0, 2, 0])}, True, 0)
    output = task.step(given, "train")
    expected = loss(task.embedded(task.net(given["image"])), {"identity": torch.tensor([0, 1, 1, 0, 1, 0])}, True)
    torch.testing.assert_close(output.loss, expected.mean)
    assert MetricLearning.num_outputs(FACTS, "identity") == 2, "the loss has a direction for each that is trained on"
    assert task.step(given, "val").terms == [], "of identities never met there is no loss"


def test_embeddings_have_length_1_and_are_what_is_predicted() -> None:
    task = made()
    given = task.prepare(tiny.batch(5), False)
    found = np.stack(task.predict(given))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(found, task.rows(given, task.step(given, "test"))["embedding"])


def test_scores_are_those_of_all_pairs_whatever_the_order() -> None:
    task, (embedding, label) = made(), rows(40)
    found = read(task, "val", embedding, label)
    first, second = np.triu_indices(40, 1)
    similar = (embedding @ embedding.T).double().numpy()[first, second]
    same = (label[first] == label[second]).numpy()
    assert found.values["auc"] == pytest.approx(roc_auc_score(same, similar), abs=1e-6)
    threshold = found.values["threshold"]
    right = ((similar >= threshold)[same].mean() + (similar < threshold)[~same].mean()) / 2
    assert found.values["accuracy"] == pytest.approx(right, abs=1e-9)
    assert found.counts["pairs"] == {"of one identity": int(same.sum()), "of two": int((~same).sum())}
    other = read(made(), "val", embedding, label, torch.randperm(40))
    assert dict(other.values) == dict(found.values)


def test_the_test_goes_by_the_threshold_of_the_validation() -> None:
    task = made()
    validation = read(task, "val", *rows(40))
    kept = task.decided.threshold
    assert kept is not None and kept.similarity == validation.values["threshold"]
    assert (kept.false_accepts, kept.false_rejects) == (
        validation.values["false_accepts"], validation.values["false_rejects"],
    )  # fmt: skip
    test = read(task, "test", *rows(40, seed=5))
    assert test.values["threshold"] == kept.similarity and task.decided.threshold == kept
    fresh = read(made(), "test", *rows(40, seed=5))
    assert "accuracy" not in fresh.values and fresh.values["auc"] == test.values["auc"], "none was chosen for it"


def test_a_threshold_by_false_accepts_keeps_to_them() -> None:
    found = read(made(false_accepts=0.05), "val", *rows(60)).values
    assert found["false_accepts"] <= 0.05 < read(made(), "val", *rows(60)).values["false_accepts"]


def test_a_threshold_lies_with_the_weights() -> None:
    task, other = made(), made()
    assert other.decided.threshold is None
    read(task, "val", *rows(40))
    other.decided.load_state_dict(task.decided.state_dict())
    assert other.decided.threshold == task.decided.threshold


def test_identities_of_the_test_that_were_trained_on_are_told() -> None:
    embedding, label = rows(40)
    found = read(made(), "test", embedding, label)
    assert found.counts["identities of the test"] == {"never trained on": 1, "trained on": 2} and found.remark == KNOWN
    never = replace(FACTS, targets={"identity": Identity(tiny.CLASSES, trained=("dog", "eel"))})
    assert read(made(facts=never), "test", embedding, label).remark is None


def test_a_few_batches_without_pairs_have_no_scores() -> None:
    task = made()
    assert dict(read(task, "val", rows(8)[0], torch.zeros(8, dtype=torch.int64)).values) == {}
    assert task.decided.threshold is None


def test_pixels_are_cosines_of_prepared_pictures() -> None:
    task, data = made(), tiny_data()
    found, label = rows_of_pixels(task, data, "test")
    assert found.shape == (12, tiny.SIDE**2)
    picture = (tiny.samples(12)["image"].float() / 255 - 0.4) / 0.2
    np.testing.assert_allclose(found, torch.nn.functional.normalize(picture.flatten(1), dim=1), rtol=1e-5)
    reference = task.reference(data)
    first, second = np.triu_indices(12, 1)
    same = label[first] == label[second]
    expected = roc_auc_score(same, (found.astype(float) @ found.T.astype(float))[first, second])
    assert reference["pixels_auc"] == pytest.approx(expected, abs=1e-9)
    assert set(reference) == {"pixels_auc", "pixels_recall_at_1"}


def test_large_pictures_are_averaged_down_first() -> None:
    image = torch.rand(3, 2, 70, 20)
    task = SimpleNamespace(
        preparation=lambda batch, train, epoch: batch,
        facts=SimpleNamespace(input=SimpleNamespace(arguments=lambda batch: (batch["image"],))),
    )
    split = SimpleNamespace(batch=lambda places: {"image": image[places], "label": places}, __len__=lambda: 3)
    data: Any = SimpleNamespace(split=lambda name: _Split(split.batch))
    found, _ = rows_of_pixels(task, data, "test")  # type: ignore[arg-type]
    assert found.shape == (3, 2 * LARGEST_PX * 20)


class _Split:
    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return 3


def tiny_data() -> Any:
    """Twelve random pictures to test."""
    given = tiny.samples(12)
    split = tiny.TensorSplit({"image": given["image"], "label": given["label"]})
    return SimpleNamespace(split=lambda name: split)


def test_a_test_is_drawn() -> None:
    task, data = made(), tiny_data()
    given = {**data.split("test").batch(range(12))}
    read(task, "val", *rows(40))
    output = task.step(task.prepare(given, False), "test")
    found = task.gallery(data, task.rows(given, output))
    assert set(found) == {"roc", "mistaken_pairs", "embeddings"}
    assert all(min(image.size) > 200 for image in found.values())
    nobody = {**task.rows(given, output), "target": np.zeros(12, np.int64)}
    assert task.gallery(data, nobody) == {}


def test_one_number_and_many_answers_are_refused() -> None:
    with pytest.raises(InputError, match=r"task\.embedding=1: of one number all directions are two"):
        made(size=1)
    with pytest.raises(InputError, match="an embedding is one row of numbers"):
        made().embedded(torch.zeros(2, 3, 4, 4))

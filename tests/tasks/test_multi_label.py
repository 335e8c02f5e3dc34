"""Binary cross entropy and scores of several labels against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, hamming_loss
from torch.nn import functional

from cnnexp.answers.boxes import Boxes
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.data.facts import Facts
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.multi_label import MultiLabel
from tests.tasks import tiny

FIVE = ("ant", "bee", "cat", "dog", "emu")


def named(classes: tuple[str, ...]) -> Facts:
    return tiny.facts(targets={"boxes": Boxes(classes)})


def labelling(classes: tuple[str, ...] = FIVE, **changes: object) -> TaskModule:
    return tiny.alone(tiny.module(MultiLabel, tiny.linear_net(len(classes)), facts=named(classes), **changes))


def scenes(count: int, seed: int) -> dict[str, torch.Tensor]:
    """Up to six objects of all classes but the last, some of them twice."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randint(-1, len(FIVE) - 1, (count, 6), generator=generator)
    return {**tiny.batch(count, seed), "boxes": torch.zeros(count, 6, 4), "classes": classes}


def truth(batch: dict[str, torch.Tensor]) -> np.ndarray:
    found = [[name in row for name in range(len(FIVE))] for row in batch["classes"].tolist()]
    return np.array(found, dtype=int)


def test_a_class_is_there_when_a_box_of_it_is_however_many() -> None:
    batch = {**tiny.batch(3), "classes": torch.tensor([[2, 2, 0], [NO_CLASS] * 3, [1, NO_CLASS, 1]])}
    task = labelling(tiny.CLASSES).task
    output = task.step(task.prepare(batch, train=False), "val")
    assert output.targets.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    labelled = {name: value for name, value in tiny.batch(3).items() if name != "classes"}
    one_each = task.step(task.prepare(labelled, train=False), "val").targets
    assert one_each.argmax(1).tolist() == labelled["label"].tolist() and one_each.sum(1).tolist() == [1, 1, 1]


@torch.no_grad()
def test_scores_of_a_test_are_those_of_sklearn() -> None:
    several, batches = labelling(), [scenes(30, 1), scenes(11, 2)]
    batches[0]["classes"][:7] = NO_CLASS
    for row, found in enumerate(several.task.predict(several.task.prepare(batches[0], False))[:7]):
        named = torch.from_numpy(np.flatnonzero(found[:4] >= 0.5))
        batches[0]["classes"][row, : len(named)] = named  # of these pictures most are right as a whole
    for batch in batches:
        several.test_step(batch, 0)
    several.on_test_epoch_end()
    shown = np.concatenate([truth(batch) for batch in batches])
    found = np.concatenate([several.task.predict(several.task.prepare(batch, False)) for batch in batches])
    named = (found >= 0.5).astype(int)
    results = several.results
    precision = [average_precision_score(shown[:, i], found[:, i]) for i in range(4)]
    assert several.vectors["test/map"][:4] == pytest.approx(precision, rel=1e-5)
    assert np.isnan(several.vectors["test/map"][4]), "of a class that is nowhere nothing can be found"
    assert results["test/map"] == pytest.approx(np.mean(precision), rel=1e-5)
    met = (shown + named).any(0)
    assert results["test/f1"] == pytest.approx(f1_score(shown[:, met], named[:, met], average="macro"))
    assert results["test/accuracy"] == pytest.approx(1 - hamming_loss(shown, named))
    assert results["test/exact"] == pytest.approx(accuracy_score(shown, named))
    assert 0 < results["test/exact"] < results["test/accuracy"] < 1
    entropy = functional.binary_cross_entropy(torch.tensor(found), torch.tensor(shown, dtype=torch.float32))
    assert results["test/loss"] == pytest.approx(float(entropy), rel=1e-5)
    assert several.predictions["label_accuracy"].mean() == pytest.approx(results["test/accuracy"])
    exact = several.predictions["targets"] == several.predictions["predictions"]
    assert exact.mean() == pytest.approx(results["test/exact"])


def test_it_learns_which_corners_are_light() -> None:
    """Each class is a light corner of its own; all sixteen combinations occur."""
    several = labelling(FIVE[:4], optimizer=lambda groups: torch.optim.Adam(groups, lr=0.03))
    there = (torch.arange(16)[:, None] >> torch.arange(4) & 1).bool()
    image = torch.full((16, 1, tiny.SIDE, tiny.SIDE), 20, dtype=torch.uint8)
    half = tiny.SIDE // 2
    for name, (top, left) in enumerate([(0, 0), (0, half), (half, 0), (half, half)]):
        image[there[:, name], 0, top : top + half, left : left + half] = 220
    classes = torch.where(there, torch.arange(4), NO_CLASS)
    batch = {"image": image, "classes": classes, "boxes": torch.zeros(16, 4, 4), "index": torch.arange(16)}
    for _ in range(60):
        several.training_step(batch, 0)
    several.read("train")
    with torch.no_grad():
        several.validation_step(batch, 0)
        several.read("val")
    assert several.results["val/exact"] == several.results["val/map"] == several.results["val/f1"] == 1

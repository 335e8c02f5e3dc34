"""Pixel accuracy, mean IoU and Dice by hand and against torchmetrics; void takes no part."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score, MulticlassJaccardIndex

from cnnexp.data.base import VOID
from cnnexp.tasks.segmentation import Segmentation, sized
from tests.tasks import tiny


class Saying(nn.Module):
    """Answers with given classes, whatever it is asked."""

    def __init__(self, classes: Tensor, count: int) -> None:
        super().__init__()
        self.logits = 9.0 * nn.functional.one_hot(classes.long(), count).permute(0, 3, 1, 2)
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.float() + self.weight


def said(prediction: Tensor, mask: Tensor, names: tuple[str, ...] = tiny.MASK_CLASSES) -> Segmentation:
    """The task after a test of one batch."""
    task = Segmentation(tiny.parts(Saying(prediction, len(names)), facts=tiny.facts(mask_classes=names)))
    task.trainer = SimpleNamespace(world_size=1, current_epoch=0)  # type: ignore[assignment]
    image = torch.zeros(len(mask), 1, *mask.shape[1:], dtype=torch.uint8)
    with torch.no_grad():
        task.test_step({"image": image, "mask": mask, "index": torch.arange(len(mask))}, 0)
    task.on_test_epoch_end()
    return task


# nine pixels that count: background 3 of 4 found, leaf 2 of 3, stem 1 of 2
MASK = torch.tensor([[[0, 0, 0, 0], [1, 1, 1, VOID], [2, 2, VOID, VOID]]], dtype=torch.uint8)
PREDICTION = torch.tensor([[[0, 0, 0, 1], [1, 1, 2, 0], [2, 0, 1, 2]]])


def test_scores_of_a_small_picture_by_hand() -> None:
    task = said(PREDICTION, MASK)
    assert task.results["test/pixel_accuracy"] == pytest.approx(6 / 9)
    # IoU: hits over pixels that are the class in mask or prediction
    assert task.vectors["test/iou"] == pytest.approx([3 / 5, 2 / 4, 1 / 3])
    assert task.results["test/miou"] == pytest.approx((3 / 5 + 2 / 4 + 1 / 3) / 3)
    assert task.vectors["test/dice"] == pytest.approx([6 / 8, 4 / 6, 2 / 4])
    assert task.results["test/dice"] == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert task.tables["confusion"].tolist() == [[3, 1, 0], [0, 2, 1], [1, 0, 1]]


def test_only_a_class_named_background_is_left_out_of_dice() -> None:
    task = said(PREDICTION, MASK, ("cell", "leaf", "stem"))
    assert task.results["test/dice"] == pytest.approx((6 / 8 + 4 / 6 + 2 / 4) / 3)


def test_a_class_that_never_occurs_is_left_out_of_the_means() -> None:
    task = said(PREDICTION, MASK, (*tiny.MASK_CLASSES, "root"))
    assert task.results["test/miou"] == pytest.approx((3 / 5 + 2 / 4 + 1 / 3) / 3)
    assert task.results["test/dice"] == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert np.isnan(task.vectors["test/iou"][3])


@pytest.mark.parametrize("void", [0.0, 0.4])
def test_scores_are_those_of_torchmetrics(void: float) -> None:
    mask = tiny.samples(6, seed=4, void=void)["mask"]
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(mask.shape, generator=generator) < 0.3
    prediction = torch.where(noise | (mask == VOID), torch.randint(3, mask.shape, generator=generator), mask.long())
    found = said(prediction, mask, ("soil", "leaf", "stem")).results
    given = {"num_classes": 3, "ignore_index": VOID}
    for name, metric in {
        "miou": MulticlassJaccardIndex(average="macro", **given),  # type: ignore[arg-type]
        "dice": MulticlassF1Score(average="macro", **given),  # type: ignore[arg-type]
        "pixel_accuracy": MulticlassAccuracy(average="micro", **given),  # type: ignore[arg-type]
    }.items():
        assert found[f"test/{name}"] == pytest.approx(float(metric(prediction, mask.long())), rel=1e-5), name


def test_the_loss_is_a_mean_over_the_pixels_that_are_not_void() -> None:
    task = said(PREDICTION, MASK)
    losses = -task.net(torch.zeros(1, 1, 3, 4)).detach().log_softmax(1)
    counted = [losses[0, int(MASK[0, y, x]), y, x] for y in range(3) for x in range(4) if MASK[0, y, x] != VOID]
    assert task.results["test/loss"] == pytest.approx(float(torch.stack(counted).mean()), rel=1e-6)


def test_a_picture_of_nothing_but_void_has_no_loss() -> None:
    task = said(PREDICTION, torch.full_like(MASK, VOID))
    assert task.results["test/loss"] == 0.0
    assert task.results["test/pixel_accuracy"] == 0.0
    assert task.predictions["pixel_accuracy"].tolist() == [0.0]


def test_a_row_for_each_picture() -> None:
    masks, predictions = torch.cat([MASK, MASK.flip(0) * 0]), torch.cat([PREDICTION, PREDICTION])
    rows = said(predictions, masks).predictions
    assert rows["index"].tolist() == [0, 1]
    assert rows["pixels"].tolist() == [9, 12]
    assert rows["pixel_accuracy"] == pytest.approx([6 / 9, int((PREDICTION == 0).sum()) / 12])
    assert rows["mask"].dtype == np.uint8 and np.array_equal(rows["mask"], predictions.numpy())


def test_prediction_and_answer_say_how_much_of_a_picture_each_class_covers() -> None:
    task = said(PREDICTION, MASK)
    (prediction,) = task.predict(torch.zeros(1, 1, 3, 4))
    assert prediction.dtype == np.uint8 and np.array_equal(prediction, PREDICTION[0].numpy())
    areas = task.answer(prediction, np.zeros((3, 4, 1), np.uint8))["area"]
    assert areas == pytest.approx({"background": 5 / 12, "leaf": 4 / 12, "stem": 3 / 12}, abs=1e-6)
    assert set(task.answer(np.full((3, 4), 2, np.uint8), np.zeros((3, 4, 1), np.uint8))["area"]) == {"stem"}


def test_a_mask_is_drawn_at_the_size_of_its_picture() -> None:
    task, picture = said(PREDICTION, MASK), np.full((96, 128, 3), 200, np.uint8)
    mask = PREDICTION[0].numpy().astype(np.uint8)
    assert np.array_equal(sized(mask, picture), mask.repeat(32, 0).repeat(32, 1))
    assert sized(mask, np.zeros((3, 4, 1), np.uint8)) is mask
    alone = task.image(picture, mask)
    beside = task.image(picture, mask, {"mask": torch.zeros(1, 96, 128, dtype=torch.uint8)})
    assert alone.width >= 128 and alone.height >= 96
    assert beside.width > alone.width

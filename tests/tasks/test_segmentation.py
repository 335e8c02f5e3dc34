"""Pixel accuracy, mean IoU and Dice by hand and against torchmetrics; void takes no part."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score, MulticlassJaccardIndex

from cnnexp.answers.mask import Mask
from cnnexp.augmentation.motion import VOID
from cnnexp.errors import InputError
from cnnexp.fit.module import TaskModule
from cnnexp.losses.border_weighted import BorderWeighted
from cnnexp.losses.dice import Dice
from cnnexp.models.unet import UNet
from cnnexp.tasks.segmentation import Segmentation
from tests.tasks import tiny


class Saying(nn.Module):
    """Answers with given classes, whatever it is asked."""

    def __init__(self, classes: Tensor, count: int) -> None:
        super().__init__()
        self.logits = 9.0 * nn.functional.one_hot(classes.long(), count).permute(0, 3, 1, 2)
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.float() + self.weight


def said(prediction: Tensor, mask: Tensor, names: tuple[str, ...] = tiny.MASK_CLASSES) -> TaskModule:
    """The module after a test of one batch."""
    facts = tiny.facts(image_size=tuple(mask.shape[1:]), targets={"mask": Mask(names)})
    made = TaskModule(tiny.task(Segmentation, Saying(prediction, len(names)), facts=facts))
    made.trainer = SimpleNamespace(world_size=1, current_epoch=0)  # type: ignore[assignment]
    image = torch.zeros(len(mask), 1, *mask.shape[1:], dtype=torch.uint8)
    with torch.no_grad():
        made.test_step({"image": image, "mask": mask, "index": torch.arange(len(mask))}, 0)
    made.on_test_epoch_end()
    return made


# nine pixels that count: background 3 of 4 found, leaf 2 of 3, stem 1 of 2
MASK = torch.tensor([[[0, 0, 0, 0], [1, 1, 1, VOID], [2, 2, VOID, VOID]]], dtype=torch.uint8)
PREDICTION = torch.tensor([[[0, 0, 0, 1], [1, 1, 2, 0], [2, 0, 1, 2]]])


def test_scores_of_a_small_picture_by_hand() -> None:
    made = said(PREDICTION, MASK)
    assert made.results["test/pixel_accuracy"] == pytest.approx(6 / 9)
    # IoU: hits over pixels that are the class in mask or prediction
    assert made.vectors["test/iou"] == pytest.approx([3 / 5, 2 / 4, 1 / 3])
    assert made.results["test/miou"] == pytest.approx((3 / 5 + 2 / 4 + 1 / 3) / 3)
    assert made.vectors["test/dice"] == pytest.approx([6 / 8, 4 / 6, 2 / 4])
    assert made.results["test/dice"] == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert made.tables["confusion"].tolist() == [[3, 1, 0], [0, 2, 1], [1, 0, 1]]


def test_only_a_class_named_background_is_left_out_of_dice() -> None:
    made = said(PREDICTION, MASK, ("cell", "leaf", "stem"))
    assert made.results["test/dice"] == pytest.approx((6 / 8 + 4 / 6 + 2 / 4) / 3)


def test_a_class_that_never_occurs_is_left_out_of_the_means() -> None:
    made = said(PREDICTION, MASK, (*tiny.MASK_CLASSES, "root"))
    assert made.results["test/miou"] == pytest.approx((3 / 5 + 2 / 4 + 1 / 3) / 3)
    assert made.results["test/dice"] == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert np.isnan(made.vectors["test/iou"][3])


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
    made = said(PREDICTION, MASK)
    losses = -made.net(torch.zeros(1, 1, 3, 4)).detach().log_softmax(1)
    counted = [losses[0, int(MASK[0, y, x]), y, x] for y in range(3) for x in range(4) if MASK[0, y, x] != VOID]
    assert made.results["test/loss"] == pytest.approx(float(torch.stack(counted).mean()), rel=1e-6)


def test_a_picture_of_nothing_but_void_has_no_loss() -> None:
    made = said(PREDICTION, torch.full_like(MASK, VOID))
    assert made.results["test/loss"] == 0.0
    assert made.results["test/pixel_accuracy"] == 0.0
    assert made.predictions["pixel_accuracy"].tolist() == [0.0]


def test_a_row_for_each_picture() -> None:
    masks, predictions = torch.cat([MASK, MASK.flip(0) * 0]), torch.cat([PREDICTION, PREDICTION])
    rows = said(predictions, masks).predictions
    assert rows["index"].tolist() == [0, 1]
    assert rows["pixels"].tolist() == [9, 12]
    assert rows["pixel_accuracy"] == pytest.approx([6 / 9, int((PREDICTION == 0).sum()) / 12])
    assert rows["mask"].dtype == np.uint8 and np.array_equal(rows["mask"], predictions.numpy())


def test_a_prediction_is_the_class_of_each_pixel() -> None:
    task = said(PREDICTION, MASK).task
    (prediction,) = task.predict({"image": torch.zeros(1, 1, 3, 4)})
    assert prediction.dtype == np.uint8 and np.array_equal(prediction, PREDICTION[0].numpy())


class Windowed(nn.Module):
    """Learns from the first row of each picture, and notes the draws."""

    takes = ("draws",)

    def __init__(self) -> None:
        super().__init__()
        self.net, self.seen = tiny.pixel_net(), []

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def drawn(self, x: Tensor, mask: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        self.seen.append(draws)
        logits = self.net(x)[:, :, 0].transpose(1, 2).flatten(0, 1)
        return logits[..., None, None], mask[:, 0].flatten()[:, None, None]


def test_a_net_that_learns_from_windows_is_shown_what_it_draws() -> None:
    net, batch = Windowed(), tiny.batch(4)
    task = tiny.task(Segmentation, net)
    output = task.learn(task.prepare(batch, train=True, epoch=3), "")
    mask = batch["mask"].long()[:, 0]
    logits = net.net(task.prepare(batch, train=False)["image"])[:, :, 0]
    torch.testing.assert_close(output.loss, nn.functional.cross_entropy(logits, mask, ignore_index=VOID))
    assert torch.equal(output.targets.flatten(), mask.flatten()) and int(output.terms[0].count) == (mask != VOID).sum()
    assert task.step(task.prepare(batch, train=False), "val").predictions.shape == batch["mask"].shape
    again = task.prepare(tiny.part_of(batch, 2, 4), train=True, epoch=3)["draws"]
    assert torch.equal(again, net.seen[0][2:]), "a function of epoch and index"
    assert not torch.equal(task.prepare(batch, train=True, epoch=4)["draws"], net.seen[0])
    assert task.build_metrics("train") == {} and not task.read_metrics({}, "train").values, "of windows, not of masks"
    assert "confusion" in task.build_metrics("val")
    assert not task.comparable, "nor is the loss"
    assert tiny.task(Segmentation, tiny.pixel_net()).comparable


def test_what_cannot_be_learnt_is_refused() -> None:
    for loss in (BorderWeighted(w0=10, sigma=5, num_classes=3), Dice()):
        with pytest.raises(InputError, match=r"^loss: is of whole masks.*take loss=pixel_cross_entropy"):
            tiny.task(Segmentation, Windowed(), loss=loss)
    smaller = UNet(in_channels=1, num_classes=3, width=1, depth=1, norm="none", padding="valid", borders="none")
    with pytest.raises(InputError, match=r"^model.borders=none: the answer would be smaller than the masks"):
        tiny.task(Segmentation, smaller)


def test_a_large_picture_is_answered_as_in_one_pass() -> None:
    torch.manual_seed(0)
    net = UNet(in_channels=1, num_classes=3, width=1, depth=1, norm="none", padding="valid").eval()
    task = tiny.task(Segmentation, net)
    image = torch.randint(256, (1, 1, 9, 530), dtype=torch.uint8)
    large = {"image": image.float() / 255, "index": torch.zeros(1, dtype=torch.int64)}
    sizes: list[int] = []
    net.register_forward_hook(lambda _net, given, _answer: sizes.append(given[0].shape[-1]))
    said = task.predict(large)[0]
    assert len(sizes) == 3 and max(sizes) <= 256 + 2 * 12
    with torch.no_grad():
        assert np.array_equal(said, net(large["image"]).argmax(1)[0].numpy())

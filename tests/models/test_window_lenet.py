"""The net on windows and on whole pictures gives the same numbers; what is found, learnt and refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import nms

from cnnexp.errors import InputError
from cnnexp.models.window_lenet import STRIDE, WindowLeNet

CLASSES = 3


def net(**changes: Any) -> WindowLeNet:
    torch.manual_seed(0)
    arguments: dict[str, Any] = dict(in_channels=2, num_classes=CLASSES, image_size=(40, 48), window=20)
    arguments |= dict(scales=(1.0, 1.5, 2.0), widths=(4, 6), hidden=10, around=2, between=6)
    arguments |= dict(confidence_threshold=0.0, nms_iou=0.4, max_detections=100)
    return WindowLeNet(**(arguments | changes))


def pictures(count: int = 2) -> Tensor:
    return torch.randn(count, 2, 40, 48, generator=torch.Generator().manual_seed(1))


def truth() -> tuple[Tensor, Tensor]:
    boxes = torch.tensor([[[4.0, 4.0, 16.0, 18.0], [24.0, 20.0, 34.0, 36.0]], [[30.0, 2.0, 44.0, 12.0], [0.0] * 4]])
    return boxes, torch.tensor([[0, 2], [1, -1]])


@torch.no_grad()
def test_the_whole_picture_at_once_says_what_each_window_says_alone() -> None:
    made = net().double()
    x = pictures().double()
    for scale in made.scales:
        view = made.view(x, scale)
        whole = made(view.picture)
        rows, columns = whole.shape[-2:]
        assert (rows, columns) == tuple((side - 20) // STRIDE + 1 for side in view.picture.shape[-2:])
        assert all((side - 20) % STRIDE == 0 for side in view.picture.shape[-2:]), "no pixel is left over"
        for row in range(rows):
            for column in range(columns):
                top, left = STRIDE * row, STRIDE * column
                alone = made(view.picture[:, :, top : top + 20, left : left + 20])
                torch.testing.assert_close(alone[..., 0, 0], whole[..., row, column], atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_is_learnt_from_is_what_is_looked_at() -> None:
    """The crop that a window is trained on gives the answer of that place in the whole picture."""
    from cnnexp.models.windows import cut

    made, x = net(), pictures()
    view = made.view(x, 1.5)
    row, column = 3, 2
    corner = torch.tensor([STRIDE * column - view.margin, STRIDE * row - view.margin])
    window = torch.cat([(corner + 10) / 1.5, torch.tensor([20 / 1.5])])
    alone = made(cut(x, window.expand(2, 1, 3), 20)[:, 0])[..., 0, 0]
    torch.testing.assert_close(alone, made(view.picture)[..., row, column], atol=1e-4, rtol=0)


def plain_nms(boxes: NDArray[np.float64], scores: NDArray[np.float64], most: float) -> list[int]:
    """The surest box, and of the others the surest that overlaps none that is kept by more than ``most``."""
    kept: list[int] = []
    for one in np.argsort(-scores, kind="stable"):
        x1, y1, x2, y2 = boxes[one]
        for other in kept:
            a1, b1, a2, b2 = boxes[other]
            shared = max(0.0, min(x2, a2) - max(x1, a1)) * max(0.0, min(y2, b2) - max(y1, b1))
            if shared / ((x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared) > most:
                break
        else:
            kept.append(int(one))
    return kept


def test_suppression_is_that_of_a_plain_loop() -> None:
    generator = np.random.default_rng(0)
    suppressed = 0
    for _ in range(1000):
        count = int(generator.integers(0, 21))
        corners = generator.uniform(0, 20, (count, 2))
        boxes = np.concatenate([corners, corners + generator.uniform(1, 20, (count, 2))], 1)
        scores = generator.permutation(count) / 21
        expected = plain_nms(boxes, scores, 0.4)
        assert nms(torch.tensor(boxes).view(-1, 4), torch.tensor(scores), 0.4).tolist() == expected
        suppressed += count - len(expected)
    assert suppressed > 1000


class Said(WindowLeNet):
    """Says of each window that an object is in its middle, and fills half of it; surest at one place of one scale."""

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = ((side - self.window) // STRIDE + 1 for side in x.shape[-2:])
        output = torch.zeros(len(x), 1 + 4 + CLASSES, rows, columns)
        output[:, 0] = -50
        output[:, 1:3], output[:, 3:5] = 0.5, 0.5
        output[:, 5 + 1] = 50
        if x.shape[-1] >= 90:  # at twice the size
            output[:, 0, 4, 6] = 50
        return output


def test_boxes_come_back_in_the_pictures_pixels() -> None:
    """At scale 2 the window (4, 6) begins at (24 - 5, 16 - 5) pixels; the box's centre is 10 further, its side 10."""
    arguments: dict[str, Any] = dict(in_channels=2, num_classes=CLASSES, image_size=(40, 48), window=20)
    arguments |= dict(scales=(1.0, 2.0), widths=(4, 6), hidden=10, around=2, between=6)
    made = Said(**arguments, confidence_threshold=0.5, nms_iou=0.4, max_detections=100)
    (found, _) = made.detect(pictures())
    assert found["labels"].tolist() == [1] and found["scores"].tolist() == pytest.approx([1.0])
    assert found["boxes"].tolist() == [pytest.approx([(29 - 5) / 2, (21 - 5) / 2, (29 + 5) / 2, (21 + 5) / 2])]


def test_scores_fall_and_boxes_lie_in_the_picture() -> None:
    made = net(max_detections=7)
    assert made.head.bias is not None
    with torch.no_grad():
        made.head.bias[1:5] = 0.5
    for found in made.detect(pictures()):
        assert len(found["scores"]) == 7 and (found["scores"].diff() <= 0).all()
        assert found["boxes"].min() >= 0 and (found["boxes"] <= torch.tensor([48.0, 40.0, 48.0, 40.0])).all()


def test_losses_are_means_over_the_windows_that_are_learnt() -> None:
    """Of a head that says nothing: ln 2 for each window, ln 3 for each object, and the box's numbers squared."""
    made = net()
    torch.nn.init.zeros_(made.head.weight)
    assert made.head.bias is not None
    torch.nn.init.zeros_(made.head.bias)
    losses = made.losses(pictures(), *truth(), draws=torch.tensor([3, 4]))
    assert tuple(losses) == WindowLeNet.loss_terms
    assert losses["objectness"][0].item() == pytest.approx(np.log(2))
    assert losses["class"][0].item() == pytest.approx(np.log(3))
    assert 6 <= int(losses["class"][1]) == int(losses["box"][1]) < int(losses["objectness"][1]) <= 6 + 12
    assert 5 * 0.5 < losses["box"][0].item() < 5 * (2 * 0.6**2 + 2 * 0.95**2)


def test_a_batch_without_objects_learns_that_there_are_none() -> None:
    losses = net().losses(pictures(), torch.zeros(2, 1, 4), torch.full((2, 1), -1), draws=torch.tensor([3, 4]))
    assert {name: int(count) for name, (_, count) in losses.items()} == {"objectness": 12, "class": 0, "box": 0}
    assert losses["class"][0].item() == losses["box"][0].item() == 0
    torch.stack([mean for mean, _ in losses.values()]).sum().backward()


def test_gradients() -> None:
    """By finite differences along a random direction."""
    made, x, drawn = net(activation="tanh").double(), pictures().double(), torch.tensor([3, 4])
    boxes, classes = truth()

    def total() -> Tensor:
        return torch.stack([mean for mean, _ in made.losses(x, boxes.double(), classes, draws=drawn).values()]).sum()

    gradients = torch.autograd.grad(total(), list(made.parameters()))
    generator = torch.Generator().manual_seed(0)
    way = [torch.randn(one.shape, generator=generator, dtype=one.dtype) for one in made.parameters()]
    expected = sum(float((one * step).sum()) for one, step in zip(gradients, way, strict=True))
    values = []
    with torch.no_grad():
        for sign in (1, -2):
            for weight, step in zip(made.parameters(), way, strict=True):
                weight += sign * 1e-6 * step
            values.append(float(total()))
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(expected, rel=1e-5)


def test_an_evaluation_has_losses_and_answers() -> None:
    made, x, drawn = net(), pictures(), torch.tensor([3, 4])
    losses, found = made.judged(x, *truth(), draws=drawn)
    assert {name: mean.item() for name, (mean, _) in losses.items()} == {
        name: mean.item() for name, (mean, _) in made.losses(x, *truth(), draws=drawn).items()
    }
    assert torch.equal(found[0]["boxes"], made.detect(x)[0]["boxes"])


def test_rows_of_its_classes_in_another_order() -> None:
    assert net().class_rows([2, 0, 1]) == [0, 1, 2, 3, 4, 7, 5, 6]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"window": 26}, r"model\.window=26: two poolings by 2 must divide it, .* such as 24$"),
        ({"window": 12}, r"model\.window=12: .* from 16 on, such as 16$"),
        ({"scales": ()}, r"model\.scales: give one or several numbers above 0"),
        ({"scales": (1.0, -1.0)}, r"model\.scales: give one or several numbers above 0"),
        (
            {"scales": (1.0, 0.4)},
            r"model\.scales: at 0\.4 a picture of 40x48 has 16x19 pixels, and a window 20x20; take scales from 0\.5 on",
        ),
        ({"image_size": (16, 48)}, r"a picture of 16x48 has 16x48 pixels, and a window 20x20; take scales from 1\.25"),
        ({"widths": (4, 6, 8)}, r"model\.widths: 3 numbers; there are 2 convolutions"),
        ({"hidden": 0}, r"model\.hidden=0"),
    ],
)
def test_bad_input_is_one_line(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        net(**changes)

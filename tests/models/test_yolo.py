"""The grid detector: decoding, targets, loss and suppression against values worked out by hand and a plain loop."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from cnnexp.errors import InputError
from cnnexp.models.yolo import YOLO, assign, decode, focal_loss

STRIDE = 8
NOTHING = -1


def yolo(**changes: Any) -> YOLO:
    arguments: dict[str, Any] = dict(in_channels=1, num_classes=3, width=4, depth=1, stride=STRIDE, radius=1.0)
    arguments |= dict(confidence_threshold=0.05, nms_iou=0.5, max_detections=100)
    return YOLO(**(arguments | changes))


def empty_output(rows: int, columns: int, classes: int = 3) -> Tensor:
    output = torch.zeros(1, 5 + classes, rows, columns)
    output[:, 0] = -50
    return output


def write(output: Tensor, row: int, column: int, box: list[float], label: int, score: float) -> None:
    """Let one cell of the first picture say that box, with that score."""
    x1, y1, x2, y2 = box
    output[0, 0, row, column] = math.log(score / (1 - score))
    output[0, 1, row, column] = ((x1 + x2) / 2) / STRIDE - (column + 0.5)
    output[0, 2, row, column] = ((y1 + y2) / 2) / STRIDE - (row + 0.5)
    output[0, 3, row, column] = math.log((x2 - x1) / STRIDE)
    output[0, 4, row, column] = math.log((y2 - y1) / STRIDE)
    output[0, 5 + label, row, column] = 50


def centers(rows: int, columns: int) -> Tensor:
    return decode(empty_output(rows, columns), STRIDE).centers


def test_parameter_count_by_hand() -> None:
    def convolution(before: int, after: int) -> int:
        return 9 * before * after + 2 * after  # no bias; scale and shift of the batch norm

    widths = [(1, 4), (4, 8), (8, 16)]
    stages = sum(convolution(*pair) + 2 * convolution(pair[1], pair[1]) for pair in widths)
    head = convolution(16, 16) + 16 * (5 + 3) + (5 + 3)
    assert sum(weights.numel() for weights in yolo().parameters()) == stages + head


@pytest.mark.parametrize(
    ("stride", "size", "grid"),
    [
        (8, (64, 64), (8, 8)),
        (8, (50, 33), (7, 5)),
        (4, (64, 48), (16, 12)),
        (16, (64, 64), (4, 4)),
        (32, (7, 64), (1, 2)),
    ],
)
def test_one_prediction_for_each_cell(stride: int, size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert yolo(stride=stride, in_channels=3)(torch.rand(2, 3, *size)).shape == (2, 8, *grid)


def test_an_untrained_net_expects_next_to_nothing_and_boxes_of_one_cell() -> None:
    torch.manual_seed(0)
    grid = decode(yolo().eval()(torch.rand(2, 1, 64, 64)), STRIDE)
    assert grid.objectness.sigmoid().mean().item() == pytest.approx(0.01, rel=0.3)
    sides = grid.boxes[..., 2:] - grid.boxes[..., :2]
    assert sides.mean().item() == pytest.approx(STRIDE, rel=0.1)


def test_an_ideal_output_gives_the_exact_boxes_back() -> None:
    output = empty_output(rows=6, columns=8)
    first, second = [3.0, 5.0, 20.0, 41.0], [30.5, 8.25, 62.0, 17.0]
    write(output, 2, 1, first, label=2, score=0.9)
    write(output, 1, 6, second, label=0, score=0.95)  # the box's centre lies in the cell to the left
    (found,) = yolo().predict(output)
    torch.testing.assert_close(found["boxes"], torch.tensor([second, first]))
    torch.testing.assert_close(found["scores"], torch.tensor([0.95, 0.9]))
    assert found["labels"].tolist() == [0, 2]
    assert found["labels"].dtype == torch.int64


def test_boxes_are_cut_at_the_edge_of_the_grid() -> None:
    output = empty_output(rows=2, columns=4)
    write(output, 0, 0, [-5.0, -3.0, 40.0, 17.0], label=1, score=0.9)
    assert yolo().predict(output)[0]["boxes"].tolist() == [[0, 0, 32, 16]]


def test_score_is_objectness_times_class_probability() -> None:
    output = empty_output(rows=2, columns=2)
    write(output, 0, 1, [6.0, 2.0, 14.0, 9.0], label=1, score=0.8)
    output[0, 5:, 0, 1] = torch.tensor([0.2, 0.5, 0.3]).log()
    (found,) = yolo().predict(output)
    assert found["scores"].tolist() == pytest.approx([0.4])
    assert len(yolo(confidence_threshold=0.41).predict(output)[0]["scores"]) == 0
    assert len(yolo().predict(output, confidence_threshold=0.41)[0]["boxes"]) == 0


def test_suppression_keeps_and_drops_as_by_hand() -> None:
    output = empty_output(rows=8, columns=8)
    write(output, 1, 1, [8.0, 8.0, 24.0, 24.0], label=0, score=0.9)
    write(output, 1, 2, [12.0, 8.0, 28.0, 24.0], label=0, score=0.8)  # IoU 12 / 20 = 0.6 with the first: goes
    write(output, 2, 1, [8.0, 16.0, 24.0, 32.0], label=0, score=0.7)  # IoU 8 / 24 = 0.33: stays
    write(output, 2, 2, [9.0, 8.0, 25.0, 24.0], label=1, score=0.6)  # another class: stays
    (found,) = yolo(nms_iou=0.5).predict(output)
    assert found["scores"].tolist() == pytest.approx([0.9, 0.7, 0.6])
    assert len(yolo(nms_iou=0.61).predict(output)[0]["scores"]) == 4
    (most,) = yolo(nms_iou=0.5, max_detections=2).predict(output)
    assert most["scores"].tolist() == pytest.approx([0.9, 0.7])


def test_cells_near_the_centre_inside_the_box_learn_it() -> None:
    boxes = torch.tensor(
        [[[8.0, 2.0, 32.0, 22.0], [0.0, 0.0, 0.0, 0.0]]]
    )  # centre (20, 12): that of cell row 1, column 2
    target = assign(boxes, torch.tensor([[2, NOTHING]]), centers(4, 5), STRIDE, radius=1.0)
    expected = torch.tensor([[-1, 2, 2, 2, -1], [-1, 2, 2, 2, -1], [-1, 2, 2, 2, -1], [-1] * 5])
    assert torch.equal(target.classes.reshape(4, 5), expected)
    assert torch.equal(target.boxes[target.classes >= 0], boxes[0, :1].expand(9, 4))
    narrow = torch.tensor([[[16.0, 2.0, 24.0, 22.0]]])  # the centres of columns 1 and 3 lie outside
    target = assign(narrow, torch.tensor([[1]]), centers(4, 5), STRIDE, radius=1.0)
    assert target.classes.reshape(4, 5)[:, 2].tolist() == [1, 1, 1, -1]
    assert (target.classes >= 0).sum() == 3


def test_the_cell_that_holds_a_tiny_box_learns_it() -> None:
    boxes = torch.tensor([[[17.0, 9.0, 18.0, 10.0]]])
    target = assign(boxes, torch.tensor([[1]]), centers(3, 4), STRIDE, radius=1.0)
    assert target.classes.reshape(3, 4).tolist() == [[-1] * 4, [-1, -1, 1, -1], [-1] * 4]


def test_a_cell_between_two_objects_learns_the_one_with_the_nearer_centre() -> None:
    left, right = [0.0, 0.0, 40.0, 8.0], [22.0, 0.0, 50.0, 8.0]  # centres at x = 20 and 36
    target = assign(torch.tensor([[left, right]]), torch.tensor([[0, 1]]), centers(1, 7), STRIDE, radius=1.5)
    # Cells at x = 4, 12, …: the one at 28 is 8 from both and stays with the first
    assert target.classes[0].tolist() == [-1, 0, 0, 0, 1, 1, -1]
    assert target.boxes[0, 4].tolist() == right


def reference_loss(output: Tensor, boxes: Tensor, classes: Tensor, radius: float) -> dict[str, Tensor]:
    """The loss cell by cell, in plain Python arithmetic on scalars."""
    parts = {"objectness": torch.zeros(()), "box": torch.zeros(()), "class": torch.zeros(())}
    count = 0
    for b in range(output.shape[0]):
        for row in range(output.shape[2]):
            for column in range(output.shape[3]):
                cell = output[b, :, row, column]
                px, py = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
                best, which = math.inf, NOTHING
                for k, (x1, y1, x2, y2) in enumerate(boxes[b].tolist()):
                    away = max(abs((x1 + x2) / 2 - px), abs((y1 + y2) / 2 - py)) / STRIDE
                    near = away <= 0.5 or (away <= radius and x1 < px < x2 and y1 < py < y2)
                    if classes[b, k] != NOTHING and near and away < best:
                        best, which = away, k
                overlap = 0.0
                if which != NOTHING:
                    count += 1
                    cx, cy = px + cell[1] * STRIDE, py + cell[2] * STRIDE
                    w, h = cell[3].exp() * STRIDE, cell[4].exp() * STRIDE
                    iou, giou = reference_iou((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), boxes[b, which])
                    overlap = iou.item()
                    parts["box"] = parts["box"] + 5 * (1 - giou)
                    parts["class"] = parts["class"] - cell[5:].log_softmax(0)[classes[b, which]]
                p = cell[0].sigmoid()
                parts["objectness"] = parts["objectness"] - overlap * p.log() - (1 - overlap) * (1 - p).log()
    return parts | {"count": torch.tensor(count)}


def reference_iou(a: tuple[Tensor, ...], b: Tensor) -> tuple[Tensor, Tensor]:
    zero = torch.zeros(())
    shared = (torch.minimum(a[2], b[2]) - torch.maximum(a[0], b[0])).maximum(zero)
    shared = shared * (torch.minimum(a[3], b[3]) - torch.maximum(a[1], b[1])).maximum(zero)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    hull = (torch.maximum(a[2], b[2]) - torch.minimum(a[0], b[0])) * (
        torch.maximum(a[3], b[3]) - torch.minimum(a[1], b[1])
    )
    return shared / union, shared / union - (hull - union) / hull


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_loss_and_gradient_equal_a_plain_loop(radius: float) -> None:
    torch.manual_seed(0)
    output = torch.randn(2, 8, 4, 5, dtype=torch.float64)
    boxes = torch.tensor(
        [
            [[3.0, 2.0, 19.0, 30.0], [16.0, 6.0, 39.0, 22.0], [0, 0, 0, 0]],
            [[1.0, 20.0, 6.0, 31.0], [0, 0, 0, 0], [0, 0, 0, 0]],
        ],
        dtype=torch.float64,
    )
    classes = torch.tensor([[2, 0, NOTHING], [1, NOTHING, NOTHING]])
    gradients, losses = [], []
    for function in (yolo(radius=radius).loss, lambda *batch: reference_loss(*batch, radius=radius)):
        leaf = output.clone().requires_grad_()
        parts = function(leaf, boxes, classes)
        sum(parts[key] for key in ("objectness", "box", "class")).backward()
        losses.append({key: part.item() for key, part in parts.items()})
        gradients.append(leaf.grad)
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-6, atol=1e-7)


def test_box_loss_by_hand() -> None:
    output = empty_output(rows=2, columns=2)
    write(output, 0, 0, [0.0, 0.0, 8.0, 8.0], label=0, score=0.5)
    parts = yolo(radius=0.5).loss(output, torch.tensor([[[2.0, 0.0, 6.0, 12.0]]]), torch.tensor([[0]]))
    # Only the cell at (4, 4) holds the centre (4, 6): IoU = 32 / (64 + 48 - 32) = 0.4, hull 8 x 12 = 96
    assert parts["count"] == 1
    assert parts["box"].item() == pytest.approx(5 * (1 - (0.4 - (96 - 80) / 96)))
    assert parts["class"].item() == pytest.approx(0, abs=1e-6)
    assert parts["objectness"].item() == pytest.approx(math.log(2), rel=1e-5)  # p = 0.5 costs that whatever the IoU


def test_an_ideal_output_costs_nothing() -> None:
    output, box = empty_output(rows=4, columns=4), [8.0, 8.0, 16.0, 16.0]
    write(output, 1, 1, box, label=1, score=1 - 1e-7)
    parts = yolo(radius=0.5).loss(output, torch.tensor([[box]]), torch.tensor([[1]]))
    assert parts["count"] == 1
    assert sum(parts[key].item() for key in ("objectness", "box", "class")) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("rows_of_padding", [0, 3])
def test_pictures_without_objects_teach_only_that_there_are_none(rows_of_padding: int) -> None:
    output = torch.zeros(2, 8, 3, 3, requires_grad=True)
    boxes = torch.zeros(2, rows_of_padding, 4)
    parts = yolo().loss(output, boxes, torch.full((2, rows_of_padding), NOTHING))
    assert (parts["count"], parts["box"], parts["class"]) == (0, 0, 0)
    assert parts["objectness"].item() == pytest.approx(18 * math.log(2))
    (parts["objectness"] + parts["box"] + parts["class"]).backward()
    assert output.grad is not None
    assert torch.allclose(output.grad[:, 0], torch.tensor(0.5)) and not output.grad[:, 1:].any()


def test_parts_are_sums_over_the_batch() -> None:
    torch.manual_seed(0)
    net, output = yolo(), torch.randn(3, 8, 4, 4)
    boxes = torch.tensor([[[1.0, 1, 20, 30]], [[9.0, 9, 25, 30]], [[0.0, 0, 0, 0]]])
    classes = torch.tensor([[0], [2], [NOTHING]])
    whole = net.loss(output, boxes, classes)
    for key, part in whole.items():
        alone = sum(net.loss(output[i : i + 1], boxes[i : i + 1], classes[i : i + 1])[key] for i in range(3))
        torch.testing.assert_close(part, alone)


def test_learns_one_picture_by_heart() -> None:
    torch.manual_seed(0)
    net, picture = yolo(width=8), torch.rand(1, 1, 32, 32)
    box, label = torch.tensor([[[4.0, 6.0, 22.0, 27.0]]]), torch.tensor([[1]])
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(150):
        parts = net.loss(net(picture), box, label)
        optimizer.zero_grad()
        ((parts["objectness"] + parts["box"] + parts["class"]) / parts["count"]).backward()
        optimizer.step()
    (found,) = net.predict(net(picture), confidence_threshold=0.5)
    assert found["labels"].tolist() == [1]
    assert reference_iou(tuple(found["boxes"][0]), box[0, 0])[0] > 0.8


# --- objectness and classes that count more or less ----------------------------------------------------------------


def test_focal_loss_by_hand() -> None:
    """p = 0.8: of an object it costs 0.2² times -log 0.8, of nothing 0.8² times -log 0.2."""
    logit = torch.tensor([math.log(4.0)])
    assert focal_loss(logit, torch.tensor([1.0]), 2.0).item() == pytest.approx(0.04 * -math.log(0.8), rel=1e-5)
    assert focal_loss(logit, torch.tensor([0.0]), 2.0).item() == pytest.approx(0.64 * -math.log(0.2), rel=1e-5)
    entropy = -0.5 * math.log(0.8) - 0.5 * math.log(0.2)
    assert focal_loss(logit, torch.tensor([0.5]), 1.0).item() == pytest.approx(0.3 * entropy, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_of_whole_targets_is_torchvision_s(gamma: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, generator=generator, dtype=torch.float64).mul(4).requires_grad_()
    target = (torch.rand(200, generator=generator) > 0.7).double()
    ours, theirs = focal_loss(logits, target, gamma), sigmoid_focal_loss(logits, target, alpha=-1, gamma=gamma)
    torch.testing.assert_close(ours, theirs)
    slopes = [torch.autograd.grad(one.sum(), logits, retain_graph=True)[0] for one in (ours, theirs)]
    torch.testing.assert_close(*slopes)


def test_a_root_has_no_infinite_slope() -> None:
    logits = torch.tensor([-200.0, 200.0, 0.0], requires_grad=True)
    focal_loss(logits, torch.tensor([0.0, 1.0, 0.5]), 0.5).sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_the_net_s_objectness_is_focal() -> None:
    output, boxes, classes = (
        torch.randn(2, 8, 4, 4),
        torch.tensor([[[2.0, 2.0, 20.0, 20.0]]] * 2),
        torch.tensor([[1], [-1]]),
    )
    plain, focal = (yolo(focal_gamma=gamma).loss(output, boxes, classes) for gamma in (0.0, 2.0))
    assert 0 < float(focal["objectness"]) < float(plain["objectness"])
    assert all(torch.equal(plain[key], focal[key]) for key in ("box", "class", "count"))
    with pytest.raises(InputError, match=r"^model\.focal_gamma=-1: expected a number of at least 0$"):
        yolo(focal_gamma=-1.0)


def test_class_weights_are_factors_on_the_class_term() -> None:
    """Two objects far from each other, of classes 0 and 2: each alone gives its part."""
    output = torch.randn(1, 8, 8, 8)
    boxes = torch.tensor([[[0.0, 0.0, 16.0, 16.0], [40.0, 40.0, 60.0, 60.0]]])

    def class_term(net: YOLO, *classes: int) -> float:
        return float(net.loss(output, boxes, torch.tensor([classes]))["class"])

    weighed = yolo(class_weights=[3.0, 1.0, 0.5])
    first, last = class_term(yolo(), 0, -1), class_term(yolo(), -1, 2)
    assert class_term(weighed, 0, 2) == pytest.approx(3 * first + 0.5 * last, rel=1e-5)
    later = yolo()
    later.weigh(torch.tensor([3.0, 1.0, 0.5]))
    assert class_term(later, 0, 2) == class_term(weighed, 0, 2)
    assert "class_weights" not in weighed.state_dict(), "the configuration has them"
    assert later.loss(output, boxes, torch.tensor([[-1, -1]]))["class"] == 0

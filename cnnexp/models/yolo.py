"""A small single-stage grid detector after YOLO (Redmon, Divvala, Girshick, Farhadi 2016)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import batched_nms, generalized_box_iou_loss

from cnnexp.models.activations import SATURATING, Activating, OneToOne
from cnnexp.models.bounds import at_least_one, not_negative
from cnnexp.models.initialisation import glorot_init, he_init

# What an untrained net says of every cell, so that the many empty ones do not rule its first steps (Lin et al. 2017)
OBJECTNESS_PRIOR = 0.01
BOX_WEIGHT = 5.0  # the paper's lambda_coord
SLOPE = 0.1  # of the paper's leaky ReLUs
LARGEST_LOG_SIZE = 8.0  # in cells; keeps exp() finite while the net is untrained


class YOLO(nn.Module):
    """One pass over the picture; every cell of a grid says whether an object is there, of what class, and its box.

    From the paper: the grid, the product of objectness and class probability as the score, objectness that learns the
    IoU of the predicted box, the weight of 5 on the boxes, leaky ReLUs. Differences: a small residual backbone with
    batch norm in place of 24 layers and two dense ones, so pictures of any size pass; one box per cell; all cells near
    the centre of an object learn it, not only the one that holds it (as in FCOS, Tian et al. 2019); boxes learn by
    generalised IoU (Rezatofighi et al. 2019, equation 4), objectness and classes by cross entropy, in place of squared
    errors.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K, without a background.
        width: maps after the first convolution; each further halving of the resolution doubles them.
        depth: residual blocks after each halving.
        stride: side of a cell in pixels.
        radius: a cell learns an object if its centre lies in the box and at most so many cells from the box's centre.
        confidence_threshold: `predict` drops boxes with a score in [0, 1] below it.
        nms_iou: of two boxes of a class that overlap by more than this IoU, `predict` keeps the one it is surer of.
        max_detections: `predict` keeps at most so many boxes of a picture, the ones with the highest scores.
        focal_gamma: of the focal loss for objectness (Lin et al. 2017); 0 is plain cross entropy.
        class_weights: factors on the class term of objects of each class; None is 1 for all.
        activation: behind each batch norm. leaky_slope: of `leaky_relu` below zero; None is the paper's 0.1.

    Raises:
        InputError: a number below 1; a negative gamma; a slope for an activation that has none.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ("objectness", "box", "class")
    counts_in_advance: ClassVar[bool] = True
    """All terms are means over the same cells."""

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        width: int,
        depth: int,
        stride: Literal[4, 8, 16, 32],
        radius: float,
        confidence_threshold: float,
        nms_iou: float,
        max_detections: int,
        focal_gamma: float = 0.0,
        class_weights: Sequence[float] | None = None,
        activation: OneToOne = "leaky_relu",
        leaky_slope: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, depth=depth, max_detections=max_detections)
        not_negative(focal_gamma=focal_gamma)
        self.num_classes = num_classes
        self.focal_gamma = focal_gamma
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", None, persistent=False)
        if class_weights is not None:
            self.weigh(torch.tensor(class_weights, dtype=torch.float32))
        self.stride = stride
        self.radius = radius
        self.confidence_threshold = confidence_threshold
        self.nms_iou = nms_iou
        self.max_detections = max_detections
        widths = [in_channels] + [width * 2**level for level in range(int(math.log2(stride)))]
        leaky, slope = activation == "leaky_relu", SLOPE if leaky_slope is None else leaky_slope
        activating = Activating(activation, slope if leaky else leaky_slope)
        self.backbone = nn.Sequential(*(_stage(*pair, depth, activating) for pair in pairwise(widths)))
        last = nn.Conv2d(widths[-1], 5 + num_classes, kernel_size=1)
        self.head = nn.Sequential(_convolution(widths[-1], widths[-1], activating), last)
        rectified = partial(_he_init, slope=slope) if leaky else he_init
        self.apply(glorot_init if activation in SATURATING else rectified)
        _start_from_prior(last)

    def forward(self, x: Tensor) -> Tensor:
        """Raw output (B, 5 + K, ceil(H / stride), ceil(W / stride)) of pictures (B, C, H, W).

        Channel 0 is the logit of objectness, 1 and 2 the box's centre x and y relative to the cell's centre, in cells,
        3 and 4 the logarithm of its width and height in cells, the rest the logits of the classes.
        """
        return self.head(self.backbone(x))

    def class_rows(self, numbers: Sequence[int]) -> list[int]:
        """The rows of the last layer for its classes in another order; those of the boxes stay."""
        return [*range(5), *(5 + number for number in numbers)]

    def weigh(self, weights: Tensor) -> None:
        """Give each class a factor, float32 (K,)."""
        self.class_weights = weights

    def loss(self, output: Tensor, boxes: Tensor, classes: Tensor) -> dict[str, Tensor]:
        """The parts of the loss as sums over the batch, each with its weight, and the number of positive cells.

        Args:
            output: raw output (B, 5 + K, Gh, Gw).
            boxes: (B, M, 4), x1 y1 x2 y2 in pixels; rows of padding may hold anything.
            classes: int64 (B, M) in 0..K-1, -1 marks padding.

        Returns:
            `objectness` (binary cross entropy over all cells, focal with a gamma), `box` (1 - GIoU over positive
            cells), `class` (cross entropy over positive cells, each times the weight of its class) and `count`, the
            number of positive cells; scalars.
        """
        grid = decode(output, self.stride)
        target = assign(boxes, classes, grid.centers, self.stride, self.radius)
        positive = target.classes >= 0
        predicted, truth = grid.boxes[positive], target.boxes[positive]
        overlap = torch.zeros_like(grid.objectness)
        overlap[positive] = _paired_iou(predicted.detach(), truth)
        class_losses = F.cross_entropy(grid.class_logits[positive], target.classes[positive], reduction="none")
        if self.class_weights is not None:
            class_losses = class_losses * self.class_weights[target.classes[positive]]
        return {
            "objectness": focal_loss(grid.objectness, overlap, self.focal_gamma).sum(),
            "box": BOX_WEIGHT * generalized_box_iou_loss(predicted, truth, reduction="sum"),
            "class": class_losses.sum(),
            "count": positive.sum(),
        }

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """The means of the parts of the loss over the positive cells, and how many these are; see ``loss``."""
        return self._means(self(x), boxes, classes)

    def detect(self, x: Tensor) -> list[dict[str, Tensor]]:
        """What is found in pictures (B, C, H, W); see ``predict``."""
        return self.predict(self(x))

    def every_box(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The box of every cell, (B, G, 4), and the logits of its classes with that of objectness, (B, G, K)."""
        grid = decode(self(x), self.stride)
        return grid.boxes, grid.objectness[..., None] + grid.class_logits

    def judged(
        self, x: Tensor, boxes: Tensor, classes: Tensor
    ) -> tuple[dict[str, tuple[Tensor, Tensor]], list[dict[str, Tensor]]]:
        """Both of one pass through the net."""
        output = self(x)
        return self._means(output, boxes, classes), self.predict(output)

    def _means(self, output: Tensor, boxes: Tensor, classes: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        sums = self.loss(output, boxes, classes)
        count = sums.pop("count")
        # a batch without objects still learns that there are none
        return {name: (total / count.clamp(min=1), count) for name, total in sums.items()}

    @torch.no_grad()
    def predict(self, output: Tensor, confidence_threshold: float | None = None) -> list[dict[str, Tensor]]:
        """What was found in each picture, the highest score first.

        Args:
            output: raw output (B, 5 + K, Gh, Gw).
            confidence_threshold: another one than the constructor's, such as a high one for drawing.

        Returns:
            For each picture `boxes` (n, 4), x1 y1 x2 y2 in pixels and cut at the edge of the grid, `scores` (n,) in
            [0, 1] and `labels` int64 (n,), after non-maximum suppression class by class.
        """
        threshold = self.confidence_threshold if confidence_threshold is None else confidence_threshold
        grid = decode(output.float(), self.stride)
        probabilities, labels = grid.class_logits.softmax(dim=-1).max(dim=-1)
        scores = grid.objectness.sigmoid() * probabilities
        rows, columns = output.shape[-2:]
        edge = grid.boxes.new_tensor([columns, rows, columns, rows]) * self.stride
        boxes = grid.boxes.clamp(min=0).minimum(edge)
        found = []
        for picture, sure in enumerate(scores >= threshold):
            candidates = (boxes[picture, sure], scores[picture, sure], labels[picture, sure])
            kept = batched_nms(*candidates, self.nms_iou)[: self.max_detections]
            found.append({key: part[kept] for key, part in zip(("boxes", "scores", "labels"), candidates, strict=True)})
        return found


class Grid(NamedTuple):
    """The raw output of the net in plain terms, G = Gh * Gw cells in reading order."""

    objectness: Tensor  # (B, G) logits
    boxes: Tensor  # (B, G, 4) x1 y1 x2 y2 in pixels
    class_logits: Tensor  # (B, G, K)
    centers: Tensor  # (G, 2) x y of the cells' centres in pixels


class Target(NamedTuple):
    """What each cell is to learn."""

    classes: Tensor  # int64 (B, G), -1 where there is nothing
    boxes: Tensor  # (B, G, 4), zeros where there is nothing


def focal_loss(logits: Tensor, target: Tensor, gamma: float) -> Tensor:
    """|target - p|^gamma times the binary cross entropy, element by element: the easy ones count less.

    For targets of 0 and 1 this is the focal loss without alpha (Lin, Goyal, Girshick, He and Dollár 2017, equation 4);
    for those between, such as an IoU, its extension (Li et al. 2020, "Generalized focal loss", equation 4).

    Args:
        logits, target: of one shape; targets in [0, 1]. gamma: 0 leaves the cross entropy as it is.
    """
    losses = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    if gamma == 0:
        return losses
    # above 0, where a root has no slope
    return losses * (target - logits.sigmoid()).abs().clamp(min=torch.finfo(losses.dtype).eps) ** gamma


def decode(output: Tensor, stride: int) -> Grid:
    """Boxes in pixels from raw output (B, 5 + K, Gh, Gw); `stride` is the side of a cell in pixels."""
    rows, columns = output.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(rows, device=output.device), torch.arange(columns, device=output.device), indexing="ij"
    )
    centers = (torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * stride
    cells = output.flatten(start_dim=2).transpose(1, 2)
    middle = centers + cells[..., 1:3] * stride
    half_size = cells[..., 3:5].clamp(max=LARGEST_LOG_SIZE).exp() * (stride / 2)
    boxes = torch.cat([middle - half_size, middle + half_size], dim=-1)
    return Grid(cells[..., 0], boxes, cells[..., 5:], centers)


def assign(boxes: Tensor, classes: Tensor, centers: Tensor, stride: int, radius: float) -> Target:
    """Give each cell the object that it is to learn: of those it may learn, the one with the nearest centre.

    A cell may learn an object if its own centre lies in the box and at most `radius` cells from the box's centre, along
    x and along y. The cell that holds the box's centre may always, however small the box.

    Args:
        boxes: (B, M, 4), x1 y1 x2 y2 in pixels.
        classes: int64 (B, M), -1 marks padding.
        centers: (G, 2), x y of the cells' centres in pixels.
        stride: side of a cell in pixels.
        radius: in cells.
    """
    if boxes.shape[1] == 0:  # a batch without any object still needs something to take the minimum over
        boxes, classes = F.pad(boxes, (0, 0, 0, 1)), F.pad(classes, (0, 1), value=-1)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = (centers - middle.unsqueeze(2)).abs().amax(dim=-1) / stride  # (B, M, G)
    x, y = centers.unbind(dim=-1)
    x1, y1, x2, y2 = boxes.unsqueeze(-1).unbind(dim=2)
    inside = (x > x1) & (x < x2) & (y > y1) & (y < y2)
    allowed = ((distance <= 0.5) | (inside & (distance <= radius))) & (classes >= 0).unsqueeze(-1)
    nearest, which = distance.masked_fill(~allowed, math.inf).min(dim=1)
    learns = nearest.isfinite()
    return Target(
        classes.gather(1, which).masked_fill(~learns, -1),
        boxes.gather(1, which.unsqueeze(-1).expand(-1, -1, 4)).masked_fill(~learns.unsqueeze(-1), 0.0),
    )


class ResidualBlock(nn.Module):
    """x + two 3x3 convolutions of x, with nothing after the sum."""

    def __init__(self, width: int, activating: Activating) -> None:
        super().__init__()
        self.layers = nn.Sequential(_convolution(width, width, activating), _convolution(width, width, activating))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def _stage(in_width: int, width: int, blocks: int, activating: Activating) -> nn.Sequential:
    halving = _convolution(in_width, width, activating, stride=2)
    return nn.Sequential(halving, *(ResidualBlock(width, activating) for _ in range(blocks)))


def _convolution(in_width: int, width: int, activating: Activating, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(in_width, width, kernel_size=3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), activating(width))


def _paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU (n,) of the n pairs of boxes (n, 4)."""
    corner = torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:])
    shared = (corner[1] - corner[0]).clamp(min=0).prod(dim=1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (first, second)]
    return shared / (areas[0] + areas[1] - shared).clamp(min=torch.finfo(shared.dtype).eps)


def _he_init(module: nn.Module, slope: float) -> None:
    """With the part of the variance that a slope below zero keeps (He et al. 2015, "Delving deep", equation 15)."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=slope, nonlinearity="leaky_relu")


def _start_from_prior(last: nn.Conv2d) -> None:
    """Boxes of one cell's size, no opinion on the class, and next to no objects."""
    nn.init.normal_(last.weight, std=0.01)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    with torch.no_grad():
        last.bias[0] = -math.log((1 - OBJECTNESS_PRIOR) / OBJECTNESS_PRIOR)

"""A small classifier of windows, slid over a picture at several scales: detection before grids and proposals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import box_convert, nms

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.initialisation import init_for
from cnnexp.models.windows import NO_OBJECT, UNSAID, Rule, cut, draw, learnt

KERNEL, POOLS = 5, 2
STRIDE = 2**POOLS
"""Pixels from one window to the next where the whole picture goes through the net at once."""
SIDES = 4
MARGIN = 4
"""Windows begin up to 1/4 of their side beyond the picture's edges."""
BOX_WEIGHT = 5.0


class WindowLeNet(nn.Module):
    """Is there an object in the window, where in it, and of what class? Asked of every window of a picture, at scales.

    Learnt from windows cut out of the pictures. To detect, its dense layers are convolutions, so that one pass over a
    picture answers for all its windows, ``STRIDE`` pixels apart, at what a few windows would cost; the picture is
    resized for each scale, and of answers that overlap the surest is kept (non-maximum suppression). Source: Sermanet
    et al. 2014, "OverFeat", sections 3.5 and 4; the net is LeCun 1998's, without subsampling coefficients.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K, without a background.
        image_size: height and width of a picture in pixels.
        window: side in pixels; a multiple of 4, at least 16.
        scales: factors on the picture; a window spans ``window / scale`` pixels of the picture.
        widths: maps of both convolutions. hidden: units of the dense layer before the last.
        around: windows drawn around each object. between: and elsewhere in each picture.
        confidence_threshold: boxes with a lower score are dropped. nms_iou: of two boxes that overlap by more, whatever
            their classes, the surer one is kept. max_detections: per picture.
        activation: after all layers but the last. leaky_slope: of `leaky_relu` below zero; None is 0.01.

    Raises:
        InputError: a number out of range, a window that pooling does not divide, or one that is larger than a scaled
            picture.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ("objectness", "class", "box")
    takes: ClassVar[tuple[str, ...]] = ("draws",)

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        window: int,
        scales: tuple[float, ...],
        widths: tuple[int, int],
        hidden: int,
        around: int,
        between: int,
        confidence_threshold: float,
        nms_iou: float,
        max_detections: int,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(hidden=hidden, around=around, between=between, max_detections=max_detections)
        all_at_least_one(widths=widths)
        _check(window, scales, widths, image_size)
        self.window, self.scales, self.rule = window, tuple(scales), Rule()
        self.around, self.between = around, between
        self.confidence_threshold, self.nms_iou, self.max_detections = confidence_threshold, nms_iou, max_detections
        activating = Activating(activation, leaky_slope)
        side = _behind(window)
        self.conv1 = nn.Conv2d(in_channels, widths[0], KERNEL)
        self.act1 = activating(widths[0])
        self.conv2 = nn.Conv2d(widths[0], widths[1], KERNEL)
        self.act2 = activating(widths[1])
        self.pool = nn.MaxPool2d(2)
        self.dense = nn.Conv2d(widths[1], hidden, side)
        self.act3 = activating(hidden)
        self.head = nn.Conv2d(hidden, 1 + SIDES + num_classes, 1)
        init_for(self, self.head, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Raw output (B, 5 + K, rows, columns) of pictures (B, C, H, W), one for each window within them.

        The windows begin at multiples of ``STRIDE`` pixels; a picture of the window's size is a single one. Channel 0
        is the logit of objectness, 1 to 4 the box (centre x y, width, height) as parts of the window, the rest the
        logits of the classes.
        """
        x = self.pool(self.act1(self.conv1(x)))
        x = self.pool(self.act2(self.conv2(x)))
        return self.head(self.act3(self.dense(x)))

    def class_rows(self, numbers: Sequence[int]) -> list[int]:
        """The rows of the last layer for its classes in another order; those of the boxes stay."""
        return [*range(1 + SIDES), *(1 + SIDES + number for number in numbers)]

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """The means of the three parts of the loss, and over how many windows.

        Args:
            x: pictures (B, C, H, W). boxes: (B, M, 4), x1 y1 x2 y2 in pixels. classes: int64 (B, M), -1 is padding.
            draws: int64 (B,), a key for each picture, of which its windows are a function.

        Returns:
            ``objectness`` (binary cross entropy over all windows), ``class`` (cross entropy) and ``box`` (5 times the
            squared error in parts of the window) over those that show an object.
        """
        size = (x.shape[2], x.shape[3])
        sides = tuple(self.window / scale for scale in self.scales)
        windows = draw(draws, boxes, classes, size, sides, self.around, self.between, self.rule)
        truth = learnt(windows, boxes, classes, self.rule)
        said = truth.classes != UNSAID
        output = self(cut(x, windows, self.window)[said])[..., 0, 0]
        label, place = truth.classes[said], truth.boxes[said]
        there = label != NO_OBJECT
        some = there.sum()
        objectness = F.binary_cross_entropy_with_logits(output[:, 0], there.to(output), reduction="sum")
        class_ = F.cross_entropy(output[there, 1 + SIDES :], label[there], reduction="sum")
        box = BOX_WEIGHT * (output[there, 1 : 1 + SIDES] - place[there]).square().sum()
        counts = {"objectness": said.sum(), "class": some, "box": some}
        sums = {"objectness": objectness, "class": class_, "box": box}
        return {name: (total / counts[name].clamp(min=1), counts[name]) for name, total in sums.items()}

    def judged(
        self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor
    ) -> tuple[dict[str, tuple[Tensor, Tensor]], list[dict[str, Tensor]]]:
        """Losses of drawn windows, and what is found."""
        return self.losses(x, boxes, classes, draws), self.detect(x)

    def detect(self, x: Tensor) -> list[dict[str, Tensor]]:
        """What is found in pictures (B, C, H, W), the surest first.

        Returns:
            For each picture ``boxes`` (n, 4), x1 y1 x2 y2 in pixels, ``scores`` (n,) in [0, 1], objectness times the
            probability of the class, and ``labels`` int64 (n,).
        """
        return [
            {"boxes": one.boxes[kept], "scores": one.scores[kept], "labels": one.labels[kept]}
            for one in self.candidates(x)
            for kept in [nms(one.boxes, one.scores, self.nms_iou)[: self.max_detections]]
        ]

    @torch.no_grad()
    def candidates(self, x: Tensor) -> list[Candidates]:
        """What the windows of all scales say of each picture, before any of it is suppressed."""
        boxes, outputs = self._answers(x)
        probability, labels = outputs[..., 1 + SIDES :].softmax(-1).max(-1)
        scores = outputs[..., 0].sigmoid() * probability
        edge = boxes.new_tensor([x.shape[3], x.shape[2]] * 2)
        boxes = boxes.clamp(min=0).minimum(edge)
        whole = (boxes[..., 2:] > boxes[..., :2]).all(-1)
        sure = (scores >= self.confidence_threshold) & whole
        return [
            Candidates(*(part[own] for part in parts)) for *parts, own in zip(boxes, scores, labels, sure, strict=True)
        ]

    def every_box(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The box that every window says, (B, N, 4), and the logits of its classes with that of objectness,
        (B, N, K)."""
        boxes, outputs = self._answers(x)
        return boxes, outputs[..., :1] + outputs[..., 1 + SIDES :]

    def _answers(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of the windows of all scales the boxes in pixels, (B, N, 4), and what the net says, (B, N, 5 + K)."""
        answers = [(one, self(one.picture).float()) for one in (self.view(x, scale) for scale in self.scales)]
        boxes = torch.cat([one.boxes(output, self.window) for one, output in answers], 1)
        return boxes, torch.cat([output.flatten(2).transpose(1, 2) for _, output in answers], 1)

    def view(self, x: Tensor, scale: float) -> View:
        """Pictures at a scale, with a margin by which the windows fit in."""
        height, width = x.shape[-2:]
        rows, columns = _scaled((height, width), scale)
        if (rows, columns) != (height, width):
            x = F.interpolate(x, (rows, columns), mode="bilinear", align_corners=False)
        margin = self.window // MARGIN
        below, right = (margin + -(side + 2 * margin - self.window) % STRIDE for side in (rows, columns))
        padded = F.pad(x, (margin, right, margin, below), mode="replicate")
        return View(padded, (columns / width, rows / height), margin)


class Candidates(NamedTuple):
    """Boxes (n, 4) in pixels, scores (n,) and labels (n,) of a picture's windows."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor


class View(NamedTuple):
    """Pictures (B, C, H, W) at a scale.

    Attributes:
        factors: by which they are wider and higher. margin: pixels at the left and at the top that are none of theirs.
    """

    picture: Tensor
    factors: tuple[float, float]
    margin: int

    def boxes(self, output: Tensor, window: int) -> Tensor:
        """The boxes of raw output (B, 5 + K, rows, columns), x1 y1 x2 y2 in pixels of the picture at its own size,
        (B, rows * columns, 4)."""
        rows, columns = output.shape[-2:]
        y, x = torch.meshgrid(
            torch.arange(rows, device=output.device), torch.arange(columns, device=output.device), indexing="ij"
        )
        corner = torch.stack([x, y], -1).reshape(-1, 2) * STRIDE - self.margin
        place = output[:, 1 : 1 + SIDES].flatten(2).transpose(1, 2) * window
        centred = torch.cat([corner + place[..., :2], place[..., 2:]], -1)
        return box_convert(centred, "cxcywh", "xyxy") / output.new_tensor(self.factors * 2)


def _check(window: int, scales: Sequence[float], widths: Sequence[int], image_size: tuple[int, int]) -> None:
    if len(widths) != POOLS:
        raise InputError(f"model.widths: {len(widths)} numbers; there are {POOLS} convolutions")
    smallest = KERNEL * STRIDE - STRIDE
    if window < smallest or window % STRIDE:
        near = max(smallest, round(window / STRIDE) * STRIDE)
        raise InputError(
            f"model.window={window}: two poolings by 2 must divide it, and two kernels of {KERNEL} pixels fit in; take "
            f"a multiple of {STRIDE} from {smallest} on, such as {near}"
        )
    if not scales or min(scales) <= 0:
        raise InputError("model.scales: give one or several numbers above 0, such as [1.0,1.4,2.0]")
    for scale in scales:
        scaled = _scaled(image_size, scale)
        if min(scaled) < window:
            least = -(-window * 100 // min(image_size)) / 100
            raise InputError(
                f"model.scales: at {scale:g} a picture of {image_size[0]}x{image_size[1]} has {scaled[0]}x{scaled[1]} "
                f"pixels, and a window {window}x{window}; take scales from {least:g} on, a smaller model.window or a "
                "larger data.image_size"
            )


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return round(size[0] * scale), round(size[1] * scale)


def _behind(window: int) -> int:
    """The side of the last maps of a window."""
    for _ in range(POOLS):
        window = (window - KERNEL + 1) // 2
    return window

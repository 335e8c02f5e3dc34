"""A classifier of windows that says for each pixel what the window around it shows in its middle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.distributed as distributed
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.anchored import ranks
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.fovea import Foveate, foveated
from cnnexp.models.initialisation import init_for
from cnnexp.models.mirrored import mirrored

UNSAID = 255
"""In a mask, pixels of no class: no window is drawn there."""
WINDOWS_AT_ONCE = 1024
_STREAM = 0x9A7C


class PatchNet(nn.Module):
    """Convolutions and poolings, then dense layers, on a window; the class of the window's middle pixel.

    It learns from windows, as many of each class, and answers for all pixels of a picture at once: a convolution behind
    a pooling sees its inputs two pixels apart, so with poolings at every pixel and kernels with holes one pass of
    convolutions computes every window's answer and nothing twice (Giusti 2013, "Fast image scanning with deep
    max-pooling convolutional neural networks", who hold the same numbers as fragments). Pictures are mirrored at their
    borders. Source: Ciresan, Giusti, Gambardella, Schmidhuber 2012, "Deep neural networks segment neuronal membranes in
    electron microscopy images"; their N4, on windows of 95 x 95:

        kernel   4x4   2x2   5x5   2x2   4x4   2x2   4x4   2x2   dense  dense
        maps     48    max   48    max   48    max   48    max   200    2
        side     92    46    42    21    18    9     6     3     1      1

    which is ``window=95 kernels=[4,5,4,4] widths=[48,48,48,48] hidden=200 norm=none``. Differs in its default:
    windows of 65 x 65 as their smaller nets have them, fewer maps, and, whatever the layers, no polynomial
    that calibrates probabilities: a net that saw as many windows of each class answers as if all were equally frequent,
    which ``as_frequent`` corrects.

    Args:
        in_channels: channels of a picture. num_classes: number of classes K. image_size: height and width in pixels.
        window: side in pixels, odd. kernels, widths: side and number of maps of each convolution; a max pooling by 2
            follows each. hidden: units of the dense layer before the last.
        windows: drawn from each picture in every epoch, the same number for each class that it shows.
        as_frequent: answer as classes are distributed in the training masks, not evenly, by adding the logarithm of
            how much more frequent a class is there than among the windows.
        stride: pixels from one answered pixel to the next, a power of 2; between them logits are interpolated. None is
            1, or 8 for foveated windows, which no convolution computes and which are answered one by one.
        foveate: ``foveated`` windows: `none`, `blur`, `sampling` or `both`.
        norm: `batch` puts batch norm after each convolution, `none` gives them a bias instead.
        activation: after all layers but the last. leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: of the dense layer's units in training; None for none.

    Raises:
        InputError: a number out of range, layers that do not fit the window, a picture smaller than it.
    """

    takes: ClassVar[tuple[str, ...]] = ("draws",)
    counts: ClassVar[tuple[str, ...]] = ("head.counted", "head.shown")
    aligned: int
    """Pixels from one answered pixel to the next: tiles begin at multiples of it."""
    reach: int
    """Pixels to each side that an answer depends on."""

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        window: int,
        kernels: tuple[int, ...],
        widths: tuple[int, ...],
        hidden: int,
        windows: int,
        as_frequent: bool,
        stride: int | None,
        foveate: Foveate,
        norm: str,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(window=window, hidden=hidden, windows=windows)
        all_at_least_one(kernels=kernels, widths=widths)
        side = _behind(window, kernels, widths)
        _refuse_small(image_size, window)
        stride = stride or (1 if foveate == "none" else 8)
        if stride not in [2**power for power in range(len(kernels) + 1)]:
            raise InputError(
                f"model.stride={stride}: take a power of 2 up to {2 ** len(kernels)}, what the poolings skip"
            )
        self.window, self.windows, self.foveate, self.as_frequent = window, windows, foveate, as_frequent
        self.stride = self.aligned = stride
        self.reach = window // 2 + (stride if stride > 1 else 0)
        activating = Activating(activation, leaky_slope)
        self.convs = nn.ModuleList(
            Holed(before, after, kernel, bias=norm == "none")
            for before, after, kernel in zip([in_channels, *widths], widths, kernels, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) if norm == "batch" else nn.Identity() for width in widths)
        self.acts = nn.ModuleList(activating(width) for width in widths)
        self.dense = Holed(widths[-1], hidden, side)
        self.act = activating(hidden)
        self.drop = nn.Identity() if dropout is None else nn.Dropout(dropout)
        self.head = CountingHead(hidden, num_classes)
        init_for(self, self.head, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K, H, W) of pictures (B, C, H, W)."""
        height, width = x.shape[-2:]
        half = self.window // 2
        # the last answered pixels lie on or beyond the last row and column
        x = mirrored(x, *((half, half + -(side - 1) % self.stride) for side in (height, width)))
        logits = self.of_windows(x, self.stride) if self.foveate == "none" else self._one_by_one(x)
        if self.stride > 1:
            size = [self.stride * (side - 1) + 1 for side in logits.shape[-2:]]
            logits = F.interpolate(logits, size, mode="bilinear", align_corners=True)
        logits = logits[..., :height, :width]
        return logits + self.head.shift()[:, None, None] if self.as_frequent and not self.training else logits

    def of_windows(self, x: Tensor, stride: int) -> Tensor:
        """Logits (B, K, rows, columns) of all windows within pictures (B, C, H, W), ``stride`` pixels apart."""
        apart, passed = 1, 1
        for conv, norm, act in zip(self.convs, self.norms, self.acts, strict=True):
            x = act(norm(conv(x, apart)))
            if passed < stride:
                x, passed = F.max_pool2d(x, 2), 2 * passed
            else:
                x, apart = _pooled_everywhere(x, apart), 2 * apart
        return self.head(self.drop(self.act(self.dense(x, apart))))

    def drawn(self, x: Tensor, mask: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of windows drawn from pictures, and the classes of their middles.

        Args:
            x: pictures (B, C, H, W). mask: int64 (B, H, W), ``UNSAID`` where a pixel has no class.
            draws: int64 (B,), a key for each picture, of which its windows are a function.

        Returns:
            (N, K, 1, 1), and int64 (N, 1, 1); ``windows`` for each picture that shows a class.
        """
        places, classes = draw(mask, draws, self.windows)
        if self.training:
            self.head.count(mask[mask != UNSAID], classes)
        half = self.window // 2
        views = mirrored(x, (half, half), (half, half)).unfold(2, self.window, 1).unfold(3, self.window, 1)
        windows = foveated(views[places[:, 0], :, places[:, 1], places[:, 2]], self.foveate)
        return self.of_windows(windows, 2 ** len(self.convs)), classes[:, None, None]

    def stage_parts(self) -> list[list[str]]:
        """Each convolution with what follows it, the dense layer, and the head: for stages of the net."""
        return [
            *([f"convs.{level}", f"norms.{level}", f"acts.{level}"] for level in range(len(self.convs))),
            ["dense", "act", "drop"],
            ["head"],
        ]

    def _one_by_one(self, x: Tensor) -> Tensor:
        views = x.unfold(2, self.window, self.stride).unfold(3, self.window, self.stride)
        batch, channels, rows, columns = views.shape[:4]
        at_once = max(1, WINDOWS_AT_ONCE // columns)
        found = []
        for one in views:
            for first in range(0, rows, at_once):
                part = one[:, first : first + at_once].permute(1, 2, 0, 3, 4).reshape(-1, channels, *views.shape[4:])
                found.append(self.of_windows(foveated(part, self.foveate), 2 ** len(self.convs)))
        return torch.cat(found).view(batch, rows, columns, -1).permute(0, 3, 1, 2)


class Holed(nn.Conv2d):
    """A convolution whose inputs lie a number of pixels apart that each call names."""

    def forward(self, x: Tensor, apart: int = 1) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, dilation=apart)


class CountingHead(nn.Conv2d):
    """A 1x1 convolution to the logits of K classes, and how frequent these were in the masks and among the windows.

    The counts are the head's, so that they change places with its rows where another run has the classes in another
    order. Several processes have one count.
    """

    counted: Tensor
    """Pixels of each class in the masks that windows were drawn from, float64 (K,)."""
    shown: Tensor
    """Windows of each class that were drawn, float64 (K,)."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__(in_channels, num_classes, kernel_size=1)
        for name in ("counted", "shown"):
            self.register_buffer(name, torch.zeros(num_classes, dtype=torch.float64))

    def count(self, pixels: Tensor, windows: Tensor) -> None:
        """Add the classes of pixels and of windows, int64 (N,) both."""
        found = torch.stack([torch.bincount(one, minlength=self.out_channels) for one in (pixels, windows)])
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(found)
        self.counted += found[0]
        self.shown += found[1]

    def shift(self) -> Tensor:
        """What is added to the logits (K,): how much more frequent a class is than among the windows, its logarithm."""
        frequent = self.counted.clamp(min=1) / self.shown.clamp(min=1)
        return (frequent / frequent.mean()).log().to(self.weight.dtype)


def draw(mask: Tensor, draws: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Pixels of masks (B, H, W), ``count`` from each, in turn of the classes that it shows, anywhere within each class.

    Returns:
        int64 (N, 3), picture, row and column; int64 (N,), classes. A mask of nothing but ``UNSAID`` gives none.
    """
    chance = (ranks(draws, count, _STREAM) >> 10).double() * 2.0**-53
    places, classes = [mask.new_zeros((0, 3))], [mask.new_zeros(0)]
    for picture, (own, of_own) in enumerate(zip(mask, chance, strict=True)):
        there = [class_ for class_ in own.unique().tolist() if class_ != UNSAID]
        for turn, class_ in enumerate(there):
            pixels = (own == class_).nonzero()
            chosen = pixels[(of_own[turn :: len(there)] * len(pixels)).long()]
            places.append(F.pad(chosen, (1, 0), value=picture))
            classes.append(chosen.new_full((len(chosen),), class_))
    return torch.cat(places), torch.cat(classes)


def _pooled_everywhere(x: Tensor, apart: int) -> Tensor:
    """The largest of each pixel and those ``apart`` below, right and both; the same as a max pooling, in less time."""
    x = torch.maximum(x[..., :-apart, :], x[..., apart:, :])
    return torch.maximum(x[..., :-apart], x[..., apart:])


def _behind(window: int, kernels: Sequence[int], widths: Sequence[int]) -> int:
    """The side of the last maps of a window."""
    if len(kernels) != len(widths):
        raise InputError(
            f"model.widths: {len(widths)} numbers, and model.kernels has {len(kernels)}; give one for each"
        )
    side = window
    for kernel in kernels:
        side = side - kernel + 1
        if side < 2 or side % 2:
            fits = _fitting(window, kernels)
            raise InputError(
                f"model.window={window}: a pooling by 2 does not divide the {max(side, 0)} pixels that kernels of "
                f"[{','.join(map(str, kernels))}] leave; take {fits}"
            )
        side //= 2
    if window % 2 == 0:
        raise InputError(f"model.window={window}: no pixel is its middle; take an odd number, and kernels that fit it")
    return side


def _fitting(window: int, kernels: Sequence[int]) -> str:
    """The nearest side that these kernels and poolings take."""
    least = 1
    for kernel in reversed(kernels):
        least = 2 * least + kernel - 1
    step = 2 ** len(kernels)
    near = least + max(0, round((window - least) / step)) * step
    return f"{near}" if near % 2 else "a first kernel of another size"


def _refuse_small(size: tuple[int, int], window: int) -> None:
    if min(size) < window:
        larger = [max(side, window) for side in size]
        raise InputError(
            f"data.image_size=[{size[0]},{size[1]}]: smaller than the window of the net, model.window={window}; take a "
            f"smaller window with model.kernels that fit it, or data.image_size=[{larger[0]},{larger[1]}]"
        )

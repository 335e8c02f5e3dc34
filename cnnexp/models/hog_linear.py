"""A linear classifier on histograms of oriented gradients: what engineering by hand came to before nets learnt it."""

from __future__ import annotations

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bounds import at_least_one
from cnnexp.models.hog import HOG


class HOGLinear(nn.Module):
    """Softmax regression on the features of ``HOG``: the baseline beside a convolutional net.

    Dalal and Triggs (2005) put a linear support vector machine there; the softmax's loss keeps it comparable with the
    nets. 28x28 digits with cells of 7 pixels have 9 blocks of 36 features: 324 of them, and 3,250 weights for ten
    classes.

    Args:
        in_channels: channels C of a picture; the one with the largest gradient counts at each pixel.
        num_classes: number of classes K.
        image_size: height H and width W of a picture in pixels.
        orientations: directions that 180 degrees are cut into; the paper has 9.
        cell: side of a cell in pixels; the paper has 8, for people 128 pixels high.
        block: side of a block in cells, normalised together; the paper has 2.

    Raises:
        InputError: the picture is smaller than one block.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        orientations: int,
        cell: int,
        block: int,
    ) -> None:
        super().__init__()
        at_least_one(orientations=orientations, cell=cell, block=block)
        if min(image_size) < cell * block:
            raise InputError(
                f"model.cell={cell}: a block of {block}x{block} cells is {cell * block} pixels wide, and the picture "
                f"is {image_size[0]}x{image_size[1]}; model.cell={max(1, min(image_size) // (2 * block))} fits"
            )
        self.hog = HOG(orientations=orientations, cell=cell, block=block)
        features, rows, columns = self.hog.shape(*image_size)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(features * rows * columns, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.head(self.flatten(self.hog(x)))

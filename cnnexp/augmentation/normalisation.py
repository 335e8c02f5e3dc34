"""From stored uint8 pictures to what a net takes in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnexp.augmentation.boxes import move_boxes
from cnnexp.augmentation.colour import OnDevice, apply_by_channel
from cnnexp.augmentation.exact import cut_on_the_way
from cnnexp.augmentation.geometry import Frame, Geometry
from cnnexp.data.base import Facts


class Normalisation(nn.Module):
    """(x / 255 - mean) / std, or x / 255 alone, at the size that the net takes.

    Args:
        facts: of the data; batches of its ``decode_size`` are brought to ``height`` and ``width``, others keep theirs.
        centred: whether mean and std are used.
        channels_last: the memory format of what comes out.
    """

    scale: Tensor
    bias: Tensor

    def __init__(self, facts: Facts, *, centred: bool = True, channels_last: bool = False) -> None:
        super().__init__()
        mean = torch.tensor(facts.mean if centred else [0.0] * facts.channels, dtype=torch.float64)
        std = torch.tensor(facts.std if centred else [1.0] * facts.channels, dtype=torch.float64)
        self.stored, self.size = facts.decode_size, (facts.height, facts.width)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.register_buffer("scale", (1 / (255 * std)).float().view(1, -1, 1, 1), persistent=False)
        self.register_buffer("bias", (-mean / std).float().view(1, -1, 1, 1), persistent=False)

    def frame(self, image: Tensor) -> Frame:
        """The size of stored pictures (B, C, H, W), and the size at which they go on."""
        source = (image.shape[-2], image.shape[-1])
        return Frame(source, self.size if source == self.stored else source)

    def forward(self, image: Tensor) -> Tensor:
        """uint8 (B, C, H, W) → normalised, of the same size."""
        return self.finish(image.to(self.scale.dtype))

    def finish(self, image: Tensor) -> Tensor:
        """Pictures with values from 0 to 255, already of the net's dtype → normalised, in place where possible."""
        # in place and one after the other: a third of the time of one broadcast multiply-add
        return self.ordered(image.mul_(self.scale).add_(self.bias))

    def ordered(self, image: Tensor) -> Tensor:
        """The same numbers in the memory format that the net takes."""
        return image.contiguous(memory_format=self.memory_format)

    def centre(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The batch cut to the net's size around the centre, with its mask and boxes; as it is where nothing is cut."""
        frame = self.frame(batch["image"])
        if frame.source == frame.output:
            return batch
        (height, width), (rows, columns) = frame
        top, left = round((height - rows) / 2), round((width - columns) / 2)
        cut = dict(batch, image=batch["image"][..., top : top + rows, left : left + columns])
        if "mask" in batch:
            cut["mask"] = batch["mask"][..., top : top + rows, left : left + columns].contiguous()
        if "boxes" in batch:
            geometry = Geometry.shift(len(batch["boxes"]), left - (width - columns) / 2, top - (height - rows) / 2)
            cut["boxes"], cut["classes"] = move_boxes(geometry, batch["boxes"], batch["classes"], frame)
        return cut


def fused(image: Tensor, colour: OnDevice | None, scale: Tensor, bias: Tensor) -> Tensor:
    """Colour and normalisation in one expression, for a compiler; pictures of any dtype.

    Channels come first: torch's own conversion afterwards is several times as fast as a compiled loop with both orders.
    """
    image = image.to(scale.dtype)
    return (image if colour is None else apply_by_channel(colour, image)) * scale + bias


def fused_cut(
    image: Tensor,
    top: Tensor,
    left: Tensor,
    size: tuple[int, int],
    colour: OnDevice | None,
    scale: Tensor,
    bias: Tensor,
) -> Tensor:
    """The same with the crop before it."""
    return fused(cut_on_the_way(image, top, left, size), colour, scale, bias)

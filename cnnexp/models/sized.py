"""Pictures brought to a size that a detector's maps divide, and boxes brought there and back."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.transform import GeneralizedRCNNTransform, resize_boxes

Size = tuple[int, int]


class Sized(nn.Module):
    """Nothing but padding on the right and below, or what torchvision's published weights were trained with.

    Args:
        resize: of the shorter side and at most of the longer one, in pixels; None leaves pictures as they are.
        multiple: of what both sides are padded to.
        fixed: height and width that every picture gets, whatever its shape, without padding; in place of ``resize``.
    """

    def __init__(self, resize: Size | None, multiple: int, fixed: Size | None = None) -> None:
        super().__init__()
        self.multiple = multiple
        self.transform: nn.Module | None = None
        if fixed is not None:
            given = (min(fixed), max(fixed))
            self.transform = GeneralizedRCNNTransform(*given, [0.0], [1.0], size_divisible=1, fixed_size=fixed[::-1])
        elif resize is not None:
            self.transform = GeneralizedRCNNTransform(*resize, [0.0], [1.0], size_divisible=multiple)

    def images(self, x: Tensor) -> ImageList:
        """Pictures (B, C, H, W) as the backbone takes them, with their sizes before padding."""
        if self.transform is not None:
            images, _ = self.transform(list(x))
            assert isinstance(images, ImageList)
            return images
        rows, columns = (-side % self.multiple for side in x.shape[-2:])
        padded = F.pad(x, (0, columns, 0, rows)) if rows or columns else x
        return ImageList(padded, [(x.shape[-2], x.shape[-1])] * len(x))

    def truth(self, truth: list[dict[str, Tensor]], x: Tensor) -> list[dict[str, Tensor]]:
        """Boxes of pictures x in pixels of what the backbone takes."""
        if self.transform is None:
            return truth
        size = self._size(x)
        return [{**one, "boxes": resize_boxes(one["boxes"], x.shape[-2:], size)} for one in truth]

    def back(self, boxes: Tensor, size: Size, x: Tensor) -> Tensor:
        """Boxes (n, 4) in pixels of what the backbone takes, of this size, in pixels of pictures x."""
        return boxes if self.transform is None else resize_boxes(boxes, size, x.shape[-2:])

    def _size(self, x: Tensor) -> Size:
        return self.images(x[:1]).image_sizes[0]

"""DnCNN (Zhang et al. 2017, "Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising")."""

from __future__ import annotations

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bicubic import REACH_PX, enlarged
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import he_init


class DnCNN(nn.Module):
    """3x3 convolutions with batch norm that learn the noise, which is taken from the picture.

    The paper's DnCNN-S has depth 17 and 64 maps: 556,096 parameters on grey pictures, as its authors' code has them
    (a bias in the first convolution alone). For super-resolution the picture is enlarged by bicubic interpolation
    first, as in their DnCNN-3.

    Args:
        in_channels: channels of a picture, of the answer too.
        factor: by which a picture is enlarged; 1 restores it at its size.
        depth: convolutions, 3 at least; the answer sees 2 depth + 1 pixels a side.
        width: maps between them.

    Attributes:
        reach: pixels of the picture, to each side, that a pixel of the answer depends on.

    Raises:
        InputError: fewer than three convolutions, no maps.
    """

    def __init__(self, *, in_channels: int, factor: int = 1, depth: int, width: int) -> None:
        super().__init__()
        at_least_one(width=width)
        if depth < 3:
            raise InputError(f"model.depth={depth}: expected a whole number of at least 3")
        self.factor = factor
        layers: list[nn.Module] = [nn.Conv2d(in_channels, width, 3, padding=1), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        last = nn.Conv2d(width, in_channels, 3, padding=1, bias=False)
        self.noise = nn.Sequential(*layers, last)
        self.apply(he_init)
        nn.init.normal_(last.weight, std=0.001)  # begins with the picture as it is
        self.reach = -(-depth // factor) + (REACH_PX if factor > 1 else 0)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W) in [0, 1] → (B, C, factor H, factor W), around [0, 1]."""
        x = enlarged(x, self.factor)
        return x - self.noise(x)

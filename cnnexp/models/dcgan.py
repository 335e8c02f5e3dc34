"""DCGAN: a generator of pictures from noise, and the discriminator that learns to tell them from real ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_BASE_PX = 4
"""Halving stops here, or at an odd side."""


class DCGAN(nn.Module):
    """Strided convolutions down in the discriminator, transposed ones up in the generator, batch norm in both.

    Radford et al. 2015, "Unsupervised representation learning with deep convolutional GANs", sections 3 and 4: no
    pooling, no hidden dense layers, no norm at the generator's output and the discriminator's input, ReLU and tanh in
    the one, leaky ReLU (0.2) in the other, weights from N(0, 0.02). The paper's pictures are 64x64, in four doublings
    from 4x4; here sides are doubled as often as they can be halved.

    ``conditional``: both parts are told the class (Mirza and Osindero 2014, "Conditional generative adversarial nets",
    section 3.2): as one of K further numbers beside the noise, and as one of K further maps beside the picture.

    Args:
        in_channels: of a picture. image_size: height and width; even. num_classes: of the data, K.
        noise: numbers that a picture is made from; the paper's 100.
        width: maps of the generator's last hidden layer and the discriminator's first; the paper's is 128.
        conditional: whether pictures are of a class that is asked for.

    Raises:
        ValueError: an odd side; ``conditional`` for data without classes.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        noise: int,
        width: int,
        conditional: bool = False,
    ) -> None:
        super().__init__()
        if conditional and num_classes < 2:
            raise ValueError("model.conditional=true: the data has no classes that could be asked for; leave it out")
        self.noise = noise
        self.classes = num_classes if conditional else 0
        depth = _halvings(image_size)
        base = (image_size[0] >> depth, image_size[1] >> depth)
        widths = [width << level for level in range(depth)]
        self.generator = _generator(in_channels, noise + self.classes, widths[::-1], base)
        self.discriminator = _discriminator(in_channels + self.classes, widths, base)
        self.apply(_from_a_narrow_normal)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """The discriminator's logit (B,) of pictures (B, C, H, W) in [-1, 1]: above 0 it takes them for real.

        Args:
            label: the class of each, int64 (B,), that a conditional net is told; class 0 where it is not.
        """
        if self.classes:
            told = self._told(label, x)[:, :, None, None]
            x = torch.cat([x, told.expand(-1, -1, *x.shape[2:])], 1)
        return self.discriminator(x).flatten()

    def generate(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """Pictures (B, C, H, W) in [-1, 1] from noise (B, N), of classes as ``forward`` has them."""
        given = torch.cat([noise, self._told(label, noise)], 1) if self.classes else noise
        return self.generator(given[:, :, None, None])

    def _told(self, label: Tensor | None, like: Tensor) -> Tensor:
        """One of K is 1, (B, K)."""
        number = torch.zeros(len(like), dtype=torch.int64, device=like.device) if label is None else label
        return functional.one_hot(number, self.classes).to(like.dtype)


def _generator(channels: int, noise: int, widths: list[int], base: tuple[int, int]) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.ConvTranspose2d(noise, widths[0], base, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(inplace=True),
    ]
    for before, after in zip(widths, [*widths[1:], None], strict=True):
        last = after is None
        out = channels if after is None else after
        layers.append(nn.ConvTranspose2d(before, out, kernel_size=4, stride=2, padding=1, bias=last))
        layers += [nn.Tanh()] if last else [nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _discriminator(channels: int, widths: list[int], base: tuple[int, int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for place, (before, after) in enumerate(zip([channels, *widths], widths, strict=False)):
        layers.append(nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1, bias=place == 0))
        layers += [] if place == 0 else [nn.BatchNorm2d(after)]
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, base))


def _halvings(size: tuple[int, int]) -> int:
    depth = 0
    while all(side % 2 == 0 and side > SMALLEST_BASE_PX for side in size):
        size, depth = (size[0] // 2, size[1] // 2), depth + 1
    if depth == 0:
        raise ValueError(f"pictures of {size[0]}x{size[1]} cannot be halved; take even sides of at least 6")
    return depth


@torch.no_grad()
def _from_a_narrow_normal(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.02)
        nn.init.zeros_(module.bias)

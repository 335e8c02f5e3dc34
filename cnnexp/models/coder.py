"""What autoencoders are: an encoder, a decoder, and the code between."""

from __future__ import annotations

from torch import Tensor, nn


class Coder(nn.Module):
    """Pictures (B, C, H, W) through a code (B, d) and back; a subclass sets both halves and the size of the code."""

    encoder: nn.Sequential
    decoder: nn.Sequential
    bottleneck: int

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions of pictures in [0, 1], both (B, C, H, W)."""
        return self.decode(self.encode(x))

    def encode(self, x: Tensor) -> Tensor:
        """Codes (B, bottleneck) of pictures (B, C, H, W)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Pictures (B, C, H, W) of codes (B, bottleneck)."""
        return self.decoder(z)

    def stage_parts(self) -> list[list[str]]:
        """The encoder and the decoder, each a stage of the net."""
        return [["encoder"], ["decoder"]]

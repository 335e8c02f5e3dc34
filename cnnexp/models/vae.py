"""The variational autoencoder: an encoder that answers a Gaussian for each picture, and a decoder of what is drawn."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import RELU, Activation
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.conv_autoencoder import convolutional_decoder, convolutional_encoder
from cnnexp.models.dense import hidden_layers

_HIDDEN = (400,)
_WIDTH = 32
_KIND: Activation = "relu"


class VAE(nn.Module):
    """q(z|x) = N(μ(x), diag σ²(x)) and p(x|z), a Bernoulli probability for each value of the picture.

    Source: Kingma and Welling 2013, "Auto-encoding variational Bayes", appendix C. There one hidden layer of 500 units
    with hyperbolic tangents; here rectifiers.

    Args:
        in_channels: channels C of a picture. image_size: its height and width in pixels.
        bottleneck: numbers d in a code z.
        kind: mlp has dense layers, conv the convolutions of `conv_autoencoder`.
        hidden: of mlp, units of the encoder's hidden layers, which the decoder mirrors; None is one of 400.
        width: of conv, maps after the first convolution; None is 32.

    Raises:
        InputError: a layer without units; a size for the other kind.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        bottleneck: int,
        kind: Literal["mlp", "conv"],
        hidden: tuple[int, ...] | None,
        width: int | None,
    ) -> None:
        super().__init__()
        at_least_one(bottleneck=bottleneck, width=_WIDTH if width is None else width)
        all_at_least_one(hidden=hidden or ())
        self.bottleneck = bottleneck
        if kind == "conv":
            if hidden is not None:
                raise InputError("model.hidden: model.kind=conv has no dense hidden layers; leave it null")
            wide = _WIDTH if width is None else width
            self.encoder = convolutional_encoder(in_channels, image_size, 2 * bottleneck, wide, RELU)
            self.decoder = convolutional_decoder(in_channels, image_size, bottleneck, wide, RELU)
            return
        if width is not None:
            raise InputError("model.width: model.kind=mlp has no maps, and its layers are model.hidden; leave it null")
        units, pixels = _HIDDEN if hidden is None else hidden, in_channels * image_size[0] * image_size[1]
        self.encoder = nn.Sequential(
            nn.Flatten(), *_dense(pixels, units), nn.Linear(units[-1] if units else pixels, 2 * bottleneck)
        )
        self.decoder = nn.Sequential(
            *_dense(bottleneck, units[::-1]),
            nn.Linear(units[0] if units else bottleneck, pixels),
            nn.Unflatten(1, (in_channels, *image_size)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W) in [0, 1] of the means of the codes of pictures (B, C, H, W) in [0, 1]."""
        return self.decode(self.encode(x)[0]).sigmoid()

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of q(z|x), (B, d) each, of pictures (B, C, H, W)."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:
        """Logits (B, C, H, W) of codes (B, d)."""
        return self.decoder(z)

    def stage_parts(self) -> list[list[str]]:
        """The encoder and the decoder, each a stage."""
        return [["encoder"], ["decoder"]]


def _dense(inputs: int, units: tuple[int, ...]) -> nn.Sequential:
    return hidden_layers(inputs, units, _KIND, None, batch_norm=False, dropped=None)

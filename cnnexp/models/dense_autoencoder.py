"""A deep autoencoder of fully connected layers, symmetric unless it is said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from cnnexp.errors import InputError
from cnnexp.models.activations import OneToOne, activation
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.coder import Coder
from cnnexp.models.conv_autoencoder import FromTanh
from cnnexp.models.initialisation import filling_for, glorot_init

Between = OneToOne | Literal["linear"]
_ENDS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": FromTanh, "linear": nn.Identity}


class DenseAutoencoder(Coder):
    """Pictures through a code of `bottleneck` numbers: linear layers with an activation between each two, and back.

    Source: Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks" (for digits
    784-1000-500-250-30). It was trained layer by layer first; here all is trained at once.

    Args:
        in_channels: channels C of a picture.
        image_size: height and width of a picture in pixels.
        hidden: units of the encoder's hidden layers; an empty list leaves a single layer to the code and back.
        bottleneck: numbers in the code.
        decoder: units of the decoder's hidden layers; None mirrors the encoder's.
        tied: the decoder's weights are the transposes of the encoder's, and only its biases are its own (Vincent et al.
            2010, "Stacked denoising autoencoders").
        activation: behind each layer but the code and the last; `linear` is none.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        output: what keeps the pictures between black and white: a sigmoid, a hyperbolic tangent brought to 0 to 1;
            `linear` does not.
        sparsity: a mean activity was asked for: the code goes through a sigmoid, so that each unit is between 0 and 1.

    Raises:
        InputError: a layer without units; tied weights for a decoder that is not the encoder's mirror image.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        hidden: tuple[int, ...],
        bottleneck: int,
        decoder: tuple[int, ...] | None,
        tied: bool,
        activation: Between,
        leaky_slope: float | None,
        output: Literal["sigmoid", "tanh", "linear"],
        sparsity: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(bottleneck=bottleneck)
        all_at_least_one(hidden=hidden, decoder=decoder or ())
        back = hidden[::-1] if decoder is None else decoder
        if tied and tuple(back) != tuple(hidden[::-1]):
            raise InputError(
                f"model.tied=true: decoder {_listed(back)} is not the mirror image of hidden {_listed(hidden)}, so "
                "there are no transposes to take; leave model.decoder null"
            )
        self.bottleneck = bottleneck
        pixels = in_channels * image_size[0] * image_size[1]
        self.encoder = nn.Sequential(nn.Flatten(), *_layers((pixels, *hidden, bottleneck), activation, leaky_slope))
        if sparsity is not None:
            self.encoder.append(nn.Sigmoid())
        linear = [layer for layer in self.encoder if isinstance(layer, nn.Linear)]
        own: nn.Module = (
            Transposed(linear, activation, leaky_slope)
            if tied
            else nn.Sequential(*_layers((bottleneck, *back, pixels), activation, leaky_slope))
        )
        self.decoder = nn.Sequential(own, _ENDS[output](), nn.Unflatten(1, (in_channels, *image_size)))
        self.apply(glorot_init if activation == "linear" else filling_for(activation))


class Transposed(nn.Module):
    """Linear layers backwards, with their weights transposed and biases of its own.

    Args:
        layers: those of the encoder, from the pixels to the code; they stay the encoder's.
    """

    def __init__(self, layers: Sequence[nn.Linear], kind: Between, leaky_slope: float | None) -> None:
        super().__init__()
        self.__dict__["layers"] = list(layers)[::-1]  # past torch's book of submodules: the weights are not this one's
        self.layers: list[nn.Linear]
        self.biases = nn.ParameterList([layer.weight.new_zeros(layer.in_features) for layer in self.layers])
        self.between = nn.ModuleList([_between(kind, one.in_features, leaky_slope) for one in self.layers[:-1]])

    def forward(self, z: Tensor) -> Tensor:
        for place, (layer, bias) in enumerate(zip(self.layers, self.biases, strict=True)):
            z = functional.linear(z, layer.weight.t(), bias)
            if place < len(self.between):
                z = self.between[place](z)
        return z


def _layers(widths: Sequence[int], kind: Between, leaky_slope: float | None) -> list[nn.Module]:
    """Linear layers from each width to the next, with an activation between each two."""
    found: list[nn.Module] = []
    for before, after in pairwise(widths):
        found += [_between(kind, before, leaky_slope)] if found else []
        found.append(nn.Linear(before, after))
    return found


def _between(kind: Between, units: int, leaky_slope: float | None) -> nn.Module:
    return nn.Identity() if kind == "linear" else activation(kind, units, leaky_slope)


def _listed(widths: Sequence[int]) -> str:
    return f"[{','.join(map(str, widths))}]"

"""A convolutional net for each frame of a clip, and a recurrent one over what it saw (Donahue et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import filling_for
from cnnexp.models.sizes import refuse_below


class CNNLSTM(nn.Module):
    """The same small net sees each frame; an LSTM goes through what it saw; the answers after each frame are averaged.

    Stages of a 3×3 convolution, batch norm, an activation and 2×2 max-pooling; what is left of a frame goes through one
    linear layer with an activation. The maps are not averaged over their places, as where things are is what moves. The
    form is that of Donahue et al. 2015, "Long-term recurrent convolutional networks", section 3, whose picture net is
    AlexNet and which averages probabilities; here it is logits, whose mean is one linear layer's of the mean state. So
    each frame is as near to the loss as the last.

    Args:
        in_channels: channels of a frame.
        num_classes: number of classes K.
        image_size: height and width of a frame in pixels.
        widths: maps of each stage.
        features: numbers that a frame becomes.
        hidden: numbers in the state of each LSTM layer.
        layers: of the LSTM.
        activation: behind each batch norm and the linear layer.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a number of the mean state; None for no dropout.

    Raises:
        InputError: a number below 1; frames from which the pools leave nothing; a slope for an activation that has
            none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        widths: Sequence[int],
        features: int,
        hidden: int,
        layers: int,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(features=features, hidden=hidden, layers=layers, stages=len(widths))
        all_at_least_one(widths=widths)
        refuse_below(2 ** len(widths), image_size, f"cnn_lstm with {len(widths)} pools")
        activating = Activating(activation, leaky_slope)
        self.features = nn.Sequential()
        for before, now in zip((in_channels, *widths), widths, strict=False):
            stage = [nn.Conv2d(before, now, 3, padding=1, bias=False), nn.BatchNorm2d(now), activating(now)]
            self.features.extend([*stage, nn.MaxPool2d(2)])
        height, width = (side // 2 ** len(widths) for side in image_size)
        self.embed = nn.Linear(widths[-1] * height * width, features)
        self.act = activating(features)
        self.lstm = nn.LSTM(features, hidden, layers, batch_first=True)
        self.drop = nn.Sequential(*dropout_layers(dropout))
        self.linear = nn.Linear(hidden, num_classes)
        self.apply(filling_for(activation))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of clips (B, C, T, H, W)."""
        count, _, frames = x.shape[:3]
        seen = self.features(x.transpose(1, 2).flatten(0, 1)).flatten(1)
        states, _ = self.lstm(self.act(self.embed(seen)).unflatten(0, (count, frames)))
        return self.linear(self.drop(states.mean(1)))

"""First weights of nets of our own."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from cnnexp.models.activations import SATURATING, Activation


def he_init(module: nn.Module) -> None:
    """Normal weights of variance 2 / fan-in, zero biases ("Delving deep into rectifiers", He 2015, equation 10).

    For `net.apply`: convolutions and linear layers are filled, all else stays as it is.
    """
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        _zero_bias(module)


def glorot_init(module: nn.Module) -> None:
    """Uniform weights of variance 2 / (fan-in + fan-out), zero biases (Glorot and Bengio 2010, equation 16)."""
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        _zero_bias(module)


def filling_for(activation: Activation) -> Callable[[nn.Module], None]:
    """What fills the layers in front of an activation, for `net.apply`; see ``init_for``."""
    return glorot_init if activation in SATURATING else _halved_init if activation == "maxout" else he_init


def init_for(net: nn.Module, head: nn.Module, activation: Activation) -> None:
    """Fill a net as its activation wants it, and its last layer so that no class is favoured at first.

    He's variance for activations that are linear above zero; half of it for maxout, which keeps the larger of two where
    a ReLU keeps half of all; Glorot's for those that saturate. The last layer begins with a deviation of 0.01, as in
    AlexNet: the first loss is near the logarithm of the number of classes.
    """
    net.apply(filling_for(activation))
    assert isinstance(head, nn.Linear | nn.Conv2d)
    nn.init.normal_(head.weight, std=0.01)


def _halved_init(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        _zero_bias(module)


def _zero_bias(module: nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear) -> None:
    if module.bias is not None:
        nn.init.zeros_(module.bias)

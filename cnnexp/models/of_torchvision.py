"""Any classifier of torchvision, by its name there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torchvision import models

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models.published import Published

DEFAULT = ("torchvision", "DEFAULT")
"""Words for the weights that torchvision itself takes first."""

# Without auxiliary classifiers a net answers with one tensor; and the old initialisation of these two takes minutes.
_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"aux_logits": False, "init_weights": False},
}


def torchvision_net(*, name: str, in_channels: int, num_classes: int, dropout: float | None = None) -> nn.Module:
    """A classifier of torchvision with fresh weights; its parameters have torchvision's names.

    Args:
        name: as in ``torchvision.models`` (resnet50, mobilenet_v3_large, ...).
        in_channels: channels of a picture; for other than three the first convolution is made anew.
        num_classes: number of classes K.
        dropout: probability in [0, 1) for every dropout of the net; None leaves those that it has.

    Raises:
        InputError: there is no such net, or it has no place for dropout.
    """
    net: nn.Module = models.get_model(_known(name), weights=None, num_classes=num_classes, **_ARGUMENTS.get(name, {}))
    if in_channels != 3:
        _take_channels(net, in_channels)
    if dropout is not None:
        set_dropout(net, dropout, name)
    return net


def published(weights: str | None, *, name: str) -> Published:
    """What torchvision says of weights of a net, by their name there; None and ``torchvision`` are the default ones.

    Raises:
        InputError: there is no such net, or there are no such weights.
    """
    known = models.get_model_weights(_known(name))
    names = list(known.__members__)
    if not names:
        raise InputError(f"model.name={name}: torchvision has no weights for it; give a file")
    if weights not in (None, *DEFAULT, *names):
        raise InputError(
            f"model.weights={weights}: no file, and torchvision has no such weights for {name}; "
            f"{did_you_mean(str(weights), [*names, 'torchvision'])}"
        )
    chosen = known["DEFAULT"] if weights in (None, *DEFAULT) and "DEFAULT" in names else known[weights or names[0]]
    how = chosen.transforms()

    def load() -> dict[str, Tensor]:
        try:
            return dict(chosen.get_state_dict(progress=False, check_hash=True))
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"model.weights={weights}: {chosen.url} could not be had ({error}); "
                "download it elsewhere and give model.weights=FILE"
            ) from error

    return Published(
        source=f"torchvision's {chosen}",
        mean=tuple(how.mean),
        std=tuple(how.std),
        resize_px=how.resize_size[0],
        crop_px=how.crop_size[0],
        interpolation=how.interpolation.value,
        classes=tuple(chosen.meta["categories"]),
        load=load,
    )


def set_dropout(net: nn.Module, probability: float, name: str) -> None:
    """Give every dropout of a net this probability.

    Raises:
        InputError: it has none.
    """
    found = [one for one in net.modules() if isinstance(one, (nn.Dropout, nn.Dropout2d))]
    if not found:
        raise InputError(f"regularization.dropout={probability}: {name} has no place for dropout; leave it null")
    for one in found:
        one.p = probability


def _known(name: str) -> str:
    names = models.list_models(module=models)
    if name in names:
        return name
    raise InputError(f"model.name={name}: torchvision has no such classifier; {did_you_mean(name, names)}")


def _take_channels(net: nn.Module, in_channels: int) -> None:
    name, first = next((name, one) for name, one in net.named_modules() if isinstance(one, nn.Conv2d))
    parent, _, own = name.rpartition(".")
    convolution = nn.Conv2d(
        in_channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    setattr(net.get_submodule(parent), own, convolution)
